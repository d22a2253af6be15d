"""NFM in PyTorch. Its state_dict has the names of Handpick's own layout, so that it is saved as it is."""

import torch
from torch import nn

from layers import SpecReader


class Nfm(nn.Module):
    """logit = wide + head(layers([bi-interaction of the id features, numbers]))"""

    def __init__(self, spec, dropout, interaction_dropout):
        super().__init__()
        reader = SpecReader(spec)
        self.wide = reader.wide()
        names = spec["deep"]["features"]
        self._numbers = [name for name, table, _ in reader.uses("deep") if not table]
        width = next(reader.width(name) for name in names if name not in self._numbers)
        self.deep = reader.deep(width + sum(reader.width(name) for name in self._numbers), dropout)
        self.head = nn.Linear(self.deep.layers[-1].out_features, 1)
        self._interaction_dropout = nn.Dropout(interaction_dropout)

    def forward(self, batch):
        """[B] logits"""
        fields = torch.stack(self.deep.fields(batch))  # [fields, B, width]
        interaction = 0.5 * (fields.sum(dim=0) ** 2 - (fields ** 2).sum(dim=0))
        numbers = [batch[name] for name in self._numbers]
        x = torch.cat([self._interaction_dropout(interaction), *numbers], dim=1)
        return self.wide(batch) + self.head(self.deep.layers(x)).squeeze(1)

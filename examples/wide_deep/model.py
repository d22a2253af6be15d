"""Wide&Deep in PyTorch. Its state_dict has the names of Handpick's own layout, so that it is saved as it is."""

import torch
from torch import nn

from layers import SpecReader


class WideDeep(nn.Module):
    """logit = wide + head(layers([features of the deep part]))"""

    def __init__(self, spec, dropout):
        super().__init__()
        reader = SpecReader(spec)
        self.wide = reader.wide()
        self.deep = reader.deep(reader.deep_width(), dropout)
        self.head = nn.Linear(self.deep.layers[-1].out_features, 1)

    def forward(self, batch):
        """[B] logits"""
        deep = self.deep.layers(torch.cat(self.deep.values(batch), dim=1))
        return self.wide(batch) + self.head(deep).squeeze(1)

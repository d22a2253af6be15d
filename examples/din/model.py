"""DIN in PyTorch. Its state_dict has the names of Handpick's own layout, so that it is saved as it is."""

import torch
from torch import nn

from layers import SpecReader
from sequences import Attention, History


class Din(nn.Module):
    """logit = head(layers([features of the deep part, history as the candidate sees it]))"""

    def __init__(self, spec, dropout):
        super().__init__()
        reader = SpecReader(spec)
        self._history = History(reader, spec["attention"])
        self.deep = reader.deep(reader.deep_width() + self._history.width, dropout)
        self.attention = Attention(self._history.width, spec["attention"])
        self.head = nn.Linear(self.deep.layers[-1].out_features, 1)

    def forward(self, batch):
        """[B] logits"""
        keys, mask = self._history.keys(self.deep, batch)
        weights = self.attention(self._history.query(self.deep, batch), keys, mask)
        attended = (weights.unsqueeze(1) @ keys).squeeze(1)
        x = torch.cat([*self.deep.values(batch), attended], dim=1)
        return self.head(self.deep.layers(x)).squeeze(1)

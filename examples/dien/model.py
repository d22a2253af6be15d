"""DIEN in PyTorch. Its state_dict has the names of Handpick's own layout, but for the suffix _l0 of its GRU."""

import torch
from torch import nn

from layers import SpecReader
from sequences import Attention, Augru, History


class Dien(nn.Module):
    """logit = head(layers([features of the deep part, last interest of the history as the candidate sees it]))"""

    def __init__(self, spec, dropout):
        super().__init__()
        reader = SpecReader(spec)
        self._history = History(reader, spec["attention"])
        width = self._history.width
        self.deep = reader.deep(reader.deep_width() + width, dropout)
        self.gru = nn.GRU(width, width, batch_first=True)
        self.attention = Attention(width, spec["attention"])
        self.evolution = Augru(width)
        self.head = nn.Linear(self.deep.layers[-1].out_features, 1)

    def forward(self, batch):
        """[B] logits"""
        keys, mask = self._history.keys(self.deep, batch)
        interests, _ = self.gru(keys)  # What it makes of the padding is not looked at.
        weights = self.attention(self._history.query(self.deep, batch), interests, mask)
        x = torch.cat([*self.deep.values(batch), self.evolution(interests, weights)], dim=1)
        return self.head(self.deep.layers(x)).squeeze(1)

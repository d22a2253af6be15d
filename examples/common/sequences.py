"""Parts of recommenders that look at a history. Names in their state_dicts as in layers.py."""

import torch
from torch import nn

from layers import Layers
from resolver import reference


class Attention(nn.Module):
    """attention.layers.<i>.*, attention.head.*: how much each event matters to a candidate."""

    def __init__(self, width, options):
        """width: of query and keys; options: the spec's attention part."""
        super().__init__()
        self.layers = Layers([4 * width] + options["hidden_units"], options["activation"])
        self.head = nn.Linear(options["hidden_units"][-1], 1)
        self._softmax = options["softmax"]

    def forward(self, query, keys, mask):
        """[B, T] weights of [B, T, width] keys for [B, width] queries; mask: [B, T], 1 where there is an event."""
        queries = query.unsqueeze(1).expand_as(keys)
        x = torch.cat([queries, keys, queries - keys, queries * keys], dim=2)
        scores = self.head(self.layers(x)).squeeze(2)
        if not self._softmax:
            return scores * mask
        weights = torch.exp(scores - scores.max(dim=1, keepdim=True).values.detach()) * mask
        return weights / weights.sum(dim=1, keepdim=True).clamp(min=1e-30)  # 0 without events.


class Augru(nn.Module):
    """weight_ih, weight_hh, bias_ih, bias_hh: a GRU whose update gate is scaled by attention.

    In torch.nn.GRU's order r, z, n; but z takes the new state and keeps none of the old one:
    h' = (1 - a z) h + a z n.
    """

    def __init__(self, width):
        super().__init__()
        bound = width ** -0.5
        for name, shape in (("weight_ih", (3 * width, width)), ("weight_hh", (3 * width, width)),
                            ("bias_ih", (3 * width,)), ("bias_hh", (3 * width,))):
            self.register_parameter(name, nn.Parameter(torch.empty(shape).uniform_(-bound, bound)))

    def forward(self, inputs, attention):
        """[B, width] last states of [B, T, width] inputs; attention: [B, T], 0 beyond the events: keeps the state."""
        gates = torch.nn.functional.linear(inputs, self.weight_ih, self.bias_ih)
        h = torch.zeros_like(inputs[:, 0])
        for input_gates, weight in zip(gates.unbind(dim=1), attention.unsqueeze(2).unbind(dim=1)):
            state_gates = torch.nn.functional.linear(h, self.weight_hh, self.bias_hh)
            input_r, input_z, input_n = input_gates.chunk(3, dim=1)
            state_r, state_z, state_n = state_gates.chunk(3, dim=1)
            r, z = torch.sigmoid(input_r + state_r), torch.sigmoid(input_z + state_z)
            n = torch.tanh(input_n + r * state_n)
            h = h + weight * z * (n - h)
        return h


class History:
    """Looks up what the attention part of a spec names."""

    def __init__(self, reader, options):
        """reader: SpecReader; options: the spec's attention part."""
        self._query = [(reference(reader.feature(name)), reader.table(name)) for name in options["query"]]
        self._key = [(name, reader.table(name)) for name in options["key"]]
        self.width = sum(reader.width(name) for name in options["key"])

    def query(self, deep, batch):
        """[B, width] of the candidates"""
        return torch.cat([deep.look_up(table, batch[name], None) for name, table in self._query], dim=1)

    def keys(self, deep, batch):
        """[B, T, width] of the events and [B, T] mask; T is the longest history of the batch, and at least 1."""
        mask = batch[self._key[0][0]][1]
        longest = max(1, int(mask.sum(dim=1).max()))
        rows = [deep.embedding[table](batch[name][0][:, :longest]) for name, table in self._key]
        return torch.cat(rows, dim=2), mask[:, :longest]

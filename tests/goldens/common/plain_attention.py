"""DIN and DIEN in layout `handpick`, written from their papers: what DeepCTR-Torch's cannot have.

Zhou et al., Deep Interest Network, KDD 2018, section 4.3; Deep Interest Evolution Network, AAAI 2019, section 4.
"""

import torch
from torch import nn

from plain_torch import Embeddings, Network


class Unit(Network):
    """How much each event weighs for each candidate: layers over [q, k, q - k, q * k], and a head."""

    def __init__(self, width, attention):
        super().__init__(4 * width, attention["hidden_units"], attention["activation"])
        self.head = nn.Linear(self.width, 1)
        self._softmax = attention["softmax"]

    def forward(self, query, key):
        """query [candidates, width], key [events, width] -> [candidates, events]"""
        q = query[:, None].expand(-1, len(key), -1)
        k = key[None].expand(len(query), -1, -1)
        pairs = torch.cat([q, k, q - k, q * k], dim=2)
        hidden = super().forward(pairs.reshape(-1, pairs.shape[2]))
        scores = self.head(hidden).reshape(len(query), len(key))
        return torch.softmax(scores, dim=1) if self._softmax else scores


class Din(nn.Module):

    def __init__(self, spec, generator):
        super().__init__()
        self._spec = spec
        self.deep = Embeddings(spec, generator)
        attention, deep = spec["attention"], spec["deep"]
        units = attention if isinstance(attention, list) else [attention]
        self._widths = [self.deep.width(unit["key"]) for unit in units]
        made = [Bilinear(width) if unit.get("form") == "bilinear" else Unit(width, unit)
                for width, unit in zip(self._widths, units)]
        self._units = list(zip(made, units))  # Their parameters belong to self.attention.
        self.attention = made[0] if attention is units[0] else nn.ModuleDict(
            {unit["name"]: module for module, unit in self._units})
        network = Network(self.deep.width(deep["features"]) + sum(self._widths), deep["hidden_units"], deep["activation"],
                          batch_normalization=deep.get("batch_normalization", False))
        self.deep.layers = network.layers
        self._network = [network]  # Its parameters belong to self.deep.
        self.head = nn.Linear(network.width, 1)

    def query_and_key(self, request, attention):
        query, key = (self.deep.joined(attention[name], request) for name in ("query", "key"))
        if attention.get("pad_query", False):
            query = nn.functional.pad(query, (0, key.shape[1] - query.shape[1]))
        return query, key

    def attended(self, request):
        """[candidates, widths of all keys]"""
        histories = []
        for unit, attention in self._units:
            query, key = self.query_and_key(request, attention)
            histories.append(unit(query, key) @ key if len(key) else torch.zeros(len(query), key.shape[1]))
        return torch.cat(histories, dim=1)

    def forward(self, request):
        history = self.attended(request)
        features = self.deep.without_events(self._spec["deep"]["features"], request).expand(len(history), -1)
        return self.head(self._network[0](torch.cat([features, history], dim=1)))[:, 0]


def gates_of(weight, bias, x):
    return (x @ weight.T + bias).chunk(3, dim=-1)


class Cell(nn.Module):
    """The numbers of a recurrence, gates r, z, n."""

    def __init__(self, width):
        super().__init__()
        cell = nn.GRUCell(width, width)
        self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh = \
            cell.weight_ih, cell.weight_hh, cell.bias_ih, cell.bias_hh

    def gates(self, x, h):
        r, z, n = gates_of(self.weight_ih, self.bias_ih, x)
        hr, hz, hn = gates_of(self.weight_hh, self.bias_hh, h)
        r, z = torch.sigmoid(r + hr), torch.sigmoid(z + hz)
        return z, torch.tanh(n + r * hn)


class Bilinear(nn.Module):
    """The weight of an event is k^T W q, of all events through a softmax."""

    def __init__(self, width):
        super().__init__()
        self.bilinear = nn.Linear(width, width, bias=False)

    def forward(self, query, key):
        return torch.softmax(self.bilinear(query) @ key.T, dim=1)


class Dien(Din):
    """With AUGRU. Of several units each has recurrences of its own."""

    def __init__(self, spec, generator):
        super().__init__(spec, generator)
        is_one = not isinstance(spec["attention"], list)
        recurrences = [(Cell(width), Cell(width)) for width in self._widths]
        self._recurrences = list(recurrences)  # Their parameters belong to these:
        if is_one:
            self.gru, self.evolution = recurrences[0]
            return
        self.gru, self.evolution = (nn.ModuleDict({unit["name"]: own for (_, unit), own in zip(self._units, cells)})
                                    for cells in zip(*recurrences))

    def attended(self, request):
        parts = []
        for (weigh, attention), (gru, evolution) in zip(self._units, self._recurrences):
            query, key = self.query_and_key(request, attention)
            parts.append(self._evolved(query, key, weigh, gru, evolution))
        return torch.cat(parts, dim=1)

    @staticmethod
    def _evolved(query, key, weigh, gru, evolution):
        h = torch.zeros(len(query), key.shape[1])
        if not len(key):
            return h
        states, state = [], torch.zeros(key.shape[1])
        for k in key:
            z, n = gru.gates(k, state)
            state = (1 - z) * n + z * state
            states.append(state)
        weights = weigh(query, torch.stack(states))
        for t, state in enumerate(states):
            z, n = evolution.gates(state.expand(len(query), -1), h)
            update = weights[:, t:t + 1] * z
            h = (1 - update) * h + update * n
        return h

"""Parts of recommenders in PyTorch. The names in their state_dicts are those of Handpick's own layout.

A batch is what resolver.py makes: name of a feature -> [B] rows, ([B, T] rows, [B, T] mask) of what has several, or
[B, dimension] numbers.
"""

import math

import torch
from torch import nn

from resolver import reference, row_count


class Tables(nn.Module):
    """embedding.<table>.weight"""

    def __init__(self, tables, deviation):
        """tables: name -> (rows, width)"""
        super().__init__()
        self.embedding = nn.ModuleDict({name: nn.Embedding(rows, width) for name, (rows, width) in tables.items()})
        for table in self.embedding.values():
            nn.init.normal_(table.weight, std=deviation)

    def look_up(self, table, ids, combiner):
        """[B, width]"""
        weights = self.embedding[table]
        if not isinstance(ids, tuple):
            return weights(ids)
        rows, mask = ids
        total = (weights(rows) * mask.unsqueeze(2)).sum(dim=1)
        if combiner == "mean":
            total = total / mask.sum(dim=1, keepdim=True).clamp(min=1)
        return total


class Numeric(nn.Module):
    """numeric.weight"""

    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(width))


class Wide(Tables):
    """A weight per id and per number, and a bias."""

    def __init__(self, tables, uses, numbers):
        """tables: name -> rows; uses: (feature, table, combiner)s; numbers: (feature, dimension)s."""
        super().__init__({name: (rows, 1) for name, rows in tables.items()}, 0.01)
        self.uses, self.numbers = uses, numbers
        self.numeric = Numeric(sum(dimension for _, dimension in numbers))
        self.bias = nn.Parameter(torch.zeros(1))

    def forward(self, batch):
        logit = self.bias + torch.cat([batch[name] for name, _ in self.numbers], dim=1) @ self.numeric.weight
        for feature, table, combiner in self.uses:
            logit = logit + self.look_up(table, batch[feature], combiner).squeeze(1)
        return logit


class Layer(nn.Linear):
    """layers.<i>.weight, .bias, and what the activation has: .batch_norm.*, .prelu.weight"""

    def __init__(self, inputs, outputs, activation, batch_normalization):
        super().__init__(inputs, outputs)
        if batch_normalization:
            self.batch_norm = nn.BatchNorm1d(outputs)
        if activation == "prelu":
            self.prelu = nn.PReLU()
        self._activation = {"relu": torch.relu, "sigmoid": torch.sigmoid}.get(activation)
        self._normalises = batch_normalization

    def forward(self, x):
        x = super().forward(x)
        if self._normalises:
            x = self.batch_norm(x)
        return self._activation(x) if self._activation else self.prelu(x)


class Layers(nn.ModuleList):
    """Dense layers, with dropout after each."""

    def __init__(self, widths, activation, batch_normalization=False, dropout=0.0):
        super().__init__(Layer(*pair, activation, batch_normalization) for pair in zip(widths, widths[1:]))
        self._dropout = dropout

    def forward(self, x):
        for layer in self:
            x = nn.functional.dropout(layer(x), self._dropout, self.training)
        return x


class Deep(Tables):
    """Embeddings and numbers through dense layers: what all deep parts here share."""

    def __init__(self, tables, uses, width, options, dropout):
        """
        Args:
            tables: name -> (rows, width)
            uses: (feature, table, combiner)s or (feature, None, dimension)s
            width: of what the layers take
            options: the spec's deep part
        """
        super().__init__(tables, 0.05)
        self.uses = uses
        widths = [width] + options.get("hidden_units", [])
        self.layers = Layers(widths, options.get("activation"), options.get("batch_normalization", False), dropout)

    def fields(self, batch):
        """Of every id feature, [B, width]"""
        return [self.look_up(table, batch[feature], combiner) for feature, table, combiner in self.uses if table]

    def values(self, batch):
        """Of every feature in their order, [B, width or dimension]"""
        return [self.look_up(table, batch[feature], combiner) if table else batch[feature]
                for feature, table, combiner in self.uses]


class SpecReader:
    """What the parts above are made of, by a spec."""

    def __init__(self, spec):
        self._features = {reference(feature): feature for feature in spec["features"]}
        self._spec = spec

    def feature(self, name):
        """By the name that the spec refers to it by."""
        return self._features[name[len("candidate."):] if name.startswith("candidate.") else name]

    def row_count(self, feature):
        if feature["type"] == "crossed":
            return math.prod(self.row_count(self.feature(operand)) for operand in feature["of"])
        return row_count(feature["vocabulary"])

    def uses(self, part):
        """(feature, table, combiner)s and (feature, None, dimension)s of a part, in their order."""
        for name in self._spec[part]["features"]:
            feature = self.feature(name)
            if feature["type"] == "numeric":
                yield reference(feature), None, feature["dimension"]
            else:
                yield reference(feature), self.table(name), feature.get("combiner")

    def table(self, name):
        return self.feature(name).get("embedding", {}).get("table", name)

    def width(self, name):
        """Of a feature's value."""
        feature = self.feature(name)
        return feature["dimension"] if feature["type"] == "numeric" else feature["embedding"]["dimension"]

    def wide(self):
        uses = list(self.uses("wide"))
        return Wide({table: self.row_count(self.feature(name)) for name, table, _ in uses if table},
                    [use for use in uses if use[1]],
                    [(name, dimension) for name, table, dimension in uses if not table])

    def deep(self, width, dropout):
        """width: of what the layers take."""
        uses = list(self.uses("deep"))
        tables = {table: (self.row_count(self.feature(name)), self.width(name)) for name, table, _ in uses if table}
        return Deep(tables, uses, width, self._spec["deep"], dropout)

    def deep_width(self):
        """Of all features of the deep part, concatenated."""
        return sum(self.width(name) for name in self._spec["deep"]["features"])

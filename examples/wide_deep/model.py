"""Wide&Deep in PyTorch. The names in its state_dict are those of Handpick's own layout, so that it is saved as it is.

A batch is a dict: name of an id feature -> [B] rows, or ([B, T] rows, [B, T] mask) when it has several; name of a
numeric feature -> [B, dimension] transformed numbers. The deep input is the concatenation of the deep features in their
order.
"""

import torch
from torch import nn


class _Tables(nn.Module):
    """embedding.<table>.weight"""

    def __init__(self, tables, deviation):
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


class _Numeric(nn.Module):
    """numeric.weight"""

    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(width))


class Wide(_Tables):
    """A weight per id and per number, and a bias."""

    def __init__(self, tables, uses, numbers):
        """tables: name -> rows; uses: (feature, table, combiner)s; numbers: (feature, dimension)s."""
        super().__init__({name: (rows, 1) for name, rows in tables.items()}, 0.01)
        self.uses, self.numbers = uses, numbers
        self.numeric = _Numeric(sum(dimension for _, dimension in numbers))
        self.bias = nn.Parameter(torch.zeros(1))

    def forward(self, batch):
        logit = self.bias + torch.cat([batch[name] for name, _ in self.numbers], dim=1) @ self.numeric.weight
        for feature, table, combiner in self.uses:
            logit = logit + self.look_up(table, batch[feature], combiner).squeeze(1)
        return logit


class _Layer(nn.Linear):
    """layers.<i>.weight, .bias, .batch_norm.*"""

    def __init__(self, inputs, outputs):
        super().__init__(inputs, outputs)
        self.batch_norm = nn.BatchNorm1d(outputs)

    def forward(self, x):
        return torch.relu(self.batch_norm(super().forward(x)))


class Deep(_Tables):
    """Embeddings and numbers, concatenated, through dense layers."""

    def __init__(self, tables, uses, hidden_units, dropout):
        """tables: name -> (rows, width); uses: (feature, table, combiner)s or (feature, None, dimension)s."""
        super().__init__(tables, 0.05)
        self.uses = uses
        width = sum(tables[table][1] if table else dimension for _, table, dimension in uses)
        widths = [width] + list(hidden_units)
        self.layers = nn.ModuleList(_Layer(*pair) for pair in zip(widths, widths[1:]))
        self.dropout = nn.Dropout(dropout)

    def forward(self, batch):
        parts = [self.look_up(table, batch[feature], combiner) if table else batch[feature]
                 for feature, table, combiner in self.uses]
        x = torch.cat(parts, dim=1)
        for layer in self.layers:
            x = self.dropout(layer(x))
        return x


class WideDeep(nn.Module):
    """logit = wide + head(deep)"""

    def __init__(self, wide, deep):
        super().__init__()
        self.wide, self.deep = wide, deep
        self.head = nn.Linear(deep.layers[-1].out_features, 1)

    def forward(self, batch):
        """[B] logits"""
        return self.wide(batch) + self.head(self.deep(batch)).squeeze(1)

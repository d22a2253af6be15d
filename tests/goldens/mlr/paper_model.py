"""Equation 2 of Gai et al., arXiv:1704.05194, in torch, with the names of layout handpick.

The library's model of that name has no weights of the pieces' own, so that it cannot be asked for this one.
"""

import numpy as np
import torch
from torch import nn

import maker
from columns import Dense, random_rows


class Linear(nn.Module):
    """u x: a row of each id, and a weight of each number."""

    def __init__(self, columns, outputs):
        super().__init__()
        self.columns = columns
        ids = [column for column in columns if not isinstance(column, Dense)]
        self.embedding = nn.ModuleDict({column.table: nn.Embedding(column.size, outputs) for column in ids})
        numbers = sum(column.dimension for column in columns if isinstance(column, Dense))
        self.numeric = nn.Linear(numbers, outputs, bias=False) if numbers else None
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, rows):
        total = self.bias
        for column in self.columns:
            if not isinstance(column, Dense):
                total = total + self.embedding[column.table](torch.tensor([row[column.key] for row in rows]))
        if self.numeric is None:
            return total
        numbers = [[np.reshape(row[c.key], -1) for c in self.columns if isinstance(c, Dense)] for row in rows]
        return total + self.numeric(torch.tensor(np.array([np.concatenate(row) for row in numbers]), dtype=torch.float32))


class PiecewiseLinear(nn.Module):
    """p(y = 1 | x) = sum over i of softmax(u x)_i sigmoid(w_i x); times sigmoid(v x), if there are bias columns."""

    def __init__(self, variant):
        super().__init__()
        by_key = {column.key: column for column in variant.columns}

        def linear(keys, outputs):
            return Linear([by_key[key] for key in keys], outputs)

        self.piecewise = nn.ModuleDict({"region": linear(variant.region, variant.pieces),
                                        "base": linear(variant.base or variant.region, variant.pieces)})
        if variant.bias:
            self.piecewise["factor"] = linear(variant.bias, 1)
        self.task = variant.task

    def forward(self, rows):
        weights = torch.softmax(self.piecewise["region"](rows), dim=1)
        pieces = self.piecewise["base"](rows)
        if self.task == "binary":
            pieces = torch.sigmoid(pieces)
        total = (weights * pieces).sum(dim=1)
        if "factor" in self.piecewise:
            total = total * torch.sigmoid(self.piecewise["factor"](rows)[:, 0])
        return total

    def predict(self, rows):
        with torch.no_grad():
            return self(rows).numpy()


def make(variant, seed, rng):
    torch.manual_seed(seed)
    model = PiecewiseLinear(variant)
    _, rows = random_rows(variant.columns, maker.TRAINING_ROWS, rng, training=True)
    target = maker.signal(variant.columns, rows, rng)
    if variant.task == "binary":
        target = rng.random(maker.TRAINING_ROWS) < 1 / (1 + np.exp(-target))
    target = torch.tensor(np.array(target, dtype=np.float32))
    loss = nn.BCELoss() if variant.task == "binary" else nn.MSELoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    for begin in range(0, maker.TRAINING_ROWS, maker.BATCH):
        optimizer.zero_grad()
        loss(model(rows[begin:begin + maker.BATCH]), target[begin:begin + maker.BATCH]).backward()
        optimizer.step()
    return model

"""Models that no library has, in PyTorch, from their papers: what their make_goldens.py share.

A model is a torch.nn.Module that reads columns (columns.py) by the numbers that a trainer sees. Parameters have the names
of layout handpick.
"""

import numpy as np
import torch

import maker
from columns import Dense, History, Sequence, random_rows, to_matrix_columns


class OwnModel(torch.nn.Module):
    """Tables, the linear part and the pooling that all models have."""

    def __init__(self, variant, width, seed):
        """width: of a row of the deep tables."""
        super().__init__()
        self.variant = variant
        self.columns = {column.key: column for column in variant.columns}
        self._generator = torch.Generator().manual_seed(seed)
        self._parameters_by_name = {}
        for key, _ in map(maker.use, variant.deep):
            if not isinstance(self.columns[key], Dense):
                self.add(f"deep.embedding.{self.columns[key].table}.weight", (self.columns[key].size, width), 0.4)
        numbers = 0
        for key, _ in map(maker.use, variant.wide):
            column = self.columns[key]
            if isinstance(column, Dense):
                numbers += column.dimension
            else:
                self.add(f"wide.embedding.{column.table}.weight", (column.size, 1), 0.3)
        if numbers:
            self.add("wide.numeric.weight", (1, numbers), 0.3)
        if variant.wide:
            self.add("wide.bias", (1,), 0.3)

    def add(self, name, shape, scale):
        """Makes a parameter; the first of a name stays."""
        if name not in self._parameters_by_name:
            numbers = scale * torch.randn(shape, generator=self._generator)
            self._parameters_by_name[name] = torch.nn.Parameter(numbers)
            self.register_parameter(name.replace(".", "/"), self._parameters_by_name[name])

    def tensor(self, name):
        return self._parameters_by_name[name]

    def tensors(self):
        return {name: parameter.detach().numpy() for name, parameter in self._parameters_by_name.items()}

    def pooled(self, table, key, combiner, seen):
        """[rows, width of the table]"""
        column = self.columns[key]
        rows = self.tensor(table)[seen[key].long()]
        if not isinstance(column, (Sequence, History)):
            return rows
        if column.length:
            length = seen[column.length]
            mask = torch.arange(column.maxlen)[None, :] < length[:, None]
            count = length
        else:
            mask = seen[key] != 0
            count = mask.sum(dim=1)
        combiner = combiner or column.combiner
        assert combiner in ("sum", "mean"), combiner
        total = (rows * mask[:, :, None]).sum(dim=1)
        return total / count.clamp(min=1)[:, None] if combiner == "mean" else total

    def linear(self, seen):
        """[rows]: the linear part."""
        total, numbers = torch.zeros(len(next(iter(seen.values())))), []
        for key, combiner in map(maker.use, self.variant.wide):
            if isinstance(self.columns[key], Dense):
                numbers.append(seen[key].reshape(len(total), -1))
            else:
                total = total + self.pooled(f"wide.embedding.{self.columns[key].table}.weight", key, combiner, seen)[:, 0]
        if numbers:
            total = total + torch.cat(numbers, dim=1) @ self.tensor("wide.numeric.weight")[0]
        return total + self.tensor("wide.bias") if self.variant.wide else total

    def fields(self, seen):
        """The embeddings of the deep features with ids, in their order."""
        return [self.pooled(f"deep.embedding.{self.columns[key].table}.weight", key, combiner, seen)
                for key, combiner in map(maker.use, self.variant.deep) if not isinstance(self.columns[key], Dense)]

    def numbers(self, seen):
        return [seen[key].reshape(len(seen[key]), -1) for key, _ in map(maker.use, self.variant.deep)
                if isinstance(self.columns[key], Dense)]


def train(model, variant, rng, learning_rate=0.02):
    """Two epochs of Adam."""
    _, seens = random_rows(variant.columns, maker.TRAINING_ROWS, rng, training=True)
    target = maker.signal(variant.columns, seens, rng)
    target = torch.tensor((rng.random(len(target)) < 1 / (1 + np.exp(-target))).astype(np.float32))
    seen = as_tensors(seens)
    optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate)
    for _ in range(2):
        for start in range(0, len(target), maker.BATCH):
            part = {key: value[start:start + maker.BATCH] for key, value in seen.items()}
            optimizer.zero_grad()
            loss = torch.nn.functional.binary_cross_entropy_with_logits(model(part), target[start:start + maker.BATCH])
            loss.backward()
            optimizer.step()


def as_tensors(seens):
    return {key: torch.tensor(value) for key, value in to_matrix_columns(seens).items()}


def logits_of(model, seens):
    with torch.no_grad():
        return model(as_tensors(seens)).numpy().astype(np.float32).reshape(-1)


def requests_of(model, variant, rng):
    make = maker.make_requests_by_events if variant.max_events else maker.make_requests
    return make(model, variant, rng, logits=logits_of)


def spec_head(variant, kind):
    """As the maker's; here nothing pads unless the spec says so."""
    spec = maker.spec_head(variant, kind)
    spec["layout"] = "handpick"
    for feature in spec["features"]:
        if feature["type"] == "multi_categorical" and "length" not in feature:
            feature["padding_row"] = 0
    return spec

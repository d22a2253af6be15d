"""Golden models that DeepCTR-Torch does not have: written down from their papers in torch, and asked there.

A folder's make_goldens.py says what each variant computes, in torch, from a Net, which makes a tensor of layout handpick
where one of its name is first wanted, and a Batch of candidates. What is written: files.py. The same versions write the
same bytes.
"""

import argparse
import dataclasses
import os

import numpy as np
import torch
import torch.nn.functional as F

from columns import Dense, History, Sequence, random_rows
from files import request_of, write_requests, write_spec, write_weights

SINGLE_REQUESTS = 8
MANY_CANDIDATES = 200


@dataclasses.dataclass
class Variant:
    name: str
    columns: list
    parts: dict  # Sections of the spec.
    task: str = "binary"
    weights: str = "safetensors"  # Or "npz", "npz_deflated".
    max_events: int = 0


class Net:
    """The tensors of a model, by their names."""

    def __init__(self, seed):
        self.tensors = {}
        self._generator = torch.Generator().manual_seed(seed)

    def get(self, name, shape, scale=1.0, centre=0.0):
        if name not in self.tensors:
            self.tensors[name] = centre + scale * torch.randn(tuple(shape), generator=self._generator)
        assert self.tensors[name].shape == torch.Size(shape), name
        return self.tensors[name]

    def linear(self, name, x, outputs, gain=1.5):
        """x W^T + b of NAME.weight and NAME.bias."""
        weight = self.get(f"{name}.weight", (outputs, x.shape[1]), gain / x.shape[1] ** 0.5)
        return F.linear(x, weight, self.get(f"{name}.bias", (outputs,), 0.3))

    def normalised(self, name, x, epsilon=1e-5):
        """Batch normalisation by running statistics."""
        n = (x.shape[1],)
        mean, scale = self.get(f"{name}.running_mean", n, 0.3), self.get(f"{name}.weight", n, 0.3, 1.0)
        if f"{name}.running_var" not in self.tensors:
            self.tensors[f"{name}.running_var"] = self.get("variance", n, 0.2, 1.0).abs() + 0.2
            del self.tensors["variance"]
            self.tensors[f"{name}.num_batches_tracked"] = torch.tensor(7)
        return F.batch_norm(x, mean, self.tensors[f"{name}.running_var"], scale, self.get(f"{name}.bias", n, 0.3),
                            training=False, eps=epsilon)

    def activated(self, name, x, activation):
        if activation == "prelu":
            return F.prelu(x, self.get(f"{name}.prelu.weight", (1,), 0.1, 0.25))
        return {"relu": torch.relu, "sigmoid": torch.sigmoid, "tanh": torch.tanh, "linear": lambda y: y}[activation](x)

    def layers(self, network, x, section):
        """The hidden layers that a section of a spec describes."""
        for i, units in enumerate(section["hidden_units"]):
            name = f"{network}.layers.{i}"
            x = self.linear(name, x, units)
            if section.get("batch_normalization"):
                x = self.normalised(f"{name}.batch_norm", x)
            x = self.activated(name, x, section.get("activation", "relu"))
        return x

    def head(self, parts, name="head"):
        return self.linear(name, torch.cat(parts, dim=1), 1)[:, 0]


class Batch:
    """Rows of candidates, as torch gets them; features by their keys."""

    def __init__(self, variant, seens):
        self.columns = {column.key: column for column in variant.columns}
        self._seens = seens

    def numbers(self, key):
        values = np.array([seen[key] for seen in self._seens], dtype=np.float32).reshape(len(self._seens), -1)
        return torch.from_numpy(values)

    def ids(self, key):
        return torch.tensor(np.array([seen[key] for seen in self._seens], dtype=np.int64))

    def events(self):
        """[rows, most events]: which of them there are."""
        counts = torch.tensor([seen[History.length] for seen in self._seens])
        most = max(c.maxlen for c in self.columns.values() if isinstance(c, History))
        return (torch.arange(most)[None, :] < counts[:, None]).float()

    def embedded(self, net, key, table="deep.embedding.{}.weight", width=None):
        """A feature with ids, pooled if it has several."""
        column = self.columns[key]
        rows = net.get(table.format(column.table), (column.size, width or column.dimension))
        values = rows[self.ids(key)]
        if not isinstance(column, (Sequence, History)):
            return values
        # Row 0 pads a sequence; of events, all count.
        mask = self.events() if isinstance(column, History) else (self.ids(key) != 0).float()
        total = (values * mask[:, :, None]).sum(dim=1)
        if column.combiner == "sum":
            return total
        return total / mask.sum(dim=1).clamp(min=1)[:, None]

    def deep(self, net, keys):
        """[deep features], in their order."""
        return torch.cat([self.numbers(key) if isinstance(self.columns[key], Dense) else self.embedded(net, key)
                          for key in keys], dim=1)

    def wide(self, net, keys):
        """The linear part, with a bias."""
        dense = [key for key in keys if isinstance(self.columns[key], Dense)]
        total = net.get("wide.bias", (1,)) + sum(
            self.embedded(net, key, "wide.embedding.{}.weight", 1)[:, 0] for key in keys if key not in dense)
        if dense:
            numbers = torch.cat([self.numbers(key) for key in dense], dim=1)
            total = total + F.linear(numbers, net.get("wide.numeric.weight", (1, numbers.shape[1]), 0.5))[:, 0]
        return total


def spec_of(variant, kind):
    spec = {"model": {"name": variant.name, "version": "1", "kind": kind, "task": variant.task}, "layout": "handpick"}
    if variant.max_events:
        spec["history"] = {"max_events": variant.max_events}
    spec["features"] = []
    for column in variant.columns:
        feature = column.spec()
        if isinstance(column, Sequence):
            feature["padding_row"] = 0
        spec["features"].append(feature)
    return {**spec, **variant.parts}


def requests_of(net, variant, logits, rng):
    """One of one candidate and one of many, a few times; by the number of events, where there is a history."""
    most = variant.max_events
    counts = sorted({0, 1, 2, most - 1, most} & set(range(most + 1))) if most else [None]
    for events in counts:
        singles = SINGLE_REQUESTS if events is None else 2
        for count in [1] * singles + [MANY_CANDIDATES]:
            given = None if events is None else ({}, {History.length: events})
            shared = [c for c in variant.columns if c.side in ("context", "history")]
            raws, seens = random_rows(shared, 1, rng, False, given)
            raws, seens = random_rows(variant.columns, count, rng, False, (raws[0], seens[0]))
            with torch.no_grad():
                values = logits(net, Batch(variant, seens), variant.parts).numpy()
            yield request_of(variant, raws, values.astype(np.float32))


def write_goldens(directory, kind, variants, logits):
    """Writes the files of all `variants`.

    Args:
        directory: the folder of the calling script; --out overrides it.
        logits: (net, batch, sections of the spec) -> [candidates].
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", default=directory)
    out = parser.parse_args().out
    torch.set_num_threads(1)
    for index, variant in enumerate(variants):
        net, rng = Net(index), np.random.default_rng(2000 + index)
        requests = list(requests_of(net, variant, logits, rng))
        write_spec(os.path.join(out, f"{variant.name}.spec.json"), spec_of(variant, kind))
        path = write_weights(out, variant, {name: tensor.numpy() for name, tensor in net.tensors.items()})
        write_requests(out, variant, requests)
        values = np.concatenate([request["logits"] for request in requests if len(request["logits"]) > 3])
        print(f"{variant.name:36} {os.path.getsize(path):6d} bytes, logits {values.min():6.2f} .. {values.max():6.2f}")

"""Trains small PNNs with DeepCTR-Torch, and `own_*` from the paper; what is written: ../common/maker.py.

    PYTHONPATH=<checkout of DeepCTR-Torch 0.2.9> python3 make_goldens.py
"""

import itertools
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "common"))

import maker  # noqa: E402
import own_model  # noqa: E402
import torch  # noqa: E402
from columns import Dense  # noqa: E402
from variants import all_variants  # noqa: E402

from deepctr_torch.models import PNN  # noqa: E402


class OwnPnn(own_model.OwnModel):
    """Qu et al., ICDM 2016; the layers read embeddings, inner products, outer products, numbers."""

    def __init__(self, variant, seed):
        k = variant.columns[0].dimension
        super().__init__(variant, k, seed)
        columns = [self.columns[key] for key, _ in map(maker.use, variant.deep)]
        numbers = sum(column.dimension for column in columns if isinstance(column, Dense))
        fields = sum(not isinstance(column, Dense) for column in columns)
        pairs = fields * (fields - 1) // 2
        shape = {"num": (pairs, 1), "vec": (pairs, k), "mat": (pairs, k, k)}.get(variant.outer)
        if shape:
            self.add("products.outer.weight", shape, 0.5)
        width = fields * k + numbers + (pairs if variant.inner else 0)
        width += {"none": 0, "superposed": k * k}.get(variant.outer, pairs)
        for i, units in enumerate(variant.hidden_units):
            self.add(f"deep.layers.{i}.weight", (units, width), 1.2 / width**0.5)
            self.add(f"deep.layers.{i}.bias", (units,), 0.3)
            width = units
        self.add("head.weight", (1, width), 0.5)
        self.add("head.bias", (1,), 0.3)

    def outer(self, fields):
        if self.variant.outer == "superposed":  # Equation 13.
            total = sum(fields)
            return (total[:, :, None] * total[:, None, :]).flatten(start_dim=1)
        kernels = self.tensor("products.outer.weight")
        products = []
        for pair, (a, b) in enumerate(itertools.combinations(fields, 2)):
            if self.variant.outer == "mat":
                products.append(torch.einsum("ra,ab,rb->r", a, kernels[pair], b))
            else:
                products.append((a * kernels[pair] * b).sum(dim=1))
        return torch.stack(products, dim=1)

    def forward(self, seen):
        fields = self.fields(seen)
        parts = list(fields)
        if self.variant.inner:
            parts += [(a * b).sum(dim=1, keepdim=True) for a, b in itertools.combinations(fields, 2)]
        if self.variant.outer != "none":
            parts.append(self.outer(fields))
        x = torch.cat(parts + self.numbers(seen), dim=1)
        for i in range(len(self.variant.hidden_units)):
            x = torch.relu(x @ self.tensor(f"deep.layers.{i}.weight").T + self.tensor(f"deep.layers.{i}.bias"))
        return x @ self.tensor("head.weight")[0] + self.tensor("head.bias")


def make_model(variant, seed, rng):
    if variant.own:
        model = OwnPnn(variant, seed)
        own_model.train(model, variant, rng)
        return model
    model = PNN(maker.library_columns(variant, variant.deep), dnn_hidden_units=variant.hidden_units,
                dnn_activation=variant.activation, use_inner=variant.inner, use_outter=variant.outer != "none",
                kernel_type="mat" if variant.outer == "none" else variant.outer, task=variant.task, init_std=0.5, seed=seed)
    maker.spread(model, seed)
    maker.train(model, variant, rng)
    return model


def spec_of(variant):
    spec = own_model.spec_head(variant, "pnn") if variant.own else maker.spec_head(variant, "pnn")
    spec["deep"] = {"features": maker.spec_uses(variant, variant.deep), "hidden_units": list(variant.hidden_units),
                    "activation": variant.activation}
    spec["products"] = {"inner": variant.inner, "outer": variant.outer}
    return spec


def requests_of(model, variant, rng):
    if variant.own:
        return own_model.requests_of(model, variant, rng)
    make = maker.make_requests_by_events if variant.max_events else maker.make_requests
    return make(model, variant, rng)


def tensors_for(model, variant):
    return model.tensors() if variant.own else maker.tensors_of(model)


if __name__ == "__main__":
    maker.write_goldens(HERE, all_variants(), make_model, spec_of, requests_of, tensors_for)

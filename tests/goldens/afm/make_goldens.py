"""Trains small AFMs with DeepCTR-Torch, and `own` from the paper; what is written: ../common/maker.py.

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
from variants import all_variants  # noqa: E402

from deepctr_torch.models import AFM  # noqa: E402


class OwnAfm(own_model.OwnModel):
    """Xiao et al., IJCAI 2017, equations 5 and 6."""

    def __init__(self, variant, seed):
        width = variant.columns[0].dimension
        super().__init__(variant, width, seed)
        units = variant.attention_factor
        self.add("attention.layers.0.weight", (units, width), 0.6)
        self.add("attention.layers.0.bias", (units,), 0.3)
        self.add("attention.head.weight", (1, units), 0.6)
        self.add("head.weight", (1, width), 0.6)
        self.add("head.bias", (1,), 0.3)

    def forward(self, seen):
        products = torch.stack([a * b for a, b in itertools.combinations(self.fields(seen), 2)], dim=1)
        hidden = torch.relu(products @ self.tensor("attention.layers.0.weight").T +
                            self.tensor("attention.layers.0.bias"))
        weights = torch.softmax(hidden @ self.tensor("attention.head.weight")[0], dim=1)
        mean = (weights[:, :, None] * products).sum(dim=1)
        return self.linear(seen) + mean @ self.tensor("head.weight")[0] + self.tensor("head.bias")


def make_model(variant, seed, rng):
    if variant.own:
        model = OwnAfm(variant, seed)
        own_model.train(model, variant, rng)
        return model
    model = AFM(maker.library_columns(variant, variant.wide), maker.library_columns(variant, variant.deep),
                attention_factor=variant.attention_factor, task=variant.task, init_std=0.5, seed=seed)
    maker.spread(model, seed)
    maker.train(model, variant, rng)
    return model


def spec_of(variant):
    spec = own_model.spec_head(variant, "afm") if variant.own else maker.spec_head(variant, "afm")
    if variant.wide:
        spec["wide"] = {"features": maker.spec_uses(variant, variant.wide)}
    spec["deep"] = {"features": maker.spec_uses(variant, variant.deep)}
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

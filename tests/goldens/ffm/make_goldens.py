"""Trains small FFMs, written here from the paper (Juan et al., RecSys 2016, equation 4): no library at hand has them.

    PYTHONPATH=<checkout of DeepCTR-Torch 0.2.9> python3 make_goldens.py
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "common"))

import maker  # noqa: E402
import own_model  # noqa: E402
from variants import all_variants  # noqa: E402


class Ffm(own_model.OwnModel):
    """A row of field i holds its vector toward field 0, then toward field 1, ..."""

    def __init__(self, variant, seed):
        self.vector = variant.vector
        super().__init__(variant, variant.columns[0].dimension, seed)

    def forward(self, seen):
        fields = self.fields(seen)
        vectors = [field.reshape(len(field), len(fields), self.vector) for field in fields]
        total = self.linear(seen)
        for i in range(len(fields)):
            for j in range(i + 1, len(fields)):
                total = total + (vectors[i][:, j] * vectors[j][:, i]).sum(dim=1)
        return total


def make_model(variant, seed, rng):
    model = Ffm(variant, seed)
    own_model.train(model, variant, rng)
    return model


def spec_of(variant):
    spec = own_model.spec_head(variant, "ffm")
    if variant.wide:
        spec["wide"] = {"features": maker.spec_uses(variant, variant.wide)}
    spec["deep"] = {"features": maker.spec_uses(variant, variant.deep)}
    return spec


if __name__ == "__main__":
    maker.write_goldens(HERE, all_variants(), make_model, spec_of, own_model.requests_of,
                        lambda model, variant: model.tensors())

"""Trains small factorization machines with DeepCTR-Torch; what is written: ../common/maker.py.

    PYTHONPATH=<checkout of DeepCTR-Torch 0.2.9> python3 make_goldens.py
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "common"))

import maker  # noqa: E402
from variants import all_variants  # noqa: E402

from deepctr_torch.models import AFM, DeepFM  # noqa: E402


def make_model(variant, seed, rng):
    wide, deep = (maker.library_columns(variant, uses) for uses in (variant.wide, variant.deep))
    if variant.library_class == "AFM":
        model = AFM(wide, deep, use_attention=False, task=variant.task, init_std=0.5, seed=seed)
    else:
        model = DeepFM(wide, deep, dnn_hidden_units=(), task=variant.task, init_std=0.5, seed=seed)
    maker.spread(model, seed)
    maker.train(model, variant, rng)
    return model


def spec_of(variant):
    spec = maker.spec_head(variant, "fm")
    if variant.wide:
        spec["wide"] = {"features": maker.spec_uses(variant, variant.wide)}
    spec["deep"] = {"features": maker.spec_uses(variant, variant.deep)}
    return spec


def requests_of(model, variant, rng):
    make = maker.make_requests_by_events if variant.max_events else maker.make_requests
    return make(model, variant, rng)


if __name__ == "__main__":
    maker.write_goldens(HERE, all_variants(), make_model, spec_of, requests_of)

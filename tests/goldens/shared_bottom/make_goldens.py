"""Trains small shared-bottom models with DeepCTR-Torch; what is written: ../common/maker.py.

    PYTHONPATH=<checkout of DeepCTR-Torch 0.2.9> python3 make_goldens.py
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "common"))

import maker  # noqa: E402
import tasks  # noqa: E402
from variants import all_variants  # noqa: E402

from deepctr_torch.models import SharedBottom  # noqa: E402


def make_model(variant, seed, rng):
    model = SharedBottom(maker.library_columns(variant, variant.deep), bottom_dnn_hidden_units=variant.bottom_units,
                         tower_dnn_hidden_units=variant.tower_units, dnn_activation=variant.activation,
                         dnn_use_bn=variant.batch_normalization, init_std=0.5, seed=seed,
                         task_types=[task for _, task in variant.tasks], task_names=[name for name, _ in variant.tasks])
    maker.spread(model, seed)
    tasks.train(model, variant, rng)
    return model


def spec_of(variant):
    spec = tasks.spec_head(variant, "shared_bottom")
    spec["deep"] = {"features": maker.spec_uses(variant, variant.deep), "hidden_units": list(variant.bottom_units),
                    "activation": variant.activation, "batch_normalization": variant.batch_normalization}
    spec["tasks"] = {"hidden_units": list(variant.tower_units)}
    return spec


def requests_of(model, variant, rng):
    make = maker.make_requests_by_events if variant.max_events else maker.make_requests
    return make(model, variant, rng, logits=tasks.logits_of(variant))


if __name__ == "__main__":
    maker.write_goldens(HERE, all_variants(), make_model, spec_of, requests_of, tasks.tensors_for)

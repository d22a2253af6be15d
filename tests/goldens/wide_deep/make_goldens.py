"""Trains small Wide&Deep models with DeepCTR-Torch; what is written: ../common/maker.py.

    PYTHONPATH=<checkout of DeepCTR-Torch 0.2.9> python3 make_goldens.py
"""

import os
import sys

import torch

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "common"))

import maker  # noqa: E402
from variants import all_variants  # noqa: E402

from deepctr_torch.models import WDL  # noqa: E402


def make_model(variant, seed, rng):
    model = WDL(maker.library_columns(variant, variant.wide), maker.library_columns(variant, variant.deep),
                dnn_hidden_units=variant.hidden_units, dnn_activation=variant.activation,
                dnn_use_bn=variant.batch_normalization, task=variant.task, init_std=0.4, seed=seed)
    for parameter in model.linear_model.parameters():  # The library starts these at 1e-4 whatever init_std says.
        torch.nn.init.normal_(parameter, std=0.3)
    if variant.wide or variant.deep:
        maker.train(model, variant, rng)
    return model


def spec_of(variant):
    spec = maker.spec_head(variant, "wide_deep")
    spec["wide"] = {"features": maker.spec_uses(variant, variant.wide)}
    if variant.deep:
        spec["deep"] = {"features": maker.spec_uses(variant, variant.deep), "hidden_units": list(variant.hidden_units),
                        "activation": variant.activation, "batch_normalization": variant.batch_normalization}
    return spec


if __name__ == "__main__":
    maker.write_goldens(HERE, all_variants(), make_model, spec_of, maker.make_requests)

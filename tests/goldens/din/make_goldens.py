"""Trains small DIN models with DeepCTR-Torch; what is written: ../common/maker.py.

    PYTHONPATH=<checkout of DeepCTR-Torch 0.2.9> python3 make_goldens.py
"""

import os
import sys

import torch

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "common"))

import maker  # noqa: E402
from attending import library_columns, spec_of  # noqa: E402
from variants import all_variants  # noqa: E402

from deepctr_torch.models import DIN  # noqa: E402


def make_model(variant, seed, rng):
    model = DIN(library_columns(variant), list(variant.attended), dnn_use_bn=variant.batch_normalization,
                dnn_hidden_units=variant.hidden_units, dnn_activation=variant.activation,
                att_hidden_size=variant.attention_units, att_activation=variant.attention_activation,
                att_weight_normalization=variant.softmax, task=variant.task, init_std=0.5, seed=seed)
    maker.spread(model, seed)
    maker.train(model, variant, rng, learning_rate=0.01)
    if variant.small_variance:
        unit = model.attention.local_att.dnn
        norm = unit.activation_layers[0].bn
        with torch.no_grad():
            for tensor in (unit.linears[0].weight, unit.linears[0].bias, norm.running_mean):
                tensor.mul_(1e-3)
            norm.running_var.mul_(1e-6)
            unit.linears[1].weight.mul_(1e3)
    return model


if __name__ == "__main__":
    maker.write_goldens(HERE, all_variants(), make_model, lambda variant: spec_of(variant, "din"),
                        maker.make_requests_by_events)

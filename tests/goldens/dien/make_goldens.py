"""Trains small DIEN models with DeepCTR-Torch; what is written: ../common/maker.py.

    PYTHONPATH=<checkout of DeepCTR-Torch 0.2.9> python3 make_goldens.py
"""

import os
import sys

import numpy as np
import torch

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "common"))

import attending  # noqa: E402
import maker  # noqa: E402
from columns import History  # noqa: E402
from variants import all_variants  # noqa: E402

from deepctr_torch.models import DIEN  # noqa: E402

_CELL = "interest_evolution.interest_evolution.rnn."


def make_model(variant, seed, rng):
    model = DIEN(attending.library_columns(variant), list(variant.attended), gru_type=variant.cell,
                 use_negsampling=variant.negative_sampling, use_bn=variant.batch_normalization,
                 dnn_hidden_units=variant.hidden_units, dnn_activation=variant.activation,
                 att_hidden_units=variant.attention_units, att_activation=variant.attention_activation,
                 att_weight_normalization=variant.softmax, task=variant.task, init_std=0.5, seed=seed)
    maker.spread(model, seed)
    maker.train(model, variant, rng, learning_rate=0.01)
    if variant.unequal_biases:  # What the library makes of the file that tensors_of() gives.
        model.load_state_dict({name: torch.from_numpy(tensor) for name, tensor in tensors_of(model, variant).items()})
    return model


def tensors_of(model, variant):
    tensors = maker.tensors_of(model)
    if variant.cell == "AUGRU":
        assert np.array_equal(tensors[_CELL + "bias_ih"], tensors[_CELL + "bias_hh"])
    if variant.unequal_biases:
        tensors[_CELL + "bias_ih"] = tensors[_CELL + "bias_ih"][::-1].copy() + np.float32(0.5)
    return tensors


def spec_of(variant):
    spec = attending.spec_of(variant, "dien")
    spec["evolution"] = {"cell": variant.cell}
    if variant.negative_sampling:
        spec["evolution"]["negative_sampling"] = True
    return spec


def logits_of(model, seens):
    """The library cannot be asked for rows without events alone: one with an event goes with them."""
    if seens[0][History.length] > 0:
        return maker.logits_of(model, seens)
    return maker.logits_of(model, seens + [{**seens[0], History.length: 1}])[:-1]


def requests_of(model, variant, rng):
    return maker.make_requests_by_events(model, variant, rng, logits_of)


if __name__ == "__main__":
    maker.write_goldens(HERE, all_variants(), make_model, spec_of, requests_of, tensors_of)

"""Trains small DCN models with DeepCTR-Torch; what is written: ../common/maker.py. Those that the library does not have
come from make_others.py.

    PYTHONPATH=<checkout of DeepCTR-Torch 0.2.9> python3 make_goldens.py
"""

import os
import sys

import torch

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "common"))

import maker  # noqa: E402
from variants import all_variants  # noqa: E402

from deepctr_torch.models import dcn  # noqa: E402


def without_refusal(block):
    """The library's DNN block, or nothing where there are no hidden units, which the block refuses."""
    def make(inputs_dim, hidden_units, *args, **kwargs):
        return block(inputs_dim, hidden_units, *args, **kwargs) if hidden_units else torch.nn.Identity()
    return make


def make_model(variant, seed, rng):
    model = dcn.DCN(maker.library_columns(variant, variant.wide), maker.library_columns(variant, variant.deep),
                    cross_num=variant.cross_layers, cross_parameterization=variant.parameterization,
                    dnn_hidden_units=variant.hidden_units, dnn_activation=variant.activation,
                    dnn_use_bn=variant.batch_normalization, task=variant.task, init_std=0.5, seed=seed)
    maker.spread(model, seed)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():  # Weights of a usual size; products of many would grow beyond it.
        for parameter in (model.crossnet.kernels, model.crossnet.bias):
            width = parameter.shape[1]
            parameter.copy_(0.5 / width ** 0.5 * torch.randn(parameter.shape, generator=generator))
    maker.train(model, variant, rng)
    return model


def spec_of(variant):
    spec = maker.spec_head(variant, "dcn")
    spec["wide"] = {"features": maker.spec_uses(variant, variant.wide)}
    spec["deep"] = {"features": maker.spec_uses(variant, variant.deep), "hidden_units": list(variant.hidden_units),
                    "activation": variant.activation, "batch_normalization": variant.batch_normalization}
    if variant.cross_layers:
        spec["cross"] = {"layers": variant.cross_layers, "parameterization": variant.parameterization}
    return spec


def requests_of(model, variant, rng):
    make = maker.make_requests_by_events if variant.max_events else maker.make_requests
    return make(model, variant, rng)


if __name__ == "__main__":
    dcn.DNN = without_refusal(dcn.DNN)
    maker.write_goldens(HERE, all_variants(), make_model, spec_of, requests_of)

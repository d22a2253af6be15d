"""Trains small ESMM models with DeepCTR-Torch; what is written: ../common/maker.py.

    PYTHONPATH=<checkout of DeepCTR-Torch 0.2.9> python3 make_goldens.py
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "common"))

import maker  # noqa: E402
import tasks  # noqa: E402
from variants import all_variants  # noqa: E402

from deepctr_torch.models import ESMM  # noqa: E402

import numpy as np  # noqa: E402


def make_model(variant, seed, rng):
    model = ESMM(maker.library_columns(variant, variant.deep), tower_dnn_hidden_units=variant.hidden_units,
                 dnn_activation=variant.activation, dnn_use_bn=variant.batch_normalization, init_std=0.5, seed=seed)
    maker.spread(model, seed)
    tasks.train(model, variant, rng)
    return model


def spec_of(variant):
    spec = tasks.spec_head(variant, "esmm")
    del spec["model"]["outputs"]
    spec["deep"] = {"features": maker.spec_uses(variant, variant.deep), "hidden_units": list(variant.hidden_units),
                    "activation": variant.activation, "batch_normalization": variant.batch_normalization}
    return spec


def logits_of(model, seens):
    """The logits of both networks, and the logarithm of the library's second answer, the product."""
    product = tasks.predict(model, seens)[:, 1].astype(np.float64)
    said = []  # What the output layer makes of each network: without the sigmoid, its logit.
    hook = model.out.register_forward_hook(lambda layer, given, output: said.append(output.detach().numpy().copy()))
    model.out.task = "regression"
    tasks.predict(model, seens)
    model.out.task = "binary"
    hook.remove()
    ctr, cvr = (logits[:len(seens), 0] for logits in said)
    return {"ctr": ctr, "cvr": cvr, "ctcvr": np.log(product).astype(np.float32)}


def requests_of(model, variant, rng):
    make = maker.make_requests_by_events if variant.max_events else maker.make_requests
    return make(model, variant, rng, logits=logits_of)


if __name__ == "__main__":
    maker.write_goldens(HERE, all_variants(), make_model, spec_of, requests_of, tasks.tensors_for)

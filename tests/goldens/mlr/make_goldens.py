"""Trains small piece-wise linear models, with DeepCTR-Torch and as their paper has them; see ../common/maker.py.

    PYTHONPATH=<checkout of DeepCTR-Torch 0.2.9> python3 make_goldens.py
"""

import os
import sys

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "common"))

import maker  # noqa: E402
import paper_model  # noqa: E402
from columns import to_matrix_columns  # noqa: E402
from variants import all_variants  # noqa: E402

from deepctr_torch.models import MLR  # noqa: E402


def make_model(variant, seed, rng):
    if variant.layout == "handpick":
        return paper_model.make(variant, seed, rng)
    model = MLR(maker.library_columns(variant, variant.region),
                maker.library_columns(variant, variant.base) or None,
                maker.library_columns(variant, variant.bias) or None,
                region_num=variant.pieces, init_std=0.5, seed=seed, task=variant.task)
    maker.spread(model, seed)
    maker.train(model, variant, rng)
    return model


def spec_of(variant):
    spec = maker.spec_head(variant, "mlr")
    spec["layout"] = variant.layout
    for feature in spec["features"]:  # Its tables have the widths that the model gives them.
        feature.get("embedding", {}).pop("dimension", None)
    spec["piecewise"] = {"count": variant.pieces, "features": maker.spec_uses(variant, variant.region)}
    if variant.base and variant.layout == "handpick":
        spec["piecewise"]["base_features"] = maker.spec_uses(variant, variant.base)
    if variant.bias:
        spec["piecewise"]["bias_features"] = maker.spec_uses(variant, variant.bias)
    return spec


def outputs_of(model, seens):
    """Probabilities (or values) themselves: there is no logit that a sigmoid is applied to last."""
    if isinstance(model, paper_model.PiecewiseLinear):
        return model.predict(seens)
    model.eval()
    return model.predict(to_matrix_columns(seens)).astype(np.float32).reshape(-1)


def requests_of(model, variant, rng):
    make = maker.make_requests_by_events if variant.max_events else maker.make_requests
    return make(model, variant, rng, logits=outputs_of)


if __name__ == "__main__":
    maker.write_goldens(HERE, all_variants(), make_model, spec_of, requests_of)

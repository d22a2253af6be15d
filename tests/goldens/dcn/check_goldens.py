"""Recomputes every golden logit of DCN with numpy alone; how: ../common/recompute.py.

    python3 check_goldens.py [DIRECTORY]
"""

import os
import sys

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "common"))

import recompute  # noqa: E402

# Names of layout handpick, and the library's.
_NAMES = (("deep.embedding.", "embedding_dict."), ("wide.embedding.", "linear_model.embedding_dict."),
          ("head.weight", "dnn_linear.weight"), ("head.bias", "out.bias"))
_KINDS = {"batch_norm": "bn", "prelu": "activation_layers"}


def with_library_names(model):
    """Gives a model of layout handpick the library's names."""
    weights = model.weights
    if model.spec["layout"] != "handpick" or "out.bias" in weights:
        return
    for name in list(weights):
        parts = name.split(".")
        if parts[:2] == ["deep", "layers"]:
            kind = _KINDS.get(parts[3], "linears")
            rest = parts[4:] if parts[3] in _KINDS else parts[3:]
            weights[".".join(["dnn", kind, parts[2], *rest])] = weights.pop(name)
        for ours, theirs in _NAMES:
            if name.startswith(ours):
                weights[theirs + name[len(ours):]] = weights.pop(name)
    if "wide.numeric.weight" in weights:
        weights["linear_model.weight"] = weights["wide.numeric.weight"].T
    weights["out.bias"] = weights["out.bias"] + weights.get("wide.bias", 0)


def matrix_of(model, cross, layer):
    if model.spec["layout"] != "handpick":
        return model.weights["crossnet.kernels"][layer]
    if "rank" in cross:
        return (model.weights[f"cross.layers.{layer}.u.weight"] @ model.weights[f"cross.layers.{layer}.v.weight"])
    return model.weights[f"cross.layers.{layer}.weight"]


def bias_of(model, layer):
    if model.spec["layout"] != "handpick":
        return model.weights["crossnet.bias"][layer][:, 0]
    return model.weights[f"cross.layers.{layer}.bias"]


def crossed(model, x0):
    cross = model.spec["cross"]
    x = x0
    for layer in range(cross["layers"]):
        w, b = matrix_of(model, cross, layer), bias_of(model, layer)
        if cross["parameterization"] == "vector":
            x = x0 * float(x @ w.reshape(-1)) + b + x
        else:
            x = x0 * (w @ x + b) + x
    return x


def logit(model, given):
    with_library_names(model)
    single, sequences, numbers = recompute.deep_values(model, given)
    x = np.concatenate(single + sequences + numbers)  # Grouped by kind.
    has_tower = bool(model.spec["deep"]["hidden_units"])
    parts = [crossed(model, x)] if "cross" in model.spec else []
    if model.spec.get("cross", {}).get("structure") == "stacked":
        parts = [recompute.tower(model, parts[0])]
    elif has_tower:
        parts.append(recompute.tower(model, x))
    total = recompute.wide_logit(model, given) + model.weights["out.bias"][0]
    return total + float(model.weights["dnn_linear.weight"][0] @ np.concatenate(parts))


if __name__ == "__main__":
    sys.exit(recompute.check(HERE, logit, tolerance=5e-6))

"""NeuMF (He et al., WWW 2017, equation 12) over x' = softmax(W x + b) * x: the formulas of the paper, in torch. What is written: ../common/independent.py.

    python3 make_goldens.py
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "common"))

import torch  # noqa: E402
from columns import Sparse  # noqa: E402
from independent import Variant, write_goldens  # noqa: E402


def attended(net, name, x):
    return torch.softmax(net.linear(name, x, x.shape[1], gain=0.25), dim=1) * x


def logits(net, batch, parts):
    gmf, over = parts["gmf"], parts["soft_attention"]["over"]
    for name, size in (("user_id", 40), ("item_id", 60)):  # Of a softmax's part, something shall be left.
        net.get(f"gmf.embedding.{name}.weight", (size, 6), 6 if "gmf" in over else 1)
        net.get(f"deep.embedding.{name}.weight", (size, 8), 4 if "deep" in over else 1)
    p, q = (batch.embedded(net, gmf[side], "gmf.embedding.{}.weight", 6) for side in ("user", "item"))
    if "gmf" in over:
        p, q = attended(net, "gmf.attention", torch.cat([p, q], dim=1)).split(6, dim=1)
    x = batch.deep(net, parts["deep"]["features"])
    if "deep" in over:
        x = attended(net, "deep.attention", x)
    return net.head([p * q, net.layers("deep", x, parts["deep"])])


def variants():
    users_and_items = [Sparse("user_id", "context", 40, 8), Sparse("item_id", "candidate", 60, 8)]
    return [
        Variant(name, users_and_items,
                {"gmf": {"user": "user_id", "item": "item_id"},
                 "deep": {"features": ["user_id", "item_id"], "hidden_units": [16, 8], "activation": activation,
                          "batch_normalization": batch_norm},
                 "soft_attention": {"over": over}}, weights=weights)
        for name, over, activation, batch_norm, weights in (
            ("over_both", ["gmf", "deep"], "relu", False, "safetensors"),
            ("over_deep", ["deep"], "tanh", True, "npz"),
            ("over_gmf", ["gmf"], "sigmoid", False, "safetensors"))
    ]


if __name__ == "__main__":
    write_goldens(HERE, "aneumf", variants(), logits)

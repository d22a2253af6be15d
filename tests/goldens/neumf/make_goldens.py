"""NeuMF (He et al., WWW 2017, equation 12): the formulas of the paper, in torch. What is written: ../common/independent.py.

    python3 make_goldens.py
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "common"))

from columns import History, Sparse  # noqa: E402
from independent import Variant, write_goldens  # noqa: E402


def logits(net, batch, parts):
    gmf = parts["gmf"]
    p, q = (batch.embedded(net, gmf[side], "gmf.embedding.{}.weight", 7) for side in ("user", "item"))
    tower = net.layers("deep", batch.deep(net, parts["deep"]["features"]), parts["deep"])
    return net.head([p * q, tower])


def variants():
    users_and_items = [Sparse("user_id", "context", 40, 8), Sparse("item_id", "candidate", 60, 8)]
    gmf = {"user": "user_id", "item": "item_id"}
    return [
        Variant("relu", users_and_items,
                {"gmf": gmf, "deep": {"features": ["user_id", "item_id"], "hidden_units": [16, 8]}}),
        Variant("sigmoid_batch_norm", users_and_items,
                {"gmf": gmf, "deep": {"features": ["item_id", "user_id"], "hidden_units": [9, 5],
                                      "activation": "sigmoid", "batch_normalization": True}}, weights="npz"),
        Variant("history", [History("watched", 60, 6, 6, "mean", table="item_id"), Sparse("user_id", "context", 40, 4),
                            Sparse("item_id", "candidate", 60, 6)],
                {"gmf": {"user": "watched", "item": "item_id"},
                 "deep": {"features": ["user_id", "watched", "item_id"], "hidden_units": [8], "activation": "tanh"}},
                max_events=6, task="regression"),
    ]


if __name__ == "__main__":
    write_goldens(HERE, "neumf", variants(), logits)

"""NeuralCF's multi-layer perceptron (He et al., WWW 2017, equation 10): the formulas of the paper, in torch. What is written: ../common/independent.py.

    python3 make_goldens.py
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "common"))

from columns import Dense, History, Sparse  # noqa: E402
from independent import Variant, write_goldens  # noqa: E402


def logits(net, batch, parts):
    return net.head([net.layers("deep", batch.deep(net, parts["deep"]["features"]), parts["deep"])])


def variants():
    users_and_items = [Sparse("user_id", "context", 40, 8), Sparse("item_id", "candidate", 60, 8)]
    return [
        Variant("tower_pattern", users_and_items,
                {"deep": {"features": ["user_id", "item_id"], "hidden_units": [16, 8, 4]}}),
        Variant("item_first", users_and_items,
                {"deep": {"features": ["item_id", "user_id"], "hidden_units": [10, 10]}}, weights="npz"),
        Variant("batch_norm_and_numbers", users_and_items + [Dense("price", "candidate", 2)],
                {"deep": {"features": ["user_id", "price", "item_id"], "hidden_units": [12], "activation": "prelu",
                          "batch_normalization": True}}),
        Variant("history", [History("watched", 60, 6, 6, "mean", table="item_id"),
                            Sparse("item_id", "candidate", 60, 6)],
                {"deep": {"features": ["watched", "item_id"], "hidden_units": [8, 6], "activation": "tanh"}},
                max_events=6, task="regression"),
    ]


if __name__ == "__main__":
    write_goldens(HERE, "ncf_mlp", variants(), logits)

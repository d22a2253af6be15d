"""Deep Crossing (Shan et al., KDD 2016), a tower of residual units: the formulas of the paper, in torch. What is written: ../common/independent.py.

    python3 make_goldens.py
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "common"))

from columns import Dense, History, Sequence, Sparse  # noqa: E402
from independent import Variant, write_goldens  # noqa: E402


def units(net, x, section):
    """x' = act(x + W_1 act(W_0 x + b_0) + b_1), normalised before each activation if the section says so."""
    for u, inner in enumerate(section["hidden_units"]):
        y = x
        for i, width in enumerate((inner, x.shape[1])):
            name = f"deep.units.{u}.layers.{i}"
            y = net.linear(name, y, width, gain=0.8)
            if section.get("batch_normalization"):
                y = net.normalised(f"{name}.batch_norm", y)
            y = net.activated(name, y if i == 0 else x + y, section.get("activation", "relu"))
        x = y
    return x


def logits(net, batch, parts):
    return net.head([units(net, batch.deep(net, parts["deep"]["features"]), parts["deep"])])


def usual():
    """A user, an item, numbers of each, and a multi-valued feature of the item."""
    return [Sparse("user_id", "context", 40, 5), Dense("age", "context"), Sparse("item_id", "candidate", 60, 6),
            Dense("price", "candidate", 2), Sequence("tags", "candidate", 15, 4, combiner="mean")]


USUAL = ["user_id", "age", "item_id", "price", "tags"]


def variants():
    history = [History("item_id", 60, 5, 6, "mean", table="item_id"),
               Sparse("user_id", "context", 40, 4), Sparse("movie_id", "candidate", 60, 5, table="item_id")]
    return [
        Variant("relu", usual(), {"deep": {"features": USUAL, "hidden_units": [12, 7]}}),
        Variant("one_unit_sigmoid", usual(),
                {"deep": {"features": USUAL, "hidden_units": [9], "activation": "sigmoid"}}, weights="npz"),
        Variant("batch_norm_prelu", usual(),
                {"deep": {"features": USUAL, "hidden_units": [12, 8, 5], "activation": "prelu",
                          "batch_normalization": True}}),
        Variant("linear", usual(), {"deep": {"features": USUAL, "hidden_units": [3, 3], "activation": "linear"}},
                task="regression"),
        Variant("candidate_only", usual(),
                {"deep": {"features": ["item_id", "tags"], "hidden_units": [8], "activation": "tanh"}}),
        Variant("history", history,
                {"deep": {"features": ["user_id", "item_id", "movie_id"], "hidden_units": [10, 6],
                          "batch_normalization": True}}, max_events=6),
    ]


if __name__ == "__main__":
    write_goldens(HERE, "deep_crossing", variants(), logits)

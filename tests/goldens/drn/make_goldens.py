"""DRN's dueling network (Zheng et al., WWW 2018, section 4.3): the formulas of the paper, in torch. What is written: ../common/independent.py.

    python3 make_goldens.py
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "common"))

from columns import Dense, History, Sparse  # noqa: E402
from independent import Variant, write_goldens  # noqa: E402


def logits(net, batch, parts):
    """Q(s, a) = V(s) + A(s, a)"""
    value, deep = parts["value"], parts["deep"]
    v = net.head([net.layers("value", batch.deep(net, value["features"]), value)], "value.head")
    return v + net.head([net.layers("deep", batch.deep(net, deep["features"]), deep)])


def variants():
    usual = [Sparse("user_id", "context", 40, 5), Dense("hour", "context", 2), Sparse("news_id", "candidate", 60, 6),
             Sparse("provider", "candidate", 9, 3), Dense("clicks", "candidate")]
    everything = ["user_id", "hour", "news_id", "provider", "clicks"]
    return [
        Variant("relu", usual, {"value": {"features": ["user_id", "hour"], "hidden_units": [8, 4]},
                                "deep": {"features": everything, "hidden_units": [12, 6]}}, task="regression"),
        Variant("batch_norm", usual,
                {"value": {"features": ["hour"], "hidden_units": [5], "activation": "tanh"},
                 "deep": {"features": everything, "hidden_units": [9], "activation": "prelu",
                          "batch_normalization": True}}, weights="npz"),
        Variant("batch_norm_of_the_value", usual,
                {"value": {"features": ["user_id"], "hidden_units": [7], "activation": "prelu",
                           "batch_normalization": True},
                 "deep": {"features": ["news_id", "clicks"], "hidden_units": [6], "activation": "sigmoid"}}),
        Variant("history", [History("read", 60, 6, 6, "mean", table="news_id"), *usual],
                {"value": {"features": ["user_id", "read", "hour"], "hidden_units": [8]},
                 "deep": {"features": [*everything, "read"], "hidden_units": [10, 6]}}, max_events=6,
                task="regression"),
    ]


if __name__ == "__main__":
    write_goldens(HERE, "drn", variants(), logits)

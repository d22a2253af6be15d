"""Generalized matrix factorization (He et al., WWW 2017, equations 8 and 9): the formulas of the paper, in torch. What is written: ../common/independent.py.

    python3 make_goldens.py
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "common"))

from columns import History, Sequence, Sparse  # noqa: E402
from independent import Variant, write_goldens  # noqa: E402


def product(net, batch, section):
    """p * q"""
    p, q = (batch.embedded(net, section[side], "gmf.embedding.{}.weight") for side in ("user", "item"))
    return p * q


def logits(net, batch, parts):
    return net.head([product(net, batch, parts["gmf"])])


def variants():
    users_and_items = [Sparse("user_id", "context", 40, 8), Sparse("item_id", "candidate", 60, 8)]
    return [
        Variant("eight_factors", users_and_items, {"gmf": {"user": "user_id", "item": "item_id"}}),
        Variant("one_factor", [Sparse("user_id", "context", 40, 1), Sparse("item_id", "candidate", 60, 1)],
                {"gmf": {"user": "user_id", "item": "item_id"}}, weights="npz"),
        # A user is what he watched.
        Variant("history", [History("watched", 60, 6, 6, "mean", table="item_id"),
                            Sparse("item_id", "candidate", 60, 6)],
                {"gmf": {"user": "watched", "item": "item_id"}}, max_events=6, task="regression"),
        Variant("several_ids", [Sequence("likes", "context", 20, 5, maxlen=4, combiner="sum"),
                                Sparse("item_id", "candidate", 60, 5)],
                {"gmf": {"user": "likes", "item": "item_id"}}),
    ]


if __name__ == "__main__":
    write_goldens(HERE, "gmf", variants(), logits)

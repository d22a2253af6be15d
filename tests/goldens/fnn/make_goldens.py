"""FNN (Zhang et al., ECIR 2016, equations 2 to 5): the formulas of the paper, in torch. What is written: ../common/independent.py.

    python3 make_goldens.py
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "common"))

import torch  # noqa: E402
from columns import Dense, History, Sequence, Sparse  # noqa: E402
from independent import Variant, write_goldens  # noqa: E402


def inputs(net, batch, keys, has_scalar):
    """z = (w_0, z_1, ..., z_n), z_i = (w_i, v_i) of a factorization machine."""
    z = []
    for key in keys:
        if isinstance(batch.columns[key], Dense):
            z.append(batch.numbers(key))
            continue
        z += [batch.embedded(net, key, "wide.embedding.{}.weight", 1), batch.embedded(net, key)]
    if has_scalar:
        z.insert(0, net.get("wide.bias", (1,)).expand(len(z[0]), 1))
    return torch.cat(z, dim=1)


def logits(net, batch, parts):
    deep = parts["deep"]
    return net.head([net.layers("deep", inputs(net, batch, deep["features"], "age" not in deep["features"]), deep)])


def usual():
    return [Sparse("user_id", "context", 40, 5), Dense("age", "context"), Sparse("item_id", "candidate", 60, 5),
            Dense("price", "candidate", 2), Sequence("tags", "candidate", 15, 5, combiner="mean")]


def variants():
    return [
        # The paper's activation.
        Variant("tanh", usual(),
                {"deep": {"features": ["user_id", "item_id", "tags"], "hidden_units": [12, 8], "activation": "tanh"}}),
        Variant("no_scalar", usual(),
                {"deep": {"features": ["age", "user_id", "price", "item_id", "tags"], "hidden_units": [12, 8]}},
                weights="npz"),
        Variant("batch_norm", usual(),
                {"deep": {"features": ["item_id", "price", "user_id"], "hidden_units": [9], "activation": "prelu",
                          "batch_normalization": True}}),
        Variant("history",
                [History("item_id", 60, 4, 6, "mean", table="item_id"),
                 Sparse("user_id", "context", 40, 4), Sparse("movie_id", "candidate", 60, 4, table="item_id")],
                {"deep": {"features": ["user_id", "item_id", "movie_id"], "hidden_units": [10],
                          "activation": "sigmoid"}}, max_events=6),
    ]


if __name__ == "__main__":
    write_goldens(HERE, "fnn", variants(), logits)

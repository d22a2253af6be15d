"""DCN as DeepCTR-Torch does not have it (Wang et al., WWW 2021): stacked, and of low rank, in torch. What is written:
../common/independent.py.

    python3 make_others.py
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "common"))

from columns import Dense, History, Sequence, Sparse  # noqa: E402
from independent import Variant, write_goldens  # noqa: E402


def crossed(net, x0, section):
    x = x0
    width = x0.shape[1]
    for i in range(section["layers"]):
        name = f"cross.layers.{i}"
        bias = net.get(f"{name}.bias", (width,), 0.3)
        if section["parameterization"] == "vector":  # Wang et al., ADKDD 2017, equation 3
            x = x0 * (x @ net.get(f"{name}.weight", (1, width), 0.4 / width ** 0.5).T) + bias + x
            continue
        if "rank" in section:
            low = x @ net.get(f"{name}.v.weight", (section["rank"], width), 0.4 / width ** 0.5).T
            y = low @ net.get(f"{name}.u.weight", (width, section["rank"]), 0.4).T
        else:
            y = x @ net.get(f"{name}.weight", (width, width), 0.4 / width ** 0.5).T
        x = x0 * (y + bias) + x
    return x


def logits(net, batch, parts):
    deep, cross = parts["deep"], parts["cross"]
    x = batch.deep(net, deep["features"])
    crosses = crossed(net, x, cross)
    if cross.get("structure") == "stacked":
        ends = [net.layers("deep", crosses, deep)]
    else:
        ends = [crosses] + ([net.layers("deep", x, deep)] if deep["hidden_units"] else [])
    wide = batch.wide(net, parts["wide"]["features"]) if "wide" in parts else 0
    return wide + net.head(ends)


def variants():
    usual = [Sparse("user_id", "context", 40, 5), Sparse("item_id", "candidate", 60, 4),
             Sequence("tags", "candidate", 15, 3, combiner="sum"), Dense("age", "context"),
             Dense("price", "candidate", 2)]
    names = ["user_id", "item_id", "tags", "age", "price"]
    deep = {"features": names, "hidden_units": [12, 6], "activation": "relu"}
    return [
        Variant("stacked_vector", usual,
                {"deep": deep, "cross": {"layers": 3, "parameterization": "vector", "structure": "stacked"}}),
        Variant("stacked_matrix", usual,
                {"deep": deep, "cross": {"layers": 2, "parameterization": "matrix", "structure": "stacked"}},
                weights="npz"),
        Variant("low_rank", usual,
                {"deep": deep, "cross": {"layers": 2, "parameterization": "matrix", "rank": 3}}),
        Variant("stacked_low_rank_batch_norm", usual,
                {"deep": {**deep, "activation": "prelu", "batch_normalization": True},
                 "cross": {"layers": 2, "parameterization": "matrix", "rank": 2, "structure": "stacked"}}),
        Variant("low_rank_cross_alone", usual,
                {"wide": {"features": ["user_id", "item_id", "price"]}, "deep": {"features": names, "hidden_units": []},
                 "cross": {"layers": 3, "parameterization": "matrix", "rank": 4}}, task="regression"),
        Variant("stacked_history",
                [History("watched", 60, 4, 6, "mean", table="item_id"), Sparse("user_id", "context", 40, 4),
                 Sparse("item_id", "candidate", 60, 4)],
                {"deep": {"features": ["user_id", "item_id", "watched"], "hidden_units": [8], "activation": "sigmoid"},
                 "cross": {"layers": 2, "parameterization": "vector", "structure": "stacked"}}, max_events=6),
    ]


if __name__ == "__main__":
    write_goldens(HERE, "dcn", variants(), logits)

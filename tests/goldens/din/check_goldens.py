"""Recomputes every golden logit of DIN with numpy alone; how: ../common/recompute.py.

    python3 check_goldens.py [DIRECTORY]
"""

import os
import sys

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "common"))

import recompute  # noqa: E402


def attended(model, given):
    """The history as the candidate sees it."""
    query, keys = recompute.query_of(model, given), recompute.keys_of(model, given)
    if len(keys):
        return recompute.attention_weights(model, "attention.local_att.", query, keys) @ keys
    if not model.spec["attention"]["softmax"]:
        return np.zeros_like(query)
    # All of the library's padding weighs the same, and is row 0.
    tables = (model.embedding(model.features[name]) for name in model.spec["attention"]["key"])
    return np.concatenate([table[0] for table in tables])


def logit(model, given):
    single, sequences, numbers = recompute.deep_values(model, given)
    x = np.concatenate(single + sequences + [attended(model, given)] + numbers)
    return float(model.weights["dnn_linear.weight"][0] @ recompute.tower(model, x)) + model.weights["out.bias"][0]


if __name__ == "__main__":
    sys.exit(recompute.check(HERE, logit))

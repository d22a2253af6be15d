"""Recomputes every golden logit of NFM with numpy alone; how: ../common/recompute.py.

    python3 check_goldens.py [DIRECTORY]
"""

import itertools
import os
import sys

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "common"))

import recompute  # noqa: E402


def logit(model, given):
    single, sequences, numbers = recompute.deep_values(model, given)
    fields = single + sequences
    interaction = np.zeros_like(fields[0])
    for a, b in itertools.combinations(fields, 2):  # The definition; the trainer computes it by squares.
        interaction += a * b
    x = np.concatenate([interaction] + numbers)
    deep = float(model.weights["dnn_linear.weight"][0] @ recompute.tower(model, x))
    return recompute.wide_logit(model, given) + deep + model.weights["out.bias"][0]


if __name__ == "__main__":
    sys.exit(recompute.check(HERE, logit))

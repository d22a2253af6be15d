"""Recomputes every golden logit of DeepFM with numpy alone; how: ../common/recompute.py.

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
    total = recompute.wide_logit(model, given) + model.weights["out.bias"][0]
    # The definition; the trainer computes it by squares.
    total += sum(float(a @ b) for a, b in itertools.combinations(fields, 2))
    if model.spec["deep"]["hidden_units"]:
        x = np.concatenate(fields + numbers)  # Grouped by kind.
        total += float(model.weights["dnn_linear.weight"][0] @ recompute.tower(model, x))
    return total


if __name__ == "__main__":
    sys.exit(recompute.check(HERE, logit))

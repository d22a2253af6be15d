"""Recomputes every golden logit of Wide&Deep with numpy alone; how: ../common/recompute.py.

    python3 check_goldens.py [DIRECTORY]
"""

import os
import sys

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "common"))

import recompute  # noqa: E402


def logit(model, given):
    total = recompute.wide_logit(model, given) + model.weights["out.bias"][0]
    if model.spec.get("deep"):
        single, sequences, numbers = recompute.deep_values(model, given)
        x = np.concatenate(single + sequences + numbers)  # Grouped by kind.
        total += float(model.weights["dnn_linear.weight"][0] @ recompute.tower(model, x))
    return total


if __name__ == "__main__":
    sys.exit(recompute.check(HERE, logit))

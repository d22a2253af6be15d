"""Recomputes every golden logit of factorization machines with numpy alone; how: ../common/recompute.py.

    python3 check_goldens.py [DIRECTORY]
"""

import itertools
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "common"))

import recompute  # noqa: E402


def logit(model, given):
    single, sequences, _ = recompute.deep_values(model, given)
    # The definition (Rendle, ICDM 2010, equation 1); the trainer computes it by squares.
    pairs = sum(float(a @ b) for a, b in itertools.combinations(single + sequences, 2))
    return recompute.wide_logit(model, given) + pairs + recompute.biases(model)


if __name__ == "__main__":
    sys.exit(recompute.check(HERE, logit))

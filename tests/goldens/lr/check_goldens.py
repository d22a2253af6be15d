"""Recomputes every golden logit of logistic regressions with numpy alone; how: ../common/recompute.py.

    python3 check_goldens.py [DIRECTORY]
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "common"))

import recompute  # noqa: E402


def logit(model, given):
    return recompute.wide_logit(model, given) + recompute.biases(model)


if __name__ == "__main__":
    sys.exit(recompute.check(HERE, logit))

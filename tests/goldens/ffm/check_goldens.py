"""Recomputes every golden logit of FFM with numpy alone; how: ../common/recompute.py.

    python3 check_goldens.py [DIRECTORY]
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "common"))

import recompute  # noqa: E402


def fields_in_order(model, given):
    return [recompute.pooled(model.embedding(feature), *recompute.feature_rows(feature, model.features, given), combiner)
            for feature, combiner in recompute.uses(model.spec["deep"], model.features)
            if feature["type"] != "numeric"]


def logit(model, given):
    fields = fields_in_order(model, given)
    count = len(fields)
    k = len(fields[0]) // count
    total = recompute.wide_logit(model, given) + recompute.biases(model)
    for i in range(count):
        for j in range(i):
            total += float(fields[i][j * k:(j + 1) * k] @ fields[j][i * k:(i + 1) * k])
    return total


if __name__ == "__main__":
    sys.exit(recompute.check(HERE, logit))

"""Recomputes every golden logit of PNN with numpy alone; how: ../common/recompute.py.

    python3 check_goldens.py [DIRECTORY]
"""

import os
import sys

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "common"))

import recompute  # noqa: E402


def kernel_of(model, pair, k):
    """[k of the first, k of the second]"""
    form = model.spec["products"]["outer"]
    kernels = model.weights["products.outer.weight" if model.is_own else "outterproduct.kernel"]
    if form == "num":
        return np.eye(k) * kernels.reshape(-1)[pair]
    if form == "vec":
        return np.diag(kernels[pair])
    return kernels[pair] if model.is_own else kernels[:, pair, :].T


def fields_and_numbers(model, given):
    if not model.is_own:
        single, sequences, numbers = recompute.deep_values(model, given)
        return single + sequences, numbers
    fields, numbers = [], []
    for feature, combiner in recompute.uses(model.spec["deep"], model.features):
        if feature["type"] == "numeric":
            numbers.append(recompute.numbers_of(feature, given))
        else:
            fields.append(recompute.pooled(model.embedding(feature),
                                           *recompute.feature_rows(feature, model.features, given), combiner))
    return fields, numbers


def logit(model, given):
    fields, numbers = fields_and_numbers(model, given)
    products = model.spec["products"]
    pairs = [(i, j) for i in range(len(fields)) for j in range(i + 1, len(fields))]
    parts = list(fields)
    if products["inner"]:
        parts.append(np.array([fields[i] @ fields[j] for i, j in pairs]))
    if products["outer"] == "superposed":
        parts.append(np.outer(sum(fields), sum(fields)).reshape(-1))
    elif products["outer"] != "none":
        parts.append(np.array([fields[i] @ kernel_of(model, pair, len(fields[i])) @ fields[j]
                               for pair, (i, j) in enumerate(pairs)]))
    x = recompute.tower(model, np.concatenate(parts + numbers))
    head = model.weights["head.weight" if model.is_own else "dnn_linear.weight"][0]
    return float(head @ x) + recompute.biases(model)


if __name__ == "__main__":
    sys.exit(recompute.check(HERE, logit))

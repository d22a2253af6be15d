"""Recomputes every golden logit of AFM with numpy alone; how: ../common/recompute.py.

    python3 check_goldens.py [DIRECTORY]
"""

import os
import sys

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "common"))

import recompute  # noqa: E402


def attention_of(model):
    """Weights [units, k], biases, scores' weights, projection."""
    weights = model.weights
    if model.is_own:
        return (weights["attention.layers.0.weight"], weights["attention.layers.0.bias"],
                weights["attention.head.weight"][0], weights["head.weight"][0])
    return (weights["fm.attention_W"].T, weights["fm.attention_b"], weights["fm.projection_h"][:, 0],
            weights["fm.projection_p"][:, 0])


def logit(model, given):
    single, sequences, _ = recompute.deep_values(model, given)
    fields = single + sequences
    layer, bias, score, projection = attention_of(model)
    products = [fields[i] * fields[j] for i in range(len(fields)) for j in range(i + 1, len(fields))]
    scores = np.array([score @ np.maximum(layer @ product + bias, 0) for product in products])
    powers = np.exp(scores - scores.max())
    mean = sum(power * product for power, product in zip(powers / powers.sum(), products))
    return recompute.wide_logit(model, given) + float(projection @ mean) + recompute.biases(model)


if __name__ == "__main__":
    sys.exit(recompute.check(HERE, logit))

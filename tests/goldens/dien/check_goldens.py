"""Recomputes every golden logit of DIEN with numpy alone; how: ../common/recompute.py.

    python3 check_goldens.py [DIRECTORY]
"""

import os
import sys

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "common"))

import recompute  # noqa: E402
from recompute import sigmoid  # noqa: E402


def gates(cell, x, h):
    """r, z, n of one step."""
    input_r, input_z, input_n = np.split(cell["weight_ih"] @ x + cell["bias_ih"], 3)
    state_r, state_z, state_n = np.split(cell["weight_hh"] @ h + cell["bias_hh"], 3)
    r = sigmoid(input_r + state_r)
    return r, sigmoid(input_z + state_z), np.tanh(input_n + r * state_n)


def states(cell, inputs, weights=None, kind="GRU"):
    """[events, width] states; weights: of attention, for AGRU and AUGRU."""
    h, result = np.zeros(len(cell["bias_hh"]) // 3), []
    for t, x in enumerate(inputs):
        _, z, n = gates(cell, x, h)
        new = {"GRU": lambda: 1 - z, "AGRU": lambda: weights[t], "AUGRU": lambda: weights[t] * z}[kind]()
        h = (1 - new) * h + new * n
        result.append(h)
    return np.array(result)


def cell_of(model, prefix, suffix=""):
    return {name: model.weights[prefix + name + suffix] for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")}


def last_interest(model, given):
    query, keys = recompute.query_of(model, given), recompute.keys_of(model, given)
    if not len(keys):
        return np.zeros_like(query)
    kind, prefix = model.spec["evolution"]["cell"], "interest_evolution."
    interests = states(cell_of(model, "interest_extractor.gru.", "_l0"), keys)

    def weights(of):
        return recompute.attention_weights(model, prefix + "attention.local_att.", query, of)

    if kind in ("AGRU", "AUGRU"):
        cell = cell_of(model, prefix + "interest_evolution.rnn.")
        if kind == "AUGRU":  # One vector with two names.
            cell["bias_ih"] = cell["bias_hh"]
        return states(cell, interests, weights(interests), kind)[-1]
    cell = cell_of(model, prefix + "interest_evolution.", "_l0")
    if kind == "AIGRU":
        return states(cell, interests * weights(interests)[:, np.newaxis])[-1]
    evolved = states(cell, interests)
    return weights(evolved) @ evolved


def logit(model, given):
    single, _, numbers = recompute.deep_values(model, given)  # Sequences that are no history are not used.
    x = np.concatenate([last_interest(model, given)] + single + numbers)
    return float(model.weights["linear.weight"][0] @ recompute.tower(model, x)) + model.weights["out.bias"][0]


if __name__ == "__main__":
    sys.exit(recompute.check(HERE, logit))

"""Recomputes every golden logit of MMoE with numpy alone; how: ../common/recompute.py.

    python3 check_goldens.py [DIRECTORY]
"""

import os
import sys

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "common"))

import recompute  # noqa: E402
from numpy_tasks import deep_input, layers, network, tensor  # noqa: E402


def logit(model, given):
    x = deep_input(model, given)
    parts = model.spec["experts"]
    experts = [layers(model, x, network(model, f"expert_dnn.{e}", f"experts.{e}"), model.spec["deep"]["hidden_units"])
               for e in range(parts["count"])]
    logits = {}
    for t, output in enumerate(model.spec["model"]["outputs"]):
        gate = layers(model, x, network(model, f"gate_dnn.{t}", f"gate.{t}"), parts.get("gate_hidden_units", []))
        scores = tensor(model, f"gate_dnn_final_layer.{t}.weight", f"gate.{t}.weight") @ gate
        powers = np.exp(scores - scores.max())
        mixture = (powers / powers.sum()) @ np.stack(experts)
        tower = layers(model, mixture, network(model, f"tower_dnn.{t}", f"tasks.{t}"), model.spec["tasks"]["hidden_units"])
        head = tensor(model, f"tower_dnn_final_layer.{t}.weight", f"tasks.{t}.head.weight")
        logits[output["name"]] = float(head[0] @ tower + tensor(model, f"out.{t}.bias", f"tasks.{t}.head.bias")[0])
    return logits


if __name__ == "__main__":
    sys.exit(recompute.check(HERE, logit))

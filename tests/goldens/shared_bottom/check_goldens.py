"""Recomputes every golden logit of shared-bottom models with numpy alone; how: ../common/recompute.py.

    python3 check_goldens.py [DIRECTORY]
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "common"))

import recompute  # noqa: E402
from numpy_tasks import deep_input, layers, network, tensor  # noqa: E402


def logit(model, given):
    units = model.spec["tasks"]["hidden_units"]
    shared = layers(model, deep_input(model, given), network(model, "bottom_dnn", "deep"),
                    model.spec["deep"]["hidden_units"])
    logits = {}
    for t, output in enumerate(model.spec["model"]["outputs"]):
        tower = layers(model, shared, network(model, f"tower_dnn.{t}", f"tasks.{t}"), units)
        head = tensor(model, f"tower_dnn_final_layer.{t}.weight", f"tasks.{t}.head.weight")
        logits[output["name"]] = float(head[0] @ tower + tensor(model, f"out.{t}.bias", f"tasks.{t}.head.bias")[0])
    return logits


if __name__ == "__main__":
    sys.exit(recompute.check(HERE, logit))

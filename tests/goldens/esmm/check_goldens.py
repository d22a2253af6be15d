"""Recomputes every golden logit of ESMM with numpy alone; how: ../common/recompute.py.

    python3 check_goldens.py [DIRECTORY]
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "common"))

import recompute  # noqa: E402
from numpy_tasks import deep_input, layers, log_sigmoid, network, tensor  # noqa: E402


def logit(model, given):
    x = deep_input(model, given)
    logits = {}
    for task in ("ctr", "cvr"):
        hidden = layers(model, x, network(model, f"{task}_dnn", f"tasks.{task}"), model.spec["deep"]["hidden_units"])
        head = tensor(model, f"{task}_dnn_final_layer.weight", f"tasks.{task}.head.weight")
        logits[task] = float(head[0] @ hidden + tensor(model, "out.bias", f"tasks.{task}.head.bias")[0])
    logits["ctcvr"] = float(log_sigmoid(logits["ctr"]) + log_sigmoid(logits["cvr"]))
    return logits


if __name__ == "__main__":
    sys.exit(recompute.check(HERE, logit))

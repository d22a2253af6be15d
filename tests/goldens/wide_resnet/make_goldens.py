"""Wide & ResNet: the linear part of Wide & Deep (Cheng et al., DLRS 2016) beside the residual units of Deep Crossing
(Shan et al., KDD 2016), in torch. What is written: ../common/independent.py.

    python3 make_goldens.py
"""

import importlib.util
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "common"))

from independent import Variant, write_goldens  # noqa: E402

_SPEC = importlib.util.spec_from_file_location("deep_crossing",
                                               os.path.join(HERE, "..", "deep_crossing", "make_goldens.py"))
deep_crossing = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(deep_crossing)


def logits(net, batch, parts):
    return batch.wide(net, parts["wide"]["features"]) + deep_crossing.logits(net, batch, parts)


def variants():
    usual, names = deep_crossing.usual, deep_crossing.USUAL
    return [
        Variant("relu", usual(), {"wide": {"features": names}, "deep": {"features": names, "hidden_units": [12, 7]}}),
        Variant("batch_norm_tanh", usual(),
                {"wide": {"features": ["user_id", "item_id"]},
                 "deep": {"features": names, "hidden_units": [10], "activation": "tanh",
                          "batch_normalization": True}}, weights="npz_deflated"),
        Variant("different_lists", usual(),
                {"wide": {"features": ["tags", "price"]},
                 "deep": {"features": ["item_id", "age", "user_id"], "hidden_units": [6, 6], "activation": "prelu"}},
                task="regression"),
    ]


if __name__ == "__main__":
    write_goldens(HERE, "wide_resnet", variants(), logits)

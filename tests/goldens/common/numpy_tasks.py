"""Models with several tasks in numpy: networks by the names of either layout."""

import re

import numpy as np

import recompute


def deep_input(model, given):
    """Grouped by kind, which in layout handpick is the order of the spec here."""
    if model.spec["layout"] == "handpick":
        for name in [name for name in model.weights if name.startswith("deep.embedding.")]:
            model.weights[name.replace("deep.embedding.", "embedding_dict.")] = model.weights[name]
    single, sequences, numbers = recompute.deep_values(model, given)
    return np.concatenate(single + sequences + numbers)


def network(model, library, handpick):
    """The tensors of a network by the library's names of layers, whatever the layout of the file."""
    if model.spec["layout"] == "deepctr-torch":
        return model.part(library + ".")
    part = {}
    for name, tensor in model.part(handpick + ".layers.").items():
        for pattern, replacement in ((r"(\d+)\.batch_norm\.", r"bn.\1."), (r"(\d+)\.prelu\.", r"activation_layers.\1."),
                                     (r"(\d+)\.", r"linears.\1.")):
            if re.match(pattern, name):
                part[re.sub(pattern, replacement, name, count=1)] = tensor
                break
    return part


def layers(model, x, part, units):
    deep = model.spec["deep"]
    return recompute.hidden_layers(x, part, len(units), deep["activation"], deep.get("batch_normalization", False))


def tensor(model, library, handpick):
    return model.weights[library if model.spec["layout"] == "deepctr-torch" else handpick]


def log_sigmoid(x):
    return -np.logaddexp(0, -x)

"""Imports FuxiCTR from PYTHONPATH without the packages that its data loading and progress bars alone use."""

import collections
import importlib.util
import logging
import os
import sys
import types

import torch

ZOO = {  # Where the library keeps the model of each class.
    "LR": "LR/src", "FM": "FM/src", "WideDeep": "WideDeep/WideDeep_torch/src", "DeepFM": "DeepFM/DeepFM_torch/src",
    "NFM": "NFM/src", "PNN": "PNN/src", "DCNv2": "DCNv2/src", "DIN": "DIN/src", "DIEN": "DIEN/src",
}
_UNUSED = {  # Imported, and not called, when a model is made and asked.
    "tqdm": ["tqdm"], "polars": [], "h5py": [], "keras_preprocessing": [],
    "keras_preprocessing.sequence": ["pad_sequences"],
}


def _load():
    for name, members in _UNUSED.items():
        parent = name.split(".", maxsplit=1)[0]
        if parent in sys.modules and not hasattr(sys.modules[parent], "stands_in"):
            continue
        if parent not in sys.modules and importlib.util.find_spec(parent) is not None:
            continue
        module = types.ModuleType(name)
        module.stands_in = True
        for member in members:
            setattr(module, member, None)
        sys.modules[name] = module
    try:
        import fuxictr  # pylint: disable=import-outside-toplevel
    except ModuleNotFoundError as error:
        raise SystemExit(f"{error}: put a checkout of FuxiCTR 2.3.9 on PYTHONPATH") from error
    return os.path.dirname(os.path.dirname(os.path.abspath(fuxictr.__file__)))


ROOT = _load()
logging.disable(logging.INFO)
from fuxictr.features import FeatureMap  # noqa: E402


def model_class(name):
    path = os.path.join(ROOT, "model_zoo", ZOO[name], f"{name}.py")
    spec = importlib.util.spec_from_file_location(f"fuxictr_zoo_{name}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, name)


def feature_map(features, embedding_dim):
    """features: name -> what the library's feature_map.json says of it, in its order."""
    result = FeatureMap("golden", ".")
    result.features = collections.OrderedDict(features)
    result.labels = ["label"]
    result.default_emb_dim = embedding_dim
    result.num_fields = result.get_num_fields()
    result.set_column_index()
    return result


def make(name, features, embedding_dim, task, **arguments):
    """A model of the library, in evaluation mode, whose output is before the sigmoid."""
    model = model_class(name)(feature_map(features, embedding_dim), embedding_dim=embedding_dim, gpu=-1,
                              task="binary_classification" if task == "binary" else task, optimizer="adam",
                              loss="binary_crossentropy", metrics=[], verbose=0, model_root=".", **arguments)
    model.eval()
    model.output_activation = torch.nn.Identity()
    network = getattr(model, "dnn", None)  # Which may end in the same sigmoid.
    if network is not None and isinstance(network.mlp[-1], torch.nn.Sigmoid):
        network.mlp[-1] = torch.nn.Identity()
    return model

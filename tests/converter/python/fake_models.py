"""Objects with the attributes of DeepCTR-Torch's models, made from a golden model's variant and its tensors.

They say what a live model says of itself, so that specs can be made of them where PyTorch is not installed.
"""

import collections
import types

from golden_variants import Crossed, Dense, History, Length, Sparse

SparseFeat = collections.namedtuple("SparseFeat", ["name", "vocabulary_size", "embedding_dim", "embedding_name", "group_name"])
DenseFeat = collections.namedtuple("DenseFeat", ["name", "dimension"])
_Sequence = collections.namedtuple("VarLenSparseFeat", ["sparsefeat", "maxlen", "combiner", "length_name"])


class VarLenSparseFeat(_Sequence):
    """As the library's, it passes on what its ids are."""

    name = property(lambda self: self.sparsefeat.name)
    embedding_name = property(lambda self: self.sparsefeat.embedding_name)
    group_name = property(lambda self: self.sparsefeat.group_name)


def column_of(column, combiner=None):
    if isinstance(column, Dense):
        return DenseFeat(column.key, column.dimension)
    sparse = SparseFeat(column.key, column.size, column.dimension, column.table, getattr(column, "group", None) or "default_group")
    if isinstance(column, Sparse) or (isinstance(column, Crossed) and not column.is_sequence):
        return sparse
    return VarLenSparseFeat(sparse, column.maxlen, combiner or column.combiner or "mean", column.length)


def columns_of(variant, uses):
    by_key = {column.key: column for column in variant.columns}
    return [column_of(by_key[key], combiner) for key, combiner in
            (entry if isinstance(entry, tuple) else (entry, None) for entry in uses)]


# ---- Modules ----------------------------------------------------------------------------------------

_CLASSES = {"relu": "ReLU", "sigmoid": "Sigmoid", "tanh": "Tanh", "linear": "Identity", "prelu": "PReLU", "dice": "Dice"}
_NORM = types.SimpleNamespace(eps=1e-5)


def _activation(name):
    module = type(_CLASSES[name], (), {})()
    if name == "dice":
        module.bn = types.SimpleNamespace(eps=1e-8)
    return module


def _network(activation, layers):
    return types.SimpleNamespace(activation_layers=[_activation(activation) for _ in range(layers)], bn=[_NORM] * layers)


def _unit(variant):
    return types.SimpleNamespace(
        local_att=types.SimpleNamespace(dnn=_network(variant.attention_activation, len(variant.attention_units))),
        weight_normalization=variant.softmax)


def _linear(columns):
    return types.SimpleNamespace(
        sparse_feature_columns=[c for c in columns if isinstance(c, SparseFeat)],
        varlen_sparse_feature_columns=[c for c in columns if isinstance(c, VarLenSparseFeat)],
        dense_feature_columns=[c for c in columns if isinstance(c, DenseFeat)])


class _Live:
    def __init__(self, tensors, **attributes):
        self._tensors = tensors
        vars(self).update(attributes)

    def state_dict(self):
        return self._tensors


_Live.__module__ = "deepctr_torch.models"


def model_of(kind, variant, tensors):
    """What an object of the library's class for `kind` says."""
    library_class, attributes = _ATTRIBUTES[kind](variant)
    made = type(library_class, (_Live,), {"__module__": "deepctr_torch.models"})
    attributes.setdefault("out", types.SimpleNamespace(task=variant.task))
    return made(tensors, **attributes)


def _wide_and_deep(variant):
    wide, deep = columns_of(variant, variant.wide), columns_of(variant, getattr(variant, "deep", ()))
    units = getattr(variant, "hidden_units", ())
    return {"linear_model": _linear(wide), "dnn_feature_columns": deep,
            "use_dnn": bool(deep) and bool(units), "dnn": _network(getattr(variant, "activation", "relu"), len(units))}


def _wdl(variant):
    return "WDL", _wide_and_deep(variant)


def _deepfm(variant):
    return "DeepFM", {**_wide_and_deep(variant), "use_fm": True}


def _fm(variant):
    if variant.library_class == "AFM":
        return "AFM", {**_wide_and_deep(variant), "use_attention": False}
    return _deepfm(variant)


def _pnn(variant):
    return "PNN", {**_wide_and_deep(variant), "use_inner": variant.inner, "use_outter": variant.outer != "none",
                   "kernel_type": "mat" if variant.outer == "none" else variant.outer}


def _dcn(variant):
    return "DCN", {**_wide_and_deep(variant), "cross_num": variant.cross_layers,
                   "crossnet": types.SimpleNamespace(parameterization=variant.parameterization)}


def _mlr(variant):
    return "MLR", {"region_feature_columns": columns_of(variant, variant.region),
                   "bias_feature_columns": columns_of(variant, variant.bias), "region_num": variant.pieces,
                   "prediction_layer": types.SimpleNamespace(task=variant.task)}


def _attending(variant):
    columns = [column_of(c) for c in variant.columns if not isinstance(c, Length)]
    return {"dnn_feature_columns": columns, "dnn": _network(variant.activation, len(variant.hidden_units))}


def _din(variant):
    return "DIN", {**_attending(variant), "history_feature_list": list(variant.attended), "attention": _unit(variant)}


def _dien(variant):
    evolution = types.SimpleNamespace(attention=_unit(variant), gru_type=variant.cell)
    return "DIEN", {**_attending(variant), "item_features": list(variant.attended), "interest_evolution": evolution}


def _tasks(variant):
    towers = [_network(variant.activation, len(variant.tower_units)) for _ in variant.tasks]
    return {"dnn_feature_columns": columns_of(variant, variant.deep), "task_names": [name for name, _ in variant.tasks],
            "out": [types.SimpleNamespace(task=task) for _, task in variant.tasks], "tower_dnn": towers,
            "tower_dnn_hidden_units": variant.tower_units}


def _shared_bottom(variant):
    return "SharedBottom", {**_tasks(variant), "bottom_dnn": _network(variant.activation, len(variant.bottom_units))}


def _mmoe(variant):
    experts = [_network(variant.activation, len(variant.expert_units)) for _ in range(variant.experts)]
    gates = [_network(variant.activation, len(variant.gate_units)) for _ in variant.tasks]
    return "MMOE", {**_tasks(variant), "num_experts": variant.experts, "expert_dnn": experts, "gate_dnn": gates,
                    "gate_dnn_hidden_units": variant.gate_units}


def _esmm(variant):
    layers = len(variant.hidden_units)
    return "ESMM", {"dnn_feature_columns": columns_of(variant, variant.deep), "ctr_dnn": _network(variant.activation, layers),
                    "cvr_dnn": _network(variant.activation, layers)}


_ATTRIBUTES = {
    "wide_deep": _wdl, "lr": _wdl, "nfm": lambda variant: ("NFM", _wide_and_deep(variant)), "deepfm": _deepfm, "fm": _fm,
    "pnn": _pnn, "afm": lambda variant: ("AFM", {**_wide_and_deep(variant), "use_attention": True}), "dcn": _dcn, "mlr": _mlr,
    "din": _din, "dien": _dien, "shared_bottom": _shared_bottom, "mmoe": _mmoe, "esmm": _esmm}

__all__ = ["DenseFeat", "History", "SparseFeat", "VarLenSparseFeat", "column_of", "columns_of", "model_of"]

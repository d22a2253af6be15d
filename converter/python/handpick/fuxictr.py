"""Models of FuxiCTR 2.3 (PyTorch) -> spec, tensors, logits.

The live object holds its feature_map and its modules. What the library reads in another order than its arguments suggest
is said in converter/layouts.
"""

import numpy as np

from . import rows as rows_of
from . import torch_models
from .columns import ID, IDS, NUMBERS, Column, Features, Roles
from .command import Error
from .described import Described, from_rows

LAYOUT = "fuxictr"
_POOLING = {"MaskedAveragePooling": "mean", "MaskedSumPooling": "sum"}
_BATCH_NORM_EPSILON, _DICE_EPSILON = 1e-5, 1e-9
_BATCH = 256


def library_class(model):
    """The name of the model's class in the library's zoo; None if it is of no such model."""
    classes = type(model).__mro__
    if not any(own.__name__ == "BaseModel" and own.__module__.startswith("fuxictr.pytorch") for own in classes):
        return None
    return next((own.__name__ for own in classes if own.__name__ in _PARTS), type(model).__name__)


def describe(model, feature_columns, options):
    """feature_columns: None: the model holds its feature_map."""
    kind = library_class(model)
    if kind not in _PARTS:
        raise Error(f"{kind} of FuxiCTR: the converter has no such kind of model; it has {', '.join(_PARTS)}")
    if feature_columns is not None and feature_columns is not model.feature_map:
        raise Error("feature columns: a model of FuxiCTR holds its feature_map; give None")
    return _Model(model, torch_models.tensors_of(model), options).described(_PARTS[kind])


def _flat(fields):
    """Fields, alone or in tuples, of a list -> a list of tuples."""
    return [field if isinstance(field, tuple) else (field,) for field in fields]


class _Model:
    def __init__(self, model, tensors, options):
        self.live, self.tensors, self.options = model, tensors, options
        self.specs = {name: spec for name, spec in model.feature_map.features.items() if spec["type"] != "meta"}
        self.targets, self.sequences = [], []  # Of attention: what is compared, part by part.
        self.left_out = set()  # Features that no prediction reads.
        self.positions = None
        self.fills_empty = False  # A batch needs a row with an event.

    # ---- Features ----

    def columns(self):
        return [self._column(name, spec) for name, spec in self.specs.items() if name not in self.left_out]

    def _column(self, name, spec):
        if spec["type"] == "numeric":
            return Column(name, NUMBERS)
        if spec["type"] == "embedding":
            return Column(name, NUMBERS, int(spec["pretrain_dim"]))
        table = spec.get("share_embedding") or name
        if spec["type"] == "categorical":
            return Column(name, ID, table=table)
        if spec["type"] != "sequence":
            raise Error(f"feature '{name}': of type {spec['type']}, which the converter does not know")
        attended = {field for part in self.sequences for field in part}
        return Column(name, IDS, int(spec["max_len"]), table, None if name in attended else self._pooling(name))

    def _pooling(self, name):
        layer = getattr(self.live, "embedding_layer", None)
        layer = getattr(layer, "embedding_layer", layer)  # FeatureEmbedding has a FeatureEmbeddingDict.
        if layer is None:  # LR has no such layer: its own adds up.
            return "sum"
        encoder = type(layer.feature_encoders[name]).__name__ if name in layer.feature_encoders else "nothing"
        if encoder not in _POOLING:
            raise Error(f"feature '{name}': {encoder} makes one embedding of its ids; the converter has {', '.join(_POOLING)}")
        return _POOLING[encoder]

    def _table(self, name):
        for middle in ("embedding_layer.embedding_layer.", "embedding_layer."):
            tensor = self.tensors.get(f"{middle}embedding_layers.{name}.weight")
            if tensor is not None:
                return tensor.shape
        return self.specs[name]["vocab_size"], None

    # ---- Networks ----

    def network(self, block, where, has_output):
        """The section of an MLP_Block."""
        section = {"hidden_units": [], "activation": None, "batch_normalization": None}
        layers = list(block.mlp)
        linears = [i for i, layer in enumerate(layers) if type(layer).__name__ == "Linear"]
        if not linears or linears[0] != 0:
            raise Error(f"{where}: begins with a {type(layers[0]).__name__}, which the converter does not know")
        hidden = linears[:-1] if has_output else linears
        for begin, end in zip(hidden, linears[1:] + [len(layers)]):
            section["hidden_units"].append(int(layers[begin].weight.shape[0]))
            found = {"activation": "linear", "batch_normalization": False}
            for i in range(begin + 1, end):
                self._add_layer(found, layers[i], f"{where}.mlp.{i}")
            for key, value in found.items():
                if section[key] not in (None, value):
                    raise Error(f"{where}.mlp.{begin}: {key} is {value} here, and {section[key]} before")
                section[key] = value
        return {key: value for key, value in section.items() if value is not None}

    @staticmethod
    def _add_layer(found, layer, where):
        kind = type(layer).__name__
        if kind == "BatchNorm1d":
            torch_models.check_epsilon(layer, _BATCH_NORM_EPSILON, where)
            found["batch_normalization"] = True
        elif kind != "Dropout":
            found["activation"] = torch_models.activation(layer, where, _DICE_EPSILON)

    # ---- The whole ----

    def described(self, parts):
        kind, sections = parts(self)
        options = self.options
        columns = self.columns()
        attended = {field for part in self.sequences for field in part}
        history = {**{name: name for name in attended}, **options.history}
        candidate = set(options.candidate)
        if not candidate:  # What the feature_map says.
            candidate = {c.name for c in columns if self.specs[c.name].get("source") == "item"}
        candidate |= {field for part in self.targets for field in part}
        # What is compared together are the same events.
        roles = Roles(candidate - set(history), history, attended, positions=self.positions, sequences=options.sequences,
                      together=self.sequences)
        features = Features(columns, roles, self._table)
        spec = {"model": {"name": options.name or type(self.live).__name__, "version": options.version, "kind": kind,
                          "task": "binary" if type(self.live.output_activation).__name__ == "Sigmoid" else "regression"},
                "layout": LAYOUT}
        spec.update(features.histories(options.max_events))
        spec["features"] = features.spec()
        spec.update(sections(features, columns))
        return Described(spec, self._kept(columns), from_rows(features.requests, self.logits))

    def _kept(self, columns):
        """The tensors that a bundle is made from: no names twice, and nothing of the training alone."""
        names = {c.name for c in columns}
        tables = {c.table for c in columns} | {c.name for c in columns if c.kind == NUMBERS}
        kept = {}
        for name, tensor in self.tensors.items():
            path = name.split(".")
            if name.endswith(".num_batches_tracked") or path[0] == "aux_net" or path[-1] == "triu_mask":
                continue
            if "embedding_layers" in path:
                # The linear part has a table for each feature, shared or not.
                own = names if "lr_layer" in path else tables
                if path[path.index("embedding_layers") + 1] not in own:
                    continue
            kept[name] = tensor
        return kept

    # ---- Predictions ----

    def logits(self, rows):
        import torch  # pylint: disable=import-outside-toplevel
        given = {}
        for name, spec in self.specs.items():
            width = {"sequence": spec.get("max_len"), "embedding": spec.get("pretrain_dim")}.get(spec["type"]) or 1
            if name in self.left_out and name not in rows:
                given[name] = np.zeros((rows_of.count(rows), width), np.int64)
            elif spec["type"] in ("numeric", "embedding"):
                given[name] = rows_of.numbers(rows, name, width)
            else:
                given[name] = rows_of.ids(rows, name, width)
            if spec["type"] in ("numeric", "categorical"):
                given[name] = given[name][:, 0]
        said = []
        # Both where it is a layer of a network and where it is called: what goes in is the logit.
        hook = self.live.output_activation.register_forward_pre_hook(lambda layer, own: said.append(own[0].detach().clone()))
        try:
            with torch_models.evaluation(self.live), torch.no_grad():
                logits = []
                for first in range(0, rows_of.count(rows), _BATCH):
                    self.live(self._batch(given, first))
                    logits.append(said.pop().cpu().numpy().reshape(-1).astype(np.float32)[:-1])
                    said.clear()
        finally:
            hook.remove()
        return np.concatenate(logits)

    def _batch(self, given, first):
        """One row more than asked: the library squeezes batches of one, and DIEN needs a row with an event."""
        import torch  # pylint: disable=import-outside-toplevel
        batch = {}
        for name, array in given.items():
            own = np.concatenate([array[first:first + _BATCH], array[first:first + 1]])
            if self.fills_empty and name in {part[0] for part in self.sequences}:
                own[-1, 0] = 1
            batch[name] = torch.from_numpy(own)
        return batch


def _of_all(columns, features):
    return {"features": features.references(columns)}


def _din(model):
    model.targets, model.sequences = _flat(model.live.din_target_field), _flat(model.live.din_sequence_field)
    # Padding may be in front; what has no id at all is no event.
    model.positions = lambda ids: np.flatnonzero(np.any([own != 0 for own in ids.values()], axis=0))
    units = model.live.attention_layers
    sections = [{**model.network(unit.attention_layer, f"attention_layers.{a}.attention_layer", True),
                 "softmax": bool(unit.use_softmax)} for a, unit in enumerate(units)]
    for a, unit in enumerate(units):
        after = list(unit.attention_layer.mlp)[-1]
        if type(after).__name__ != "Linear":
            raise Error(f"attention_layers.{a}: its output has an activation, {type(after).__name__}, which the converter "
                        "does not have")
    local = _one_of(sections, "attention_layers")
    if local.pop("batch_normalization"):
        raise Error("attention_layers: normalised, which the converter does not have")
    network = model.network(model.live.dnn, "dnn", True)
    return "din", lambda features, columns: {"deep": {**_of_all(columns, features), **network},
                                             "attention": _attention(model, features, local)}


def _one_of(sections, where):
    for section in sections:
        if section != sections[0]:
            raise Error(f"{where}: they differ: {sections[0]} and {section}")
    return dict(sections[0])


def _attention(model, features, local):
    """The section of one attention, or those of several, which compare their own features in the same way."""
    by_name = {c.name: c for c in model.columns()}
    units = []
    for target, sequence in zip(model.targets, model.sequences):
        query, key = (features.references([by_name[field] for field in part]) for part in (target, sequence))
        units.append({"query": query, "key": key, **local})
    return units[0] if len(units) == 1 else [{"name": f"unit {i}", **unit} for i, unit in enumerate(units)]


_FORMS = {"din_attention": "unit", "bilinear_attention": "bilinear", "dot_attention": "dot"}


def _dien(model):
    live = model.live
    model.targets, model.sequences = _flat(live.dien_target_field), _flat(live.dien_sequence_field)
    model.left_out = {field for part in _flat(live.dien_neg_seq_field) for field in part}
    model.fills_empty = True
    model.positions = lambda ids: _packed_positions({part[0]: ids[part[0]] for part in model.sequences if part[0] in ids})
    sections = [_dien_attention(model, a, own) for a, own in enumerate(live.attention_modules)]
    local = _one_of(sections, "attention_modules") if sections else {"form": "none"}
    network = model.network(live.dnn, "dnn", True)
    evolution = {"cell": live.gru_type}
    if live.enable_sum_pooling:
        evolution["sum_pooling"] = True

    def parts(features, columns):
        attended = {field for part in model.sequences for field in part}
        others = [c for c in columns if c.name not in attended]
        return {"deep": {**_of_all(others, features), **network}, "attention": _attention(model, features, local),
                "evolution": evolution}
    return "dien", parts


def _packed_positions(firsts):
    """Sequences are packed: as many positions as there are ids in the first of those that are compared together.

    Args:
        firsts: of one sequence of events, the first column of each attention -> its ids.
    """
    counts = {name: int((ids > 0).sum()) for name, ids in firsts.items()}
    if len(set(counts.values())) > 1:
        raise Error("sequences: a row has different numbers of the same events: " +
                    ", ".join(f"'{name}' {own}" for name, own in counts.items()))
    return list(range(next(iter(counts.values()))))


def _dien_attention(model, index, own):
    form = _FORMS[own.attention_type]
    section = {"form": form, "softmax": bool(own.use_attention_softmax)}
    if form == "unit":
        section.update(model.network(own.attn_mlp, f"attention_modules.{index}.attn_mlp", True))
        del section["batch_normalization"]  # It has none.
    return section


def _deepfm(model):
    network = model.network(model.live.mlp, "mlp", True)
    return "deepfm", lambda features, columns: {"wide": _of_all(columns, features),
                                                "deep": {**_of_all(columns, features), **network}}


def _wide_deep(model):
    network = model.network(model.live.dnn, "dnn", True)
    return "wide_deep", lambda features, columns: {"wide": _of_all(columns, features),
                                                   "deep": {**_of_all(columns, features), **network}}


def _nfm(model):
    _, parts = _wide_deep(model)
    return "nfm", parts


def _pnn(model):
    network = model.network(model.live.dnn, "dnn", True)
    return "pnn", lambda features, columns: {"deep": {**_of_all(columns, features), **network}, "products": {"inner": True}}


def _fm(model):
    del model
    return "fm", lambda features, columns: {"wide": _of_all(columns, features), "deep": _of_all(columns, features)}


def _lr(model):
    del model
    return "lr", lambda features, columns: {"wide": _of_all(columns, features)}


def _dcnv2(model):
    live = model.live
    if not hasattr(live.crossnet, "cross_layers"):
        raise Error("crossnet: of use_low_rank_mixture, which the converter does not have")
    cross = {"layers": len(live.crossnet.cross_layers), "parameterization": "matrix"}
    structure = live.model_structure
    network = {"hidden_units": []}
    if structure == "stacked":
        network = model.network(live.stacked_dnn, "stacked_dnn", False)
        cross["structure"] = "stacked"
    elif structure in ("parallel", "stacked_parallel"):
        network = model.network(live.parallel_dnn, "parallel_dnn", False)
        cross["structure"] = structure
    if structure == "stacked_parallel":
        upon = model.network(live.stacked_dnn, "stacked_dnn", False)
        cross["hidden_units"] = upon.pop("hidden_units")
        _one_of([{key: own for key, own in network.items() if key != "hidden_units"}, upon], "stacked_dnn, parallel_dnn")
    return "dcn", lambda features, columns: {"deep": {**_of_all(columns, features), **network}, "cross": cross}


_PARTS = {"DIN": _din, "DIEN": _dien, "DeepFM": _deepfm, "DCNv2": _dcnv2, "WideDeep": _wide_deep, "NFM": _nfm, "PNN": _pnn,
          "FM": _fm, "LR": _lr}

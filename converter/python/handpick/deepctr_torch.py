"""Models of DeepCTR-Torch 0.2.9 -> spec, tensors, logits.

Everything is read from the live object: its columns, its modules, its state_dict. What the library reads in another
order than its arguments suggest is said in converter/layouts.
"""

import contextlib

import numpy as np

from . import rows as rows_of
from . import torch_models
from .columns import ID, IDS, NUMBERS, Features, Roles, ids_in_groups, in_groups, of_deepctr
from .command import Error
from .described import Described, from_rows

LAYOUT = "deepctr-torch"
_BATCH_NORM_EPSILON, _DICE_EPSILON = 1e-5, 1e-8
_BATCH = 256


def describe(model, feature_columns, options):
    """model: of a class of the library, or of one derived from it. feature_columns: None, or to be compared."""
    kind = library_class(model)
    if kind not in _PARTS:
        raise Error(f"{kind} of DeepCTR-Torch: the converter has no such kind of model; it has {', '.join(_PARTS)}")
    tensors = torch_models.tensors_of(model)
    parts = _PARTS[kind](_Model(model, kind, tensors, options))
    parts.check_columns(feature_columns)
    return parts.described()


def library_class(model):
    """The name of the library's class that a model is of; None if it is of none."""
    for own in type(model).__mro__:
        if own.__module__.startswith("deepctr_torch.models") and own.__name__ != "BaseModel":
            return own.__name__
    return None


def _columns(given):
    return [of_deepctr(column) for column in given or []]


class _Model:
    """A live model, and what its spec becomes."""

    def __init__(self, model, library_name, tensors, options):
        self.live, self.library_name, self.tensors, self.options = model, library_name, tensors, options
        self.kind = None  # As in a spec.
        self.task = "binary"
        self.outputs = None
        self.read = []  # Columns, in the order that the spec gets.
        self.attended = []  # Columns.
        self.events = None
        self.parts = None  # Features -> sections.
        self.features = None
        self.logits = None  # Rows -> array, or by output.
        self.dropped = ()  # How names begin of tensors that prediction does not need.
        self.table_prefixes = ("embedding_dict.", "linear_model.embedding_dict.")
        self.notes = []

    # ---- Columns ----

    def deep_columns(self):
        return _columns(self.live.dnn_feature_columns)

    def wide_columns(self):
        linear = self.live.linear_model
        return _columns([*linear.sparse_feature_columns, *linear.varlen_sparse_feature_columns,
                         *linear.dense_feature_columns])

    def check_columns(self, given):
        """The model holds its columns; others are a mistake."""
        if given is None:
            return
        names = set()
        for own in given:  # Columns, or lists of them.
            names |= {c.name for c in (own if isinstance(own, list) else [own])}
        strange = sorted(names - set(self.live.feature_index)) + sorted({c.name for c in self.read} - names)
        if strange:
            raise Error(f"feature columns: those that the model was built from are others: {', '.join(strange)}")

    def table(self, name):
        for prefix in self.table_prefixes:
            tensor = self.tensors.get(f"{prefix}{name}.weight")
            if tensor is not None:
                # A linear part's table has one number a row, whatever the width that a column asks for.
                return tensor.shape[0], tensor.shape[1] if prefix == "embedding_dict." else None
        raise Error(f"the model has no table '{name}'")

    # ---- Networks ----

    def network(self, *paths):
        """The section of networks that are alike."""
        units = {path: self._hidden_units(path) for path in paths}
        sections = [{"hidden_units": units[path], **self._activation_of(path, len(units[path]))} for path in paths]
        for path, section in zip(paths, sections):
            if section != sections[0]:
                raise Error(f"networks {paths[0]} and {path} differ: {sections[0]} and {section}")
        return sections[0]

    def _hidden_units(self, path):
        units = []
        while f"{path}.linears.{len(units)}.weight" in self.tensors:
            units.append(int(self.tensors[f"{path}.linears.{len(units)}.weight"].shape[0]))
        return units

    def _activation_of(self, path, layers):
        network = self.live
        for part in path.split("."):
            network = network[int(part)] if part.isdigit() else getattr(network, part)
        if layers == 0:
            return {}
        names = [torch_models.activation(network.activation_layers[i], f"{path}.activation_layers.{i}", _DICE_EPSILON)
                 for i in range(layers)]
        if len(set(names)) > 1:
            raise Error(f"{path}: its layers have different activations: {', '.join(names)}")
        normalised = f"{path}.bn.0.weight" in self.tensors
        if normalised:
            for i in range(layers):
                torch_models.check_epsilon(network.bn[i], _BATCH_NORM_EPSILON, f"{path}.bn.{i}")
        return {"activation": names[0], "batch_normalization": normalised}

    # ---- The whole ----

    def described(self):
        options = self.options
        attended = {c.name: c.name[len("hist_"):] for c in self.attended}
        history = {**attended, **options.history}
        candidate = set(options.candidate)
        if self.attended:  # They are compared with what the candidate is.
            candidate |= {name[len("hist_"):] for name in attended}
        roles = Roles(candidate, history, set(attended), self.events, sequences=options.sequences,
                      together=[list(attended)] if attended else [])
        self.features = Features(self.read, roles, self.table)
        spec = {"model": {"name": options.name or self.library_name, "version": options.version, "kind": self.kind}}
        if self.outputs is not None:
            spec["model"]["outputs"] = self.outputs
        elif self.kind != "esmm":
            spec["model"]["task"] = self.task
        if options.rank_by is not None:
            spec["model"]["rank_by"] = options.rank_by
        spec["layout"] = LAYOUT
        spec.update(self.features.histories(options.max_events))
        spec["features"] = self.features.spec()
        spec.update(self.parts(self.features))
        return Described(spec, self._kept(), from_rows(self.features.requests, self.logits), self.notes)

    def _kept(self):
        """The tensors that a bundle is made from."""
        tables = {c.table for c in self.read if c.kind != NUMBERS}
        kept = {}
        for name, tensor in self.tensors.items():
            if name.startswith(self.dropped) or name.endswith(".num_batches_tracked"):
                continue
            if name.startswith("embedding_dict.") and name[len("embedding_dict."):-len(".weight")] not in tables:
                continue
            kept[name] = tensor
        return kept

    # ---- Predictions ----

    def matrix(self, rows):
        """The library's input. Columns that no prediction depends on may be missing."""
        needed = {c.name for c in self.read}
        total = rows_of.count(rows)
        blocks = []
        for name, (begin, end) in self.live.feature_index.items():
            if name in rows or name in needed:
                blocks.append(rows_of.matrix(rows, name, end - begin))
            else:
                blocks.append(np.zeros((total, end - begin)))
        return np.concatenate(blocks, axis=1).astype(np.float32)

    def run(self, rows, after):
        """after(what the model says of a batch) of all rows, joined."""
        import torch  # pylint: disable=import-outside-toplevel
        given = self.matrix(rows)
        said = []
        with torch_models.evaluation(self.live), torch.no_grad():
            device = next(self.live.parameters()).device
            for first in range(0, len(given), _BATCH):
                batch = given[first:first + _BATCH]
                # One row more: the library squeezes a batch of one away (MMOE), and has no answer to one without any
                # event (DIEN).
                batch = np.concatenate([batch, batch[:1]])
                if self.events is not None:
                    batch[-1, self.live.feature_index[self.events][0]] = 1
                answer = after(self.live(torch.from_numpy(batch).to(device)))
                said.append(answer.detach().cpu().numpy().astype(np.float32)[:-1])
        return np.concatenate(said)


@contextlib.contextmanager
def _without_sigmoid(*layers):
    """Output layers that say logits: regression is the same without the sigmoid."""
    tasks = [layer.task for layer in layers]
    try:
        for layer in layers:
            layer.task = "regression"
        yield
    finally:
        for layer, task in zip(layers, tasks):
            layer.task = task


def _one_logit(model):
    def logits(rows):
        with _without_sigmoid(model.live.out):
            return model.run(rows, lambda said: said.reshape(-1))
    return logits


def _sections(**sections):
    return {name: section for name, section in sections.items() if section is not None}


def _wide(model, features):
    columns = model.wide_columns()
    return {"features": features.uses(columns)} if columns else None


def _wide_and_deep(model, kind, deep, extra=None):
    """Kinds of a linear part and a deep one. deep: columns -> section, or None where there is no deep part."""
    model.kind, model.task = kind, model.live.out.task
    model.logits = _one_logit(model)
    columns = model.deep_columns()
    wide = model.wide_columns()
    model.read = wide + (columns if deep is not None else [])
    if not model.read:
        raise Error(f"{model.library_name}: no column has anything to do with its logit")
    if deep is None:
        model.dropped = ("embedding_dict.",)
    model.parts = lambda features: _sections(
        wide=_wide(model, features), deep=deep and {"features": features.uses(columns), **deep}, **(extra or {}))
    return model


def _has_ids(columns):
    return any(c.kind != NUMBERS for c in columns)


def _wdl(model):
    return _wide_and_deep(model, "wide_deep", model.network("dnn") if model.live.use_dnn else None)


def _deepfm(model):
    if not (model.live.use_fm and _has_ids(model.deep_columns())):
        return _wdl(model)
    if model.live.use_dnn:
        return _wide_and_deep(model, "deepfm", model.network("dnn"))
    return _pairs_alone(model, "fm")


def _pairs_alone(model, kind):
    """Without a network: numbers of the deep part change nothing."""
    found = _wide_and_deep(model, kind, {})
    columns = [c for c in model.deep_columns() if c.kind != NUMBERS]
    found.read = model.wide_columns() + columns
    found.parts = lambda features: _sections(wide=_wide(model, features), deep={"features": features.uses(columns)})
    return found


def _nfm(model):
    network = model.network("dnn")
    del network["batch_normalization"]  # The class has none.
    return _wide_and_deep(model, "nfm", network)


def _afm(model):
    if not _has_ids(model.deep_columns()):
        return _wide_and_deep(model, "lr", None)
    return _pairs_alone(model, "afm" if model.live.use_attention else "fm")


def _pnn(model):
    network = model.network("dnn")
    if not (model.live.use_inner or model.live.use_outter):
        return _wide_and_deep(model, "wide_deep", network)
    del network["batch_normalization"]
    products = {"inner": bool(model.live.use_inner), "outer": model.live.kernel_type if model.live.use_outter else "none"}
    return _wide_and_deep(model, "pnn", network, {"products": products})


def _dcn(model):
    live = model.live
    cross = {"layers": live.cross_num, "parameterization": live.crossnet.parameterization} if live.cross_num else None
    found = _wide_and_deep(model, "dcn", model.network("dnn"), {"cross": cross})
    if cross is None:
        found.dropped = ("crossnet.",)  # Tensors of no layers.
    return found


def _attending(model, kind, names, unit):
    """What DIN and DIEN share."""
    model.kind, model.task = kind, model.live.out.task
    model.logits = _one_logit(model)
    columns = model.deep_columns()
    names = list(names)
    model.attended = [c for c in columns if c.kind == IDS and c.name in {"hist_" + name for name in names}]
    counted = [c.length for c in columns if c.kind == IDS and c.length is not None]
    if not model.attended or not counted:
        raise Error(f"{model.library_name}: there is no sequence 'hist_...' with a length_name to attend to")
    model.events = counted[0]
    if model.events not in {c.length for c in model.attended}:
        model.notes.append(f"{model.library_name} counts events by '{model.events}', the first length of all: "
                           "no column of the history names it")
    query = in_groups([c for c in columns if c.kind == ID and c.name in names])
    key = in_groups(model.attended)
    if ["hist_" + c.name for c in query] != [c.name for c in key]:
        model.notes.append(f"{model.library_name} compares {[c.name for c in query]} with {[c.name for c in key]}, in "
                           "these orders; the bundle will too")
    local = model.network(f"{unit}.local_att.dnn")
    attention = model.live.attention if kind == "din" else model.live.interest_evolution.attention
    del local["batch_normalization"]  # The unit has none.
    local["softmax"] = bool(attention.weight_normalization)

    def parts(features, deep):
        return {"deep": {"features": features.uses(deep), **model.network("dnn")},
                "attention": {"query": features.references(query), "key": features.references(key), **local}}
    return parts


def _din(model):
    parts = _attending(model, "din", model.live.history_feature_list, "attention")
    attended = {c.name for c in model.attended}
    model.read = model.deep_columns()
    deep = ids_in_groups([c for c in model.read if c.name not in attended])
    model.parts = lambda features: parts(features, deep)
    return model


def _dien(model):
    parts = _attending(model, "dien", model.live.item_features, "interest_evolution.attention")
    attended = {c.name for c in model.attended}
    columns = model.deep_columns()
    left_out = [c.name for c in columns if c.kind == IDS and c.name not in attended and not c.name.startswith("neg_hist_")]
    if left_out:
        model.notes.append(f"DIEN does not read {', '.join(left_out)}: sequences that are no history are left out")
    model.read = [c for c in columns if c.kind != IDS or c.name in attended]
    deep = ids_in_groups([c for c in model.read if c.name not in attended])
    model.dropped = ("interest_extractor.auxiliary_net.",)
    model.parts = lambda features: {**parts(features, deep), "evolution": {"cell": model.live.interest_evolution.gru_type}}
    return model


def _mlr(model):
    live = model.live
    region, bias = _columns(live.region_feature_columns), _columns(live.bias_feature_columns)
    model.kind, model.task = "mlr", live.prediction_layer.task
    model.read = region + bias
    model.dropped = ("base_linear_model.", "linear_model.", "embedding_dict.", "out.")  # Nothing reads them.
    model.table_prefixes = ("region_linear_model.0.embedding_dict.", "bias_model.0.embedding_dict.")
    model.parts = lambda features: {"piecewise": _sections(
        count=int(live.region_num), features=features.uses(region), bias_features=features.uses(bias) if bias else None)}
    model.logits = lambda rows: model.run(rows, lambda said: said.reshape(-1))  # Probabilities: there is no logit.
    return model


def _esmm(model):
    model.kind = "esmm"
    model.read = model.deep_columns()
    network = model.network("ctr_dnn", "cvr_dnn")
    model.parts = lambda features: {"deep": {"features": features.uses(model.read), **network}}

    def logits(rows):
        import torch  # pylint: disable=import-outside-toplevel
        said = []  # What the output layer makes of each network.
        hook = model.live.out.register_forward_hook(lambda layer, given, answer: said.append(answer.clone()))

        def both(_):
            joined = torch.cat(said, dim=1)
            said.clear()
            return joined
        try:
            with _without_sigmoid(model.live.out):
                answers = model.run(rows, both)
        finally:
            hook.remove()
        return {"ctr": answers[:, 0], "cvr": answers[:, 1]}
    model.logits = logits
    return model


def _tasks(model, kind, shared, extra):
    """Kinds with an output layer for each task. shared, extra: networks that all have, and those that some may have."""
    live = model.live
    model.kind = kind
    model.read = model.deep_columns()
    model.outputs = [{"name": str(name), "task": layer.task} for name, layer in zip(live.task_names, live.out)]
    network = model.network(*shared)
    for path in extra:
        own = model.network(path)
        for key in ("activation", "batch_normalization"):
            if own[key] != network[key]:
                raise Error(f"networks {shared[0]} and {path} differ: {key} is {network[key]} and {own[key]}")

    def logits(rows):
        with _without_sigmoid(*live.out):
            answers = model.run(rows, lambda said: said)
        return {output["name"]: answers[:, t] for t, output in enumerate(model.outputs)}
    model.logits = logits
    return network


def _towers(model):
    paths = [f"tower_dnn.{t}" for t in range(len(model.live.task_names))] if model.live.tower_dnn_hidden_units else []
    return paths, {"hidden_units": model.network(*paths)["hidden_units"] if paths else []}


def _shared_bottom(model):
    paths, towers = _towers(model)
    network = _tasks(model, "shared_bottom", ["bottom_dnn"], paths)
    model.parts = lambda features: {"deep": {"features": features.uses(model.read), **network}, "tasks": towers}
    return model


def _mmoe(model):
    live = model.live
    paths, towers = _towers(model)
    gates = [f"gate_dnn.{t}" for t in range(len(live.task_names))] if live.gate_dnn_hidden_units else []
    network = _tasks(model, "mmoe", [f"expert_dnn.{e}" for e in range(live.num_experts)], paths + gates)
    experts = {"count": int(live.num_experts)}
    if gates:
        experts["gate_hidden_units"] = model.network(*gates)["hidden_units"]
    model.parts = lambda features: {"deep": {"features": features.uses(model.read), **network}, "experts": experts,
                                    "tasks": towers}
    return model


_PARTS = {"WDL": _wdl, "DeepFM": _deepfm, "NFM": _nfm, "AFM": _afm, "PNN": _pnn, "DCN": _dcn, "DIN": _din, "DIEN": _dien,
          "MLR": _mlr, "ESMM": _esmm, "MMOE": _mmoe, "SharedBottom": _shared_bottom}

"""Models of DeepCTR 0.9 (TensorFlow) -> spec, tensors, logits.

They are Keras models without a class of their own: what they are is told by their layers. Their columns, which no model
holds, are the caller's. TensorFlow itself is the caller's: nothing here imports it.
"""

import numpy as np

from . import rows as rows_of
from .columns import ID, IDS, NUMBERS, Features, Roles, ids_in_groups, in_groups, of_deepctr
from .command import Error
from .described import Described, from_rows

LAYOUT = "deepctr"
_ACTIVATIONS = ("linear", "relu", "sigmoid", "tanh", "prelu", "dice")
# A layer that says which kind of model it is in, the first that there is.
_KINDS = (("DynamicGRU", "dien"), ("AttentionSequencePoolingLayer", "din"), ("CrossNet", "dcn"),
          ("BiInteractionPooling", "nfm"), ("AFMLayer", "afm"), ("InnerProductLayer", "pnn"), ("OutterProductLayer", "pnn"))


def library_class(model):
    """The kind of a Keras model that has layers of the library; None if it is none."""
    layers = getattr(model, "layers", [])
    if not any(type(layer).__module__.startswith("deepctr.layers") for layer in layers):
        return None
    classes = {type(layer).__name__ for layer in layers}
    names = {layer.name for layer in layers}
    for class_name, kind in _KINDS:
        if class_name in classes:
            return kind
    if any(name.startswith("tower_") for name in names):
        return "mmoe" if "expert_0" in names else "shared_bottom"
    if sum(type(layer).__name__ == "PredictionLayer" for layer in layers) == 2:
        return "esmm"
    if "DNN" in classes:
        return "deepfm" if "FM" in classes else "wide_deep"
    return "fm" if "FM" in classes else "lr"


def describe(model, feature_columns, options):
    """feature_columns: (linear, deep), or the deep ones alone where the model has no linear part."""
    if feature_columns is None:
        raise Error("feature columns: a model of DeepCTR does not hold them; give (linear_feature_columns, "
                    "dnn_feature_columns), or a list of one kind alone")
    return _Model(model, feature_columns, options).described()


def _columns(given):
    for column in given:
        # What ids and numbers go through before the model sees them.
        for name in ("use_hash", "weight_name", "transform_fn"):
            if getattr(column, name, None):
                raise Error(f"feature column '{column.name}': it has a {name}, which the converter does not know")
    return [of_deepctr(column) for column in given]


class _Model:
    def __init__(self, model, feature_columns, options):
        self.live, self.options, self.kind = model, options, library_class(model)
        self.wide, self.deep = ([], feature_columns) if isinstance(feature_columns, list) else feature_columns
        self.wide, self.deep = _columns(self.wide), _columns(self.deep)
        self.tensors = {}
        for weight in model.weights:
            if weight.name in self.tensors:
                raise Error(f"two weights have the name '{weight.name}'")
            self.tensors[weight.name] = np.asarray(weight.numpy())

    # ---- Layers ----

    def layers(self, class_name, prefix=""):
        return [layer for layer in self.live.layers if type(layer).__name__ == class_name and layer.name.startswith(prefix)]

    def network(self, *layers):
        """The section of DNN layers that are alike."""
        sections = [{"hidden_units": [int(units) for units in layer.hidden_units], "activation": _activation(layer),
                     "batch_normalization": bool(layer.use_bn)} for layer in layers]
        for layer, section in zip(layers, sections):
            if section != sections[0]:
                raise Error(f"networks {layers[0].name} and {layer.name} differ: {sections[0]} and {section}")
        return sections[0]

    def predictions(self):
        return self.layers("PredictionLayer")

    # ---- The whole ----

    def described(self):
        options, kind = self.options, self.kind
        attended = self._attended() if kind in ("din", "dien") else []
        history = {**{c.name: c.name[len("hist_"):] for c in attended}, **options.history}
        candidate = set(options.candidate) | {c.name[len("hist_"):] for c in attended}
        deep = [c for c in self.deep if not c.name.startswith("neg_hist_")]
        read = self.wide + deep
        groups = {c.group for c in read if c.group is not None}
        if len(groups) > 1 and not attended:
            raise Error(f"feature columns: they have the groups {', '.join(sorted(groups))}; the converter knows one")
        roles = Roles(candidate, history, {c.name for c in attended}, "seq_length" if kind == "dien" else None,
                      _filled_positions if kind == "din" else None, sequences=options.sequences,
                      together=[[c.name for c in attended]] if attended else [])
        features = Features(read, roles, self._table)
        spec = {"model": {"name": options.name or kind, "version": options.version, "kind": kind}}
        if kind in ("shared_bottom", "mmoe"):
            spec["model"]["outputs"] = [{"name": layer.name, "task": layer.task} for layer in self.predictions()]
        elif kind != "esmm":
            spec["model"]["task"] = self.predictions()[0].task
        if options.rank_by is not None:
            spec["model"]["rank_by"] = options.rank_by
        spec["layout"] = LAYOUT
        spec.update(features.histories(options.max_events))
        spec["features"] = features.spec()
        spec.update(self._sections(features, attended, [c for c in deep if c not in attended]))
        return Described(spec, self.tensors, from_rows(features.requests, self.logits))

    def _attended(self):
        ids = {c.name for c in self.deep if c.kind == ID}
        found = [c for c in self.deep if c.kind == IDS and c.name.startswith("hist_") and c.name[len("hist_"):] in ids]
        if not found:
            raise Error("feature columns: there is no sequence 'hist_...' of a column that the model attends by")
        return found

    def _table(self, name):
        for prefix in ("sparse_emb_", "sparse_seq_emb_"):
            if f"{prefix}{name}/embeddings:0" in self.tensors:
                return self.tensors[f"{prefix}{name}/embeddings:0"].shape
            if f"linear0{prefix}{name}/embeddings:0" in self.tensors:
                return self.tensors[f"linear0{prefix}{name}/embeddings:0"].shape[0], None
        raise Error(f"the model has no embeddings '{name}'")

    def _sections(self, features, attended, deep):
        kind = self.kind
        sections = {"wide": {"features": features.uses(self.wide)}} if self.wide else {}
        if kind == "lr":
            return sections
        if kind in ("fm", "afm"):
            deep = [c for c in deep if c.kind != NUMBERS]
        if attended:
            deep = ids_in_groups(deep)
        sections["deep"] = {"features": features.uses(deep)}
        if kind in ("shared_bottom", "mmoe"):
            towers = self.layers("DNN", "tower_")
            sections["tasks"] = {"hidden_units": self.network(*towers)["hidden_units"]}
            experts = self.layers("DNN", "expert_")
            if kind == "mmoe":
                gate = self.network(*self.layers("DNN", "gate_"))["hidden_units"]
                sections["experts"] = {"count": len(experts), **({"gate_hidden_units": gate} if gate else {})}
            shared = experts or [layer for layer in self.layers("DNN") if layer not in towers]
            sections["deep"].update(self.network(*shared))
        elif self.layers("DNN"):
            sections["deep"].update(self.network(*self.layers("DNN")))
        elif kind == "dcn":
            sections["deep"]["hidden_units"] = []
        if kind == "dcn":
            (cross,) = self.layers("CrossNet")
            sections["cross"] = {"layers": int(cross.layer_num), "parameterization": cross.parameterization}
        if kind == "pnn":
            outer = self.layers("OutterProductLayer")
            sections["products"] = {"inner": bool(self.layers("InnerProductLayer")),
                                    "outer": outer[0].kernel_type if outer else "none"}
        if attended:
            sections.update(self._attention(features, attended))
        return sections

    def _attention(self, features, attended):
        (layer,) = self.layers("AttentionSequencePoolingLayer")
        names = {c.name[len("hist_"):] for c in attended}
        query = in_groups([c for c in self.deep if c.kind == ID and c.name in names])
        said = {"query": features.references(query), "key": features.references(in_groups(attended)),
                "hidden_units": [int(units) for units in layer.att_hidden_units],
                "activation": _known(layer.att_activation, layer.name), "softmax": bool(layer.weight_normalization)}
        if self.kind == "din":
            return {"attention": said}
        # The first recurrence is a GRU in every model.
        cells = [own.gru_type for own in self.layers("DynamicGRU")]
        return {"attention": said, "evolution": {"cell": cells[-1]}}

    # ---- Predictions ----

    def logits(self, rows):
        layers = self.predictions()
        given = {}
        for layer in self.live.inputs:
            name = layer.name.split(":")[0]
            given[name] = rows_of.matrix(rows, name, int(layer.shape[1]))
        tasks = [layer.task for layer in layers]
        # A layer that is asked for the value itself says the logit. Of ESMM's two the first, which is in both answers,
        # stays a probability.
        says_logit = layers[1:] if self.kind == "esmm" else layers
        try:
            for layer in says_logit:
                layer.task = "regression"
            said = self.live(given, training=False)
        finally:
            for layer, task in zip(layers, tasks):
                layer.task = task
        said = [np.asarray(own, np.float32).reshape(-1) for own in (said if isinstance(said, (list, tuple)) else [said])]
        if self.kind == "esmm":
            ctr = said[0].astype(np.float64)
            return {"ctr": np.log(ctr) - np.log1p(-ctr), "cvr": said[1] / ctr}
        if len(layers) == 1:
            return said[0]
        return {layer.name: own for layer, own in zip(layers, said)}


def _activation(layer):
    return _known(layer.activation, layer.name)


def _known(activation, where):
    if activation not in _ACTIVATIONS:
        raise Error(f"{where}: the converter has no activation {activation!r}; it has {', '.join(_ACTIVATIONS)}")
    return activation


def _filled_positions(ids):
    """Up to the last id that is not 0, of any sequence."""
    used = np.flatnonzero(np.any([own != 0 for own in ids.values()], axis=0))
    return list(range(int(used[-1]) + 1 if len(used) else 0))

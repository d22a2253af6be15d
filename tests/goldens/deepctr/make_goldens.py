"""Writes golden models of DeepCTR (TensorFlow), of all kinds, for layout deepctr: random weights under the names that tf.keras
gives them, and what ../common/deepctr_numpy.py makes of them.

    python3 deepctr/make_goldens.py    # writes ../KIND/keras_NAME.*, a few seconds; NumPy alone
"""

import argparse
import dataclasses
import os
import sys

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "common"))

from columns import Dense, History, Length, Sequence, Sparse, random_rows  # noqa: E402
from deepctr_numpy import MODELS, Inputs, Keras, sigmoid  # noqa: E402
from files import reference, request_of, write_requests, write_spec, write_weights  # noqa: E402

SINGLE_REQUESTS = 8
MANY_CANDIDATES = 200


@dataclasses.dataclass
class Variant:
    kind: str
    name: str
    columns: list  # dnn_feature_columns, and lengths.
    linear: list = ()  # linear_feature_columns
    linear_alone: list = ()  # Those of them that are no dnn_feature_columns.
    hidden_units: list = (12, 7)
    activation: str = "relu"
    use_bn: bool = False
    task: str = "binary"
    weights: str = "safetensors"
    max_events: int = 0
    made_before: int = 0
    release_names: bool = False
    # PNN, DCN, AFM.
    inner: bool = False
    outer: str = "none"
    cross_num: int = 0
    parameterization: str = "vector"
    factor: int = 0
    # DIN, DIEN.
    history: list = ()  # history_feature_list
    unit: list = (8, 5)
    unit_activation: str = "dice"
    softmax: bool = False
    cell: str = ""
    # Several tasks.
    tasks: dict = dataclasses.field(default_factory=dict)  # Name -> binary or regression.
    tower_units: list = (6,)
    experts: int = 0
    gate_units: list = ()


def all_columns(v):
    return [*v.columns, *v.linear_alone]


def spec_of(v):
    def names(columns):
        return [reference(v, c) for c in columns]
    network = {"hidden_units": list(v.hidden_units), "activation": v.activation}
    if v.use_bn:
        network["batch_normalization"] = True
    model = {"name": v.name, "version": "1", "kind": v.kind}
    if v.tasks:
        model["outputs"] = [{"name": name, "task": task} for name, task in v.tasks.items()]
    elif v.kind != "esmm":
        model["task"] = v.task
    spec = {"model": model, "layout": "deepctr"}
    if v.max_events:
        spec["history"] = {"max_events": v.max_events}
    spec["features"] = [column.spec() for column in all_columns(v)]
    linear = [*v.linear, *v.linear_alone]
    if linear:
        spec["wide"] = {"features": names(linear)}
    attended = [c for c in v.columns if isinstance(c, History)]
    deep = [c for c in v.columns if not isinstance(c, (Length, History))]
    spec["deep"] = {"features": names(deep)}
    if v.kind not in ("afm", "fm"):
        spec["deep"].update(network)
    if v.kind == "pnn":
        spec["products"] = {"inner": v.inner, "outer": v.outer}
    if v.cross_num:
        spec["cross"] = {"layers": v.cross_num, "parameterization": v.parameterization}
    if v.history:
        query = [c for c in deep if c.key in v.history]
        spec["attention"] = {"query": names(query), "key": names(attended), "hidden_units": list(v.unit),
                             "activation": v.unit_activation, "softmax": v.softmax}
    if v.cell:
        spec["evolution"] = {"cell": v.cell}
    if v.tasks:
        spec["tasks"] = {"hidden_units": list(v.tower_units)}
    if v.experts:
        spec["experts"] = {"count": v.experts}
        if v.gate_units:
            spec["experts"]["gate_hidden_units"] = list(v.gate_units)
    return spec


def logits_of(v, keras, seens):
    keras.begin()
    logits = MODELS[v.kind](keras, Inputs(all_columns(v), seens), v)
    if v.kind == "esmm":
        logits["ctcvr"] = np.log(sigmoid(logits["ctr"])) + np.log(sigmoid(logits["cvr"]))
    logits = {name: values.astype(np.float32) for name, values in logits.items()}
    return logits[""] if list(logits) == [""] else logits


def requests_of(v, keras, rng):
    """Some of one candidate and one of many; by the number of events, where there is a history."""
    most = v.max_events
    for events in sorted({0, 1, 2, most - 1, most} & set(range(most + 1))) if most else [None]:
        given = None if events is None else ({}, {History.length: events})
        many = MANY_CANDIDATES if events in (None, most) else 20
        for count in [1] * (SINGLE_REQUESTS if events is None else 2) + [many]:
            shared = [c for c in all_columns(v) if c.side in ("context", "history")]
            raws, seens = random_rows(shared, 1, rng, False, given)
            raws, seens = random_rows(all_columns(v), count, rng, False, (raws[0], seens[0]))
            # Files look for a variant's columns.
            everything = dataclasses.replace(v, columns=all_columns(v), linear_alone=())
            yield request_of(everything, raws, logits_of(v, keras, seens))


# ---- The models -----------------------------------------------------------------------------------


def usual(width=5, lengths=False, combiner="mean"):
    """Of each kind one of the context and one of the candidate, in no order; lengths come before what has them."""
    first = [Length("tag_count", "candidate", 5), Length("like_count", "context", 4)] if lengths else []
    tag_length, like_length = ("tag_count", "like_count") if lengths else (None, None)
    return first + [
        Dense("age", "context"), Sequence("tags", "candidate", 15, width, combiner=combiner, length=tag_length),
        Sparse("user_id", "context", 40, width), Dense("price", "candidate", 2),
        Sparse("item_id", "candidate", 60, width),
        Sequence("likes", "context", 20, width, maxlen=4, combiner="sum" if combiner == "max" else combiner,
                 length=like_length)]


def fields(columns):
    return [c for c in columns if not isinstance(c, (Dense, Length))]


def numbers(columns):
    return [c for c in columns if isinstance(c, Dense)]


def shared_tables():
    """A table that an item and two sequences look into: sparse_emb_item_id; one that sequences alone do."""
    return [Sparse("user_id", "context", 30, 4), Sparse("item_id", "candidate", 40, 4), Dense("price", "candidate"),
            Sequence("bought", "context", 40, 4, maxlen=3, table="item_id", combiner="sum"),
            Sequence("alike", "candidate", 40, 4, maxlen=3, table="item_id"),
            Sequence("words", "candidate", 12, 4, maxlen=4, table="word"),
            Sequence("queries", "context", 12, 4, maxlen=4, table="word")]


def linear_of(columns):
    return [c for c in columns if not isinstance(c, Length)]


def events(most, first=0, tables=("item", "cate")):
    """hist_item and hist_cate. first: the smallest id of an event; DIN takes 0 for padding."""
    item, cate = tables
    return [Sparse("user_id", "context", 30, 4), Dense("age", "context"), Sparse("item", "candidate", 50, 6, table=item),
            Sparse("cate", "candidate", 12, 3, table=cate), Dense("price", "candidate", 2),
            History("item", 50, 6, most, table=item, key="hist_item", first=first),
            History("cate", 12, 3, most, table=cate, key="hist_cate", first=first)]


def of_events(kind, name, columns, most=6, **values):
    return Variant(kind, name, columns, history=("item", "cate"), max_events=most, **{"hidden_units": (10, 6), **values})


def din(name, columns=None, **values):
    return of_events("din", name, columns or events(6, 1), **values)


def dien(name, cell, columns=None, **values):
    return of_events("dien", name, columns or events(6), cell=cell, **values)


def variants():
    columns, lengths = usual(), usual(lengths=True)
    longest = usual(lengths=True, combiner="max")
    shared = shared_tables()
    pooled = events(5, 1) + [Sequence("tags", "candidate", 15, 4, combiner="sum"),
                             Sequence("likes", "context", 20, 3, maxlen=4)]
    with_lengths = events(5) + [Length("tag_count", "candidate", 5),
                                Sequence("tags", "candidate", 15, 4, combiner="mean", length="tag_count")]
    of_release = events(6, 1, ("hist_item", "hist_cate"))
    tasks = {"click": "binary", "buy": "binary"}
    return [
        Variant("wide_deep", "keras_relu", columns, linear_of(columns)),
        Variant("wide_deep", "keras_dice_lengths", lengths, linear_of(lengths), activation="dice", made_before=3,
                weights="npz"),
        Variant("wide_deep", "keras_max_lengths", longest, [c for c in longest if c.name in ("user_id", "age")],
                activation="sigmoid", task="regression"),
        Variant("wide_deep", "keras_shared_tables", shared, shared[:2] + shared[5:], activation="tanh"),
        Variant("deepfm", "keras_batch_norm", columns, linear_of(columns), use_bn=True, made_before=9),
        Variant("deepfm", "keras_prelu_lengths", lengths, fields(lengths), activation="prelu", weights="npz"),
        Variant("deepfm", "keras_shared_tables", shared, (), activation="dice", use_bn=True),
        Variant("nfm", "keras_relu", columns, linear_of(columns)),
        Variant("nfm", "keras_dice_lengths", lengths, fields(lengths), activation="dice", made_before=1),
        Variant("pnn", "keras_inner", columns, inner=True),
        Variant("pnn", "keras_both_mat", lengths, inner=True, outer="mat", activation="dice", made_before=2),
        Variant("pnn", "keras_outer_vec", shared, outer="vec", activation="tanh", weights="npz"),
        Variant("pnn", "keras_outer_num", columns, outer="num", activation="sigmoid"),
        Variant("dcn", "keras_vector", columns, linear_of(columns), cross_num=3),
        Variant("dcn", "keras_matrix_batch_norm", lengths, fields(lengths), cross_num=2, parameterization="matrix",
                use_bn=True, activation="dice", made_before=4),
        Variant("dcn", "keras_cross_alone", shared, (), hidden_units=(), cross_num=2, parameterization="matrix"),
        Variant("afm", "keras_mean", fields(columns), fields(columns), numbers(columns), factor=4, made_before=1),
        Variant("afm", "keras_square", fields(shared), fields(shared), factor=4, weights="npz"),
        Variant("fm", "keras_mean", fields(columns), fields(columns)[1:], numbers(columns)),
        Variant("fm", "keras_shared_tables", fields(shared), (), made_before=2),
        Variant("shared_bottom", "keras_relu", columns, tasks=tasks),
        Variant("shared_bottom", "keras_batch_norm", lengths, tasks={**tasks, "seconds": "regression"}, use_bn=True,
                activation="tanh", made_before=9),
        Variant("mmoe", "keras_relu", columns, tasks=tasks, experts=3, tower_units=()),
        Variant("mmoe", "keras_gate_layers", lengths, tasks={**tasks, "seconds": "regression"}, experts=2, use_bn=True,
                gate_units=(5,), activation="tanh", made_before=1),
        Variant("esmm", "keras_relu", columns),
        Variant("esmm", "keras_batch_norm", lengths, use_bn=True, activation="sigmoid", made_before=9, weights="npz"),
        din("keras_dice"),
        din("keras_dice_softmax", softmax=True, made_before=1),
        din("keras_batch_norm_dice", use_bn=True, activation="dice", softmax=True, unit=(6,), made_before=9),
        din("keras_release_names", of_release, release_names=True, unit_activation="sigmoid"),
        din("keras_pooled_sequences", pooled, most=5, unit_activation="relu", softmax=True, activation="prelu",
            weights="npz"),
        dien("keras_gru", "GRU", unit_activation="sigmoid"),
        dien("keras_gru_softmax", "GRU", softmax=True, use_bn=True, made_before=1),
        dien("keras_aigru", "AIGRU", unit_activation="relu"),
        dien("keras_aigru_softmax", "AIGRU", softmax=True),
        dien("keras_agru_softmax", "AGRU", softmax=True, made_before=2),
        dien("keras_augru", "AUGRU", unit_activation="sigmoid"),
        dien("keras_augru_softmax", "AUGRU", with_lengths, most=5, softmax=True, activation="dice", weights="npz"),
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", default=os.path.join(HERE, ".."), help="where the folders of the kinds are")
    out = parser.parse_args().out
    for index, v in enumerate(variants()):
        directory = os.path.join(out, v.kind)
        keras, rng = Keras(index, v.made_before, v.release_names), np.random.default_rng(7000 + index)
        requests = list(requests_of(v, keras, rng))
        write_spec(os.path.join(directory, f"{v.name}.spec.json"), spec_of(v))
        path = write_weights(directory, v, keras.tensors)
        write_requests(directory, v, requests)
        last = requests[-1]
        values = np.array(last.get("logits") or list(last["outputs"].values())[0])
        print(f"{v.kind + '/' + v.name:40} {os.path.getsize(path):6d} bytes, logits {values.min():8.2f} .. "
              f"{values.max():8.2f}")


if __name__ == "__main__":
    main()

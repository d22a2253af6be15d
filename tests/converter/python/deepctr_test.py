"""Specs of models of DeepCTR (TensorFlow), from objects with the attributes of its Keras layers.

The models are those of tests/goldens/deepctr, whose specs are written there by hand.

    PYTHONPATH=converter/python python3 deepctr_test.py
"""

import copy
import os
import sys
import types
import unittest

import numpy as np

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import fake_models  # noqa: E402
import golden_variants  # noqa: E402
import handpick  # noqa: E402
from handpick import deepctr  # noqa: E402
from handpick.described import Options  # noqa: E402


def _layer(class_name, name=None, **attributes):
    made = type(class_name, (), {"__module__": "deepctr.layers.core"})()
    vars(made).update(name=name or class_name.lower(), **attributes)
    return made


def _dnn(v, units, name="dnn"):
    return _layer("DNN", name, hidden_units=units, activation=v.activation, use_bn=v.use_bn)


def _layers(v):
    """What Keras lists: the layers between inputs and outputs."""
    layers = []
    if v.kind in ("shared_bottom", "mmoe"):
        layers += [_dnn(v, v.hidden_units, f"expert_{e}") for e in range(v.experts)] or [_dnn(v, v.hidden_units)]
        layers += [_dnn(v, v.gate_units, f"gate_{task}") for task in v.tasks if v.experts]
        layers += [_dnn(v, v.tower_units, f"tower_{task}") for task in v.tasks]
        return layers + [_layer("PredictionLayer", name, task=task) for name, task in v.tasks.items()]
    if v.kind == "esmm":
        return [_dnn(v, v.hidden_units), _dnn(v, v.hidden_units, "dnn_1"), _layer("PredictionLayer", "ctr", task="binary"),
                _layer("PredictionLayer", "prediction_layer", task="binary")]
    if v.hidden_units and v.kind not in ("afm", "fm"):
        layers.append(_dnn(v, list(v.hidden_units)))
    if v.kind in ("fm", "deepfm"):
        layers.append(_layer("FM"))
    layers += {"afm": [_layer("AFMLayer")], "nfm": [_layer("BiInteractionPooling")]}.get(v.kind, [])
    if v.inner:
        layers.append(_layer("InnerProductLayer"))
    if v.outer != "none":
        layers.append(_layer("OutterProductLayer", kernel_type=v.outer))
    if v.cross_num:
        layers.append(_layer("CrossNet", layer_num=v.cross_num, parameterization=v.parameterization))
    if v.history:
        layers.append(_layer("AttentionSequencePoolingLayer", att_hidden_units=tuple(v.unit),
                             att_activation=v.unit_activation, weight_normalization=v.softmax))
    if v.cell:
        layers += [_layer("DynamicGRU", "gru1", gru_type="GRU"), _layer("DynamicGRU", "gru2", gru_type=v.cell)]
    return layers + [_layer("PredictionLayer", task=v.task)]


def _weight(name, shape):
    return types.SimpleNamespace(name=name, numpy=lambda: np.zeros(shape, np.float32))


def _weights(v, columns):
    tables = {f"sparse_emb_{c.table}/embeddings:0": (c.size, c.dimension) for c in columns if hasattr(c, "table")}
    return [_weight(name, shape) for name, shape in tables.items()]


def _normal(spec):
    """With what is left out, and in one order of features."""
    spec = copy.deepcopy(spec)
    del spec["model"]["name"]
    for feature in spec["features"]:
        if feature["type"] == "categorical" and feature.get("combiner") is None:
            feature.pop("padding_row", None)
    spec["features"].sort(key=lambda feature: (feature["side"], feature["name"]))
    if "wide" in spec:  # A side may be said where there is no need to.
        spec["wide"]["features"] = [name.split(".")[-1] for name in spec["wide"]["features"]]
    spec["deep"].setdefault("activation", "relu")
    spec["deep"].setdefault("batch_normalization", False)
    return spec


class Specs(unittest.TestCase):
    maxDiff = None

    def test_every_golden_model(self):
        goldens = golden_variants.load("deepctr", "make_goldens")
        for v in goldens.variants():
            with self.subTest(f"{v.kind} {v.name}"):
                everything = goldens.all_columns(v)
                linear, deep = ([fake_models.column_of(c) for c in columns if not isinstance(c, golden_variants.Length)]
                                for columns in ([*v.linear, *v.linear_alone], v.columns))
                if v.cell:  # The library counts events by this input.
                    for c in everything:
                        c.length = "seq_length" if c.side == "history" else getattr(c, "length", None)
                model = types.SimpleNamespace(layers=_layers(v), weights=_weights(v, everything))
                candidate = [c.key for c in everything if c.side == "candidate" and not isinstance(c, golden_variants.Length)]
                described = deepctr.describe(model, (linear, deep), Options(candidate=tuple(candidate)))
                self.assertEqual(_normal(described.spec), _normal(goldens.spec_of(v)))


class Keras:
    """A model of one input and one output layer, which says its logit or what a sigmoid makes of it."""

    def __init__(self):
        self.layers = [_layer("DNN", hidden_units=[2], activation="relu", use_bn=False), _layer("PredictionLayer", task="binary")]
        self.weights = [_weight("sparse_emb_item/embeddings:0", (9, 4))]
        self.inputs = [types.SimpleNamespace(name="item", shape=(None, 1))]

    def __call__(self, given, training):
        assert not training
        logits = given["item"] - 3.0
        return logits if self.layers[1].task == "regression" else 1 / (1 + np.exp(-logits))


class Logits(unittest.TestCase):
    columns = [fake_models.SparseFeat("item", 9, 4, "item", "default_group")]

    def test_are_before_the_sigmoid(self):
        model = Keras()
        requests, answers = deepctr.describe(model, self.columns, Options(candidate=("item",))).ask({"item": [1, 5]}, 9)
        self.assertEqual(requests, [{"context": {}, "candidates": {"item": [1, 5]}}])
        np.testing.assert_array_equal(answers[0], [-2, 2])
        self.assertEqual(model.layers[1].task, "binary")


class Refusals(unittest.TestCase):
    def test_columns_are_needed(self):
        with self.assertRaisesRegex(handpick.Error, "does not hold them"):
            handpick.export(Keras(), None, {}, "unused")

    def test_what_happens_before_the_model(self):
        column = type("SparseFeat", (), {"name": "item", "use_hash": True})()
        with self.assertRaisesRegex(handpick.Error, "'item': it has a use_hash"):
            handpick.export(Keras(), [column], {}, "unused")

    def test_activations_that_the_converter_does_not_have(self):
        model = Keras()
        model.layers[0].activation = "gelu"
        with self.assertRaisesRegex(handpick.Error, "dnn: .* no activation 'gelu'"):
            handpick.export(model, Logits.columns, {}, "unused", candidate=["item"])


if __name__ == "__main__":
    unittest.main()

"""Specs of models of FuxiCTR, without PyTorch: from objects with the attributes of its models.

The models are those of tests/goldens/fuxictr, whose sections of a spec are written there by hand.

    PYTHONPATH=converter/python python3 fuxictr_test.py
"""

import copy
import dataclasses
import os
import sys
import types
import unittest

import numpy as np

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import golden_variants  # noqa: E402
import handpick  # noqa: E402
from golden_variants import Dense, History, Sequence  # noqa: E402
from handpick import fuxictr  # noqa: E402
from handpick.described import Options  # noqa: E402


def _module(class_name, **attributes):
    made = type(class_name, (), {})()
    vars(made).update(attributes)
    return made


def _activation(name):
    return _module(name, bn=types.SimpleNamespace(eps=1e-9))


def _block(units, activation, batch_norm=False, dropout=0, has_output=True, after=None):
    """An MLP_Block."""
    layers = []
    for i, width in enumerate(units):
        layers.append(_module("Linear", weight=np.zeros((width, 1))))
        if batch_norm:
            layers.append(_module("BatchNorm1d", eps=1e-5))
        layers.append(_activation(activation))
        if (dropout[i] if isinstance(dropout, list) else dropout) > 0:
            layers.append(_module("Dropout"))
    if has_output:
        layers.append(_module("Linear", weight=np.zeros((1, 1))))
    return types.SimpleNamespace(mlp=layers + ([after] if after else []))


def _feature(column):
    """What feature_map.json says of a column."""
    if isinstance(column, Dense):
        return {"type": "numeric"} if column.dimension == 1 else {"type": "embedding", "pretrain_dim": column.dimension}
    feature = {"type": "categorical", "vocab_size": column.size}
    if isinstance(column, (Sequence, History)):
        feature.update(type="sequence", max_len=column.maxlen)
    if column.table != column.name:
        feature["share_embedding"] = column.table
    return feature


def _attributes(v, arguments, output):
    """Of a model of the class, built with the arguments."""
    given = arguments.get
    dnn = [given("batch_norm", False), given("net_dropout", 0)]
    if v.model in ("DeepFM", "WideDeep", "NFM", "PNN"):
        block = _block(arguments["hidden_units"], arguments["hidden_activations"], *dnn)
        return {"mlp" if v.model == "DeepFM" else "dnn": block}
    if v.model == "DCNv2":
        blocks = {f"{name}_dnn": _block(given(f"{name}_dnn_hidden_units"), given("dnn_activations", "ReLU"), *dnn,
                                        has_output=False) for name in ("stacked", "parallel") if given(f"{name}_dnn_hidden_units")}
        return {**blocks, "model_structure": arguments["model_structure"],
                "crossnet": types.SimpleNamespace(cross_layers=[None] * arguments["num_cross_layers"])}
    if v.model == "DIN":
        unit = _block(arguments["attention_hidden_units"], arguments["attention_hidden_activations"], False,
                      given("attention_dropout", 0))
        targets = arguments["din_target_field"]
        return {"din_target_field": targets, "din_sequence_field": arguments["din_sequence_field"],
                "attention_layers": [types.SimpleNamespace(attention_layer=unit, use_softmax=arguments["din_use_softmax"])
                                     for _ in targets],
                "dnn": _block(arguments["dnn_hidden_units"], arguments["dnn_activations"], *dnn, after=output)}
    if v.model == "DIEN":
        unit = types.SimpleNamespace(
            attention_type=arguments["attention_type"], use_attention_softmax=arguments["use_attention_softmax"],
            attn_mlp=_block(given("attention_hidden_units", [1]), given("attention_activation", "Dice"), False,
                            given("attention_dropout", 0)))
        attentions = 0 if arguments["gru_type"] == "GRU" else len(arguments["dien_target_field"])
        return {**{name: arguments[name] for name in ("dien_target_field", "dien_sequence_field", "dien_neg_seq_field", "gru_type")},
                "enable_sum_pooling": given("enable_sum_pooling", False), "attention_modules": [unit] * attentions,
                "dnn": _block(arguments["dnn_hidden_units"], "ReLU", *dnn, after=output)}
    return {}


def _model(v):
    features = {column.key: _feature(column) for column in v.columns}
    features.update({f"neg_{key}": features[key] for key in v.negatives})
    pooling = {"mean": "MaskedAveragePooling", "sum": "MaskedSumPooling"}
    encoders = {c.key: _module(pooling[c.combiner]) for c in v.columns if getattr(c, "combiner", None)}
    embeddings = types.SimpleNamespace(feature_encoders=encoders)
    if v.model not in ("DIN", "DIEN"):  # One module more.
        embeddings = types.SimpleNamespace(embedding_layer=embeddings)
    tables = {f"embedding_layer.embedding_layers.{c.table}.weight": np.zeros((c.size, c.dimension)) for c in v.columns
              if hasattr(c, "table")}
    output = _module("Sigmoid" if v.task == "binary" else "Identity")
    attributes = _attributes(v, v.arguments, output)
    if v.model != "LR":
        attributes["embedding_layer"] = embeddings
    base = type("BaseModel", (), {"__module__": "fuxictr.pytorch.models.rank_model"})
    return _make(type(v.model, (base,), {}), feature_map=types.SimpleNamespace(features=features), output_activation=output,
                 state_dict=lambda: tables, **attributes)


def _make(own_class, **attributes):
    made = own_class()
    vars(made).update(attributes)
    return made


def _normal(sections):
    """With what is left out."""
    sections = copy.deepcopy(sections)
    for section, defaults in (("deep", {"activation": "relu", "batch_normalization": False}), ("attention", {"form": "unit"}),
                              ("cross", {"structure": "parallel"})):
        own = sections.get(section, [])
        for unit in own if isinstance(own, list) else [own]:
            unit.update({**defaults, **unit})
    sections.get("evolution", {}).pop("negative_sampling", None)  # Its tensors are left out.
    return sections


def _describe(v, **options):
    roles = {"candidate": tuple(c.key for c in v.columns if c.side == "candidate"),
             "history": {c.key: c.name for c in v.columns if isinstance(c, History)}}
    return fuxictr.describe(_model(v), None, Options(**{**roles, **options}))


class Specs(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.variants = list(golden_variants.load("fuxictr").all_variants())

    def test_every_golden_model(self):
        for v in self.variants:
            with self.subTest(f"{v.kind} {v.name}"):
                spec = _describe(v).spec
                sections = {key: own for key, own in spec.items() if key not in ("model", "layout", "history", "sequences", "features")}
                self.assertEqual(_normal(sections), _normal(v.parts))
                self.assertEqual({key: spec["model"][key] for key in ("kind", "task")}, {"kind": v.kind, "task": v.task})
                self.assertEqual({(f["side"], f["name"], f["type"]) for f in spec["features"]},
                                 {(f["side"], f["name"], f["type"]) for f in (c.spec() for c in v.columns)})

    def test_events_are_where_an_id_is(self):
        (v,) = [v for v in self.variants if v.name == "fuxictr_dice"]
        rows = golden_variants.rows(v, np.random.default_rng(1))
        rows["click_items"][:], rows["click_categories"][:] = [0, 3, 0, 4, 0, 0], [0, 1, 0, 0, 2, 0]
        requests, _ = _describe(v).ask(rows, 0)
        self.assertEqual(requests[0]["history"], {"click_items": [3, 4, 0], "click_categories": [1, 0, 2]})

    def test_what_is_compared_together_is_a_sequence(self):
        for kind in ("din", "dien"):
            v = next(v for v in self.variants if v.kind == kind and v.sequences)
            described = _describe(v, max_events={"bought_items": 3})
            self.assertEqual(described.spec["sequences"], [{"name": "click_items", "max_events": 6},
                                                           {"name": "bought_items", "max_events": 3}])
            self.assertNotIn("history", described.spec)
            self.assertEqual({f["name"]: f["sequence"] for f in described.spec["features"] if f["side"] == "history"},
                             {"click_items": "click_items", "click_categories": "click_items", "bought_items": "bought_items"})
            rows = golden_variants.rows(v, np.random.default_rng(1))
            rows["click_items"][:], rows["click_categories"][:] = [5, 3, 4, 0, 0, 0], [2, 1, 3, 0, 0, 0]
            rows["bought_items"][:] = [7, 0, 0, 0]
            requests, _ = described.ask(rows, 0)
            self.assertEqual(requests[0]["history"], {"click_items": [5, 3, 4], "click_categories": [2, 1, 3],
                                                      "bought_items": [7]})

    def test_sequences_of_the_caller(self):
        (v,) = [v for v in self.variants if v.name == "fuxictr_two_attentions"]
        keys = ["click_items", "click_categories"]
        self.assertEqual([s["name"] for s in _describe(v).spec["sequences"]], keys)
        described = _describe(v, sequences={"clicks": keys})
        self.assertEqual(described.spec["history"], {"max_events": 6})
        rows = golden_variants.rows(v, np.random.default_rng(1))
        rows["click_items"][:], rows["click_categories"][:] = [0, 3, 0, 4, 0, 0], [0, 1, 0, 0, 2, 0]
        self.assertEqual(described.ask(rows, 0)[0][0]["history"], {"click_items": [3, 4, 0], "click_categories": [1, 0, 2]})

    def test_events_of_one_sequence_are_as_many(self):
        v = next(v for v in self.variants if v.kind == "dien" and v.sequences)
        v = dataclasses.replace(v, columns=[copy.copy(c) for c in v.columns])
        for column in v.columns:  # To one length.
            if isinstance(column, History):
                column.maxlen = 6
        described = _describe(v, sequences={"all": ["click_items", "click_categories", "bought_items"]})
        rows = golden_variants.rows(v, np.random.default_rng(1))
        rows["click_items"][:], rows["bought_items"][:] = [5, 3, 4, 0, 0, 0], [7, 0, 0, 0, 0, 0]
        with self.assertRaisesRegex(handpick.Error, "different numbers of the same events: 'click_items' 3, 'bought_items' 1"):
            described.ask(rows, 0)

    def test_other_pooling_is_refused(self):
        (v,) = [v for v in self.variants if v.name == "fuxictr_relu"]
        model = _model(v)
        model.embedding_layer.embedding_layer.feature_encoders["genres"] = _module("KMaxPooling")
        with self.assertRaisesRegex(handpick.Error, "'genres': KMaxPooling makes one embedding"):
            fuxictr.describe(model, None, Options(candidate=("item_id",)))


if __name__ == "__main__":
    unittest.main()

"""Specs that are made of models in memory, without PyTorch.

The golden models of tests/goldens were asked by their library. Objects with the attributes of these models
(fake_models.py) must give specs by which the same tensors give the same logits.

    HANDPICK_BINARY=<the command> PYTHONPATH=converter/python python3 export_test.py
"""

import json
import os
import sys
import tempfile
import types
import unittest

import numpy as np

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import fake_models  # noqa: E402
import golden_variants  # noqa: E402
import handpick  # noqa: E402
from handpick import columns, deepctr_torch, mapping  # noqa: E402
from handpick.described import Options  # noqa: E402

sys.path.insert(0, os.path.join(golden_variants.ROOT, "examples", "common"))

import safetensors_file  # noqa: E402


def _tensors(stem):
    if os.path.exists(stem + ".npz"):
        with np.load(stem + ".npz") as archive:
            return dict(archive)
    return safetensors_file.read_safetensors(stem + ".safetensors")


def _requests(path, spec):
    """Those of a golden, without features that the spec does not name: the model does not read them."""
    named = {(feature["side"], feature["name"]) for feature in spec["features"]}
    with open(path, encoding="utf-8") as file:
        for line in file:
            request = json.loads(line)
            for key, side in (("context", "context"), ("history", "history"), ("candidates", "candidate")):
                if key in request:
                    request[key] = {name: own for name, own in request[key].items() if (side, name) in named}
            if not {"history", "sequences"} & set(spec):
                request.pop("history", None)
            yield request


class SpecsOfGoldenModels(unittest.TestCase):
    pass


def _add_tests():
    for kind in golden_variants.KINDS:
        variants = [v for v in golden_variants.of_library(kind) if golden_variants.is_plain(v)]

        def test(self, kind=kind, variants=variants):
            self.assertGreater(len(variants), 1)
            for variant in variants:
                with self.subTest(variant.name), tempfile.TemporaryDirectory() as folder:
                    self._check(kind, variant, folder)
        setattr(SpecsOfGoldenModels, f"test_{kind}", test)

    def check(self, kind, variant, folder):
        stem = golden_variants.stem(kind, variant)
        given = golden_variants.roles(variant)
        given["candidate"] = tuple(given["candidate"])
        model = fake_models.model_of(kind, variant, _tensors(stem))
        described = deepctr_torch.describe(model, None, Options(**given))
        weights, golden = os.path.join(folder, "weights.safetensors"), os.path.join(folder, "golden.jsonl")
        handpick.write_safetensors(weights, described.tensors)
        with open(golden, "w", encoding="utf-8") as file:
            for request in _requests(stem + ".requests.jsonl", described.spec):
                file.write(json.dumps(request) + "\n")
        report = handpick.convert(described.spec, weights, os.path.join(folder, "model.hpk"), golden=golden)
        self.assertLess(report["goldens"]["max_error_bundle"], 1e-4)
    SpecsOfGoldenModels._check = check


_add_tests()


def _sparse(name, size=9, table=None):
    return fake_models.SparseFeat(name, size, 4, table or name, "default_group")


def _sequence(name, maxlen=4, combiner="mean", length=None, table=None):
    return fake_models.VarLenSparseFeat(_sparse(name, table=table), maxlen, combiner, length)


def _features(own, candidate, history=(), attended=(), events=None, **roles):
    roles = columns.Roles(set(candidate), dict(history), set(attended), events, **roles)
    return columns.Features([columns.of_deepctr(column) for column in own], roles, lambda table: (9, 4))


class Requests(unittest.TestCase):
    def test_neighbours_of_one_user_are_one_request(self):
        features = _features([_sparse("user"), _sparse("item"), fake_models.DenseFeat("price", 2)], ["item", "price"])
        made = features.requests({"user": np.array([1, 1, 2, 1]), "item": np.array([3, 4, 5, 6]),
                                  "price": np.array([[0.1, 1], [2, 3], [4, 5], [6, 7]])})
        self.assertEqual([own for _, own in made], [slice(0, 2), slice(2, 3), slice(3, 4)])
        self.assertEqual(made[0][0], {"context": {"user": 1},
                                      "candidates": {"item": [3, 4], "price": [[0.1, 1.0], [2.0, 3.0]]}})

    def test_padding_is_left_out_and_what_is_within_stays(self):
        features = _features([_sequence("tags"), _sequence("likes", length="likes_length"), _sparse("item")], ["item"])
        rows = {"tags": np.array([[0, 3, 0, 0]]), "likes": np.array([[5, 0, 0, 7]]), "likes_length": np.array([2]),
                "item": np.array([1])}
        self.assertEqual(features.requests(rows)[0][0]["context"], {"likes_length": 2, "tags": [0, 3], "likes": [5, 0]})
        # Beyond the maximum a length divides all the same.
        rows["likes_length"] = np.array([6])
        self.assertEqual(features.requests(rows)[0][0]["context"]["likes_length"], 6)
        self.assertEqual(features.requests(rows)[0][0]["context"]["likes"], [5, 0, 0, 7])

    def test_events_end_where_the_length_says(self):
        own = [_sparse("item"), _sequence("hist_item", length="seen", table="item")]
        features = _features(own, ["item"], {"hist_item": "item"}, ["hist_item"], "seen")
        rows = {"item": np.array([1, 1]), "hist_item": np.array([[4, 0, 0, 0], [4, 5, 6, 7]]), "seen": np.array([2, 9])}
        self.assertEqual([request["history"]["item"] for request, _ in features.requests(rows)], [[4, 0], [4, 5, 6, 7]])

    def test_what_is_no_row_is_named(self):
        features = _features([_sparse("user"), _sparse("item")], ["item"])
        with self.assertRaisesRegex(handpick.Error, "no column 'user'"):
            features.requests({"item": np.array([1])})
        with self.assertRaisesRegex(handpick.Error, "'user': row 1 has 0.5, which is no id"):
            features.requests({"item": np.array([1, 1]), "user": np.array([1, 0.5])})
        with self.assertRaisesRegex(handpick.Error, r"'item' has the shape \(2, 2\); the model reads 1"):
            features.requests({"item": np.ones((2, 2)), "user": np.array([1, 2])})

    def test_pooled_events_of_different_numbers_are_named(self):
        own = [_sparse("item"), _sequence("hist_item", length="a"), _sequence("hist_shop", length="b")]
        features = _features(own, ["item"], {"hist_item": "item", "hist_shop": "shop"},
                             sequences={"visits": ["hist_item", "hist_shop"]})
        rows = {"item": np.array([1]), "hist_item": np.ones((1, 4)), "hist_shop": np.ones((1, 4)), "a": np.array([2]),
                "b": np.array([3])}
        with self.assertRaisesRegex(handpick.Error, "row 0 has different numbers of events: a 2, b 3; say which columns"):
            features.requests(rows)


class Sequences(unittest.TestCase):
    """Histories of different events."""

    own = [_sparse("item"), _sequence("hist_item", length="seen", table="item"), _sequence("hist_shop", length="seen"),
           _sequence("hist_bought", 3, length="bought", table="item"), _sequence("hist_query", 3)]
    history = {"hist_item": "item", "hist_shop": "shop", "hist_bought": "bought", "hist_query": "query"}
    rows = {"item": np.array([1, 2]), "hist_item": np.array([[4, 0, 6, 7]] * 2), "hist_shop": np.array([[1, 2, 3, 0]] * 2),
            "hist_bought": np.array([[8, 5, 0]] * 2), "hist_query": np.array([[2, 0, 0]] * 2), "seen": np.array([3, 3]),
            "bought": np.array([2, 2])}

    def test_are_told_by_their_lengths(self):
        features = _features(self.own, ["item"], self.history)
        self.assertEqual([(s.name, [c.name for c in s.columns]) for s in features.sequences],
                         [("item", ["hist_item", "hist_shop"]), ("bought", ["hist_bought", "hist_query"])])
        self.assertEqual(features.histories(None), {"sequences": [{"name": "item", "max_events": 4},
                                                                  {"name": "bought", "max_events": 3}]})
        self.assertEqual({f["name"]: f.get("sequence") for f in features.spec() if f["side"] == "history"},
                         {"item": "item", "shop": "item", "bought": "bought", "query": "bought"})
        ((request, part),) = features.requests(self.rows)
        self.assertEqual(part, slice(0, 2))
        self.assertEqual(request["history"], {"item": [4, 0, 6], "shop": [1, 2, 3], "bought": [8, 5], "query": [2, 0]})

    def test_are_those_of_the_caller(self):
        features = _features(self.own, ["item"], self.history,
                             sequences={"orders": ["hist_bought"], "searches": ["hist_query"]})
        self.assertEqual([(s.name, [c.name for c in s.columns]) for s in features.sequences],
                         [("orders", ["hist_bought"]), ("searches", ["hist_query"]), ("item", ["hist_item", "hist_shop"])])
        self.assertEqual(features.histories({"orders": 2, "item": 9}),
                         {"sequences": [{"name": "orders", "max_events": 2}, {"name": "searches", "max_events": 3},
                                        {"name": "item", "max_events": 9}]})
        ((request, _),) = features.requests(self.rows)
        self.assertEqual(request["history"]["query"], [2])

    def test_what_is_pooled_is_of_the_events_that_are_attended_to(self):
        features = _features(self.own, ["item"], self.history, ["hist_item"], "seen", together=[["hist_item"]])
        self.assertEqual([(s.name, s.is_attended, [c.name for c in s.columns]) for s in features.sequences],
                         [("item", True, ["hist_item", "hist_shop"]), ("bought", False, ["hist_bought", "hist_query"])])
        # Without the length that the model counts by there is no telling.
        features = _features(self.own, ["item"], self.history, ["hist_item"], "other", together=[["hist_item"]])
        self.assertEqual([s.name for s in features.sequences], ["item", "shop", "bought"])

    def test_one_is_a_history(self):
        features = _features(self.own[:3], ["item"], {"hist_item": "item", "hist_shop": "shop"})
        self.assertEqual(features.histories(7), {"history": {"max_events": 7}})
        self.assertTrue(all("sequence" not in f for f in features.spec()))

    def test_mistakes_are_named(self):
        for sequences, fault in (({"orders": ["hist_bougth"]}, "no column 'hist_bougth' of the history for 'orders'"),
                                 ({"a": ["hist_item"], "b": ["hist_item"]}, "'hist_item' is in 'b' and in another one")):
            with self.assertRaisesRegex(handpick.Error, fault):
                _features(self.own, ["item"], self.history, sequences=sequences)
        with self.assertRaisesRegex(handpick.Error, "no sequence 'orders'; there are item, bought"):
            _features(self.own, ["item"], self.history).histories({"orders": 2})
        wrong = _features(self.own, ["item"], self.history, sequences={"all": ["hist_item", "hist_bought"]})
        with self.assertRaisesRegex(handpick.Error, "those of 'all' have 'hist_item' 4, 'hist_bought' 3"):
            wrong.histories(None)

    def test_a_live_models_pooled_histories(self):
        """From columns to a bundle, through a model of DeepCTR-Torch without a network."""
        item = fake_models.SparseFeat("item", 9, 4, "item", "default_group")
        histories = [fake_models.VarLenSparseFeat(item._replace(name=name, embedding_name="item"), most, "mean", length)
                     for name, most, length in (("hist_item", 4, "seen"), ("hist_bought", 3, "bought"))]
        rng = np.random.default_rng(4)
        weights = {"linear_model.embedding_dict.item.weight": rng.normal(size=(9, 1)).astype(np.float32),
                   "out.bias": np.array([0.25], np.float32)}
        model = type("WDL", (fake_models._Live,), {"__module__": "deepctr_torch.models.wdl"})(
            weights, linear_model=fake_models._linear([item, *histories]), dnn_feature_columns=[], use_dnn=False,
            out=types.SimpleNamespace(task="binary"))
        described = deepctr_torch.describe(model, None, Options(
            candidate=("item",), history={"hist_item": "seen_items", "hist_bought": "bought_items"}))
        rows = {"item": np.array([1, 2, 3]), "hist_item": np.array([[4, 0, 6, 0]] * 3), "hist_bought": np.array([[8, 5, 0]] * 3),
                "seen": np.array([3] * 3), "bought": np.array([2] * 3)}
        (request,), _ = described.ask(rows, 0)
        table = weights["linear_model.embedding_dict.item.weight"][:, 0]
        wanted = table[[1, 2, 3]] + table[[4, 0, 6]].mean() + table[[8, 5]].mean() + 0.25
        with tempfile.TemporaryDirectory() as folder:
            tensors, bundle = os.path.join(folder, "w.safetensors"), os.path.join(folder, "model.hpk")
            handpick.write_safetensors(tensors, described.tensors)
            handpick.convert(described.spec, tensors, bundle)
            (scored,) = handpick.score(bundle, [request])
        np.testing.assert_allclose(scored["logits"], wanted, atol=1e-6)


class Roles(unittest.TestCase):
    def test_no_candidate_is_a_question(self):
        with self.assertRaisesRegex(handpick.Error, "say which columns describe the item.*user, item"):
            _features([_sparse("user"), _sparse("item")], [])

    def test_unknown_names_are_named(self):
        with self.assertRaisesRegex(handpick.Error, "candidate: there is no column 'itme'"):
            _features([_sparse("item")], ["itme"])
        with self.assertRaisesRegex(handpick.Error, "history: 'item' has one id a row"):
            _features([_sparse("item"), _sparse("shop")], ["shop"], {"item": "item"})

    def test_a_column_that_is_two_is_named(self):
        with self.assertRaisesRegex(handpick.Error, "'tags' is two"):
            _features([_sequence("tags"), _sequence("tags", maxlen=5), _sparse("item")], ["item"])

    def test_a_length_of_two_sides_is_a_feature_of_each(self):
        features = _features([_sequence("likes", length="n"), _sequence("tags", length="n"), _sparse("item")],
                             ["item", "tags"])
        self.assertEqual([(f["name"], f["side"]) for f in features.spec()][:2], [("n", "context"), ("n", "candidate")])


class Refusals(unittest.TestCase):
    """What a spec could not say."""

    def _model(self, **changes):
        (variant,) = [v for v in golden_variants.of_library("wide_deep") if v.name == "relu_batch_norm_mean"]
        model = fake_models.model_of("wide_deep", variant, _tensors(golden_variants.stem("wide_deep", variant)))
        for name, value in changes.items():
            setattr(model.dnn, name, value)
        return model

    def _describe(self, model, given=None):
        return deepctr_torch.describe(model, given, Options(candidate=("item_id", "tags")))

    def test_activations_that_the_converter_does_not_have(self):
        gelu = type("GELU", (), {})()
        with self.assertRaisesRegex(handpick.Error, "dnn.activation_layers.0: .* no activation GELU"):
            self._describe(self._model(activation_layers=[gelu, gelu]))

    def test_another_epsilon(self):
        with self.assertRaisesRegex(handpick.Error, "dnn.bn.0: adds 0.001"):
            self._describe(self._model(bn=[types.SimpleNamespace(eps=0.001)] * 2))

    def test_classes_that_the_converter_does_not_have(self):
        model = type("DCNMix", (fake_models._Live,), {"__module__": "deepctr_torch.models.dcnmix"})({})
        with self.assertRaisesRegex(handpick.Error, "DCNMix .*no such kind"):
            handpick.export(model, None, {}, "unused")

    def test_models_of_no_library(self):
        with self.assertRaisesRegex(handpick.Error, "is no model of"):
            handpick.export(object(), None, {}, "unused")


class Mapping(unittest.TestCase):
    """Any model: its kind and sections are given, and the names of its tensors."""

    def test_a_factorization_machine_of_ones_own(self):
        rng = np.random.default_rng(1)
        users, items = rng.normal(size=(7, 3)).astype(np.float32), rng.normal(size=(9, 3)).astype(np.float32)

        class Own:
            def state_dict(self):
                return {"users": users, "items": items, "unused.weight": users, "norm.num_batches_tracked": np.array(3)}

        features = [{"name": name, "side": side, "type": "categorical", "vocabulary": {"kind": "identity", "size": size}}
                    for name, side, size in (("user", "context", 7), ("item", "candidate", 9))]
        spec = {"model": {"name": "own", "kind": "fm"}, "features": features, "deep": {"features": ["user", "item"]}}
        names = {"deep.embedding.user.weight": "users", "deep.embedding.item.weight": "items"}
        requests = [{"context": {"user": u}, "candidates": {"item": np.arange(9)}} for u in range(7)]

        def predict(request):
            return items[request["candidates"]["item"]] @ users[request["context"]["user"]]

        with tempfile.TemporaryDirectory() as folder:
            files = handpick.export(Own(), None, requests, folder, spec=spec, names=names, predict=predict,
                                    ignore=["unused."])
            bundle = os.path.join(folder, "own.hpk")
            report = handpick.convert(files.spec, files.weights, bundle, golden=files.golden)
            self.assertEqual(report["goldens"]["requests"], 7)
            (first, *_) = handpick.score(bundle, requests)
            np.testing.assert_allclose(first["logits"], predict(requests[0]), atol=1e-5)
            self.assertEqual(handpick.rank(bundle, requests, top_k=1)[3][0]["index"], int(np.argmax(predict(requests[3]))))

    def test_several_histories(self):
        """Units and recurrences of several sequences, under names of one's own."""
        for kind in ("din", "dien"):
            with self.subTest(kind), tempfile.TemporaryDirectory() as folder:
                stem = golden_variants.stem(kind, types.SimpleNamespace(name="two_sequences"))
                with open(stem + ".spec.json", encoding="utf-8") as file:
                    spec = json.load(file)
                requests = list(_requests(stem + ".requests.jsonl", spec))
                own, names = {}, {}
                for name, tensor in _tensors(stem).items():
                    places = name.split(".")
                    of_unit = len(places) > 2 and places[0] in ("attention", "gru", "evolution")
                    mine = f"per_history.{places[1]}.{places[0]}.{'.'.join(places[2:])}" if of_unit else name
                    own[mine] = tensor
                    if of_unit:
                        names[".".join([places[0], "<name>", *places[2:]])] = \
                            f"per_history.<name>.{places[0]}.{'.'.join(places[2:])}"
                files = handpick.export(
                    types.SimpleNamespace(state_dict=lambda own=own: own), None,
                    [{key: part for key, part in request.items() if key != "logits"} for request in requests], folder,
                    spec=spec, names=names, predict=lambda request, all_of=requests: next(
                        own["logits"] for own in all_of if all(own[key] == part for key, part in request.items())))
                report = handpick.convert(files.spec, files.weights, os.path.join(folder, "own.hpk"), golden=files.golden)
                self.assertEqual(report["goldens"]["requests"], len(requests))
                self.assertLess(report["goldens"]["max_error_bundle"], 1e-4)

    def test_goldens_that_prove_nothing(self):
        model = types.SimpleNamespace(state_dict=lambda: {"x": np.ones(3)})
        with tempfile.TemporaryDirectory() as folder, self.assertWarnsRegex(UserWarning, "prove nothing"):
            handpick.export(model, None, [{}, {}], folder, spec={}, predict=lambda request: [0.5])

    def test_names_of_no_tensor(self):
        with self.assertRaisesRegex(handpick.Error, "no tensor 'itmes'; it has items"):
            mapping.describe(types.SimpleNamespace(state_dict=lambda: {"items": np.ones(3)}), {}, {"x": "itmes"}, None, ())


if __name__ == "__main__":
    unittest.main()

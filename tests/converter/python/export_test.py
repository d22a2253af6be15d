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
            if "history" not in spec and "sequences" not in spec:
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
        # The same model, its history being one of several that an app might have.
        if kind in ("din", "dien") or not given.get("history"):
            return
        given["sequences"] = {name: "events" for name in given["history"]}
        spec = deepctr_torch.describe(model, None, Options(**given)).spec
        self.assertEqual([own["name"] for own in spec["sequences"]], ["events"])
        report = handpick.convert(spec, weights, os.path.join(folder, "model.hpk"), golden=golden)
        self.assertLess(report["goldens"]["max_error_bundle"], 1e-4)
    SpecsOfGoldenModels._check = check


_add_tests()


def _sparse(name, size=9, table=None):
    return fake_models.SparseFeat(name, size, 4, table or name, "default_group")


def _sequence(name, maxlen=4, combiner="mean", length=None, table=None):
    return fake_models.VarLenSparseFeat(_sparse(name, table=table), maxlen, combiner, length)


def _features(own, candidate, history=(), attended=(), events=None, sequences=()):
    roles = columns.Roles(set(candidate), dict(history), set(attended), dict(sequences), events)
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

    def test_several_histories_have_events_of_their_own(self):
        own = [_sparse("item"), _sequence("hist_item", length="seen", table="item"), _sequence("buys", 3, table="item"),
               _sequence("prices", 3)]
        features = _features(own, ["item"], {"hist_item": "item", "buys": "bought", "prices": "prices"}, ["hist_item"], "seen",
                             {"hist_item": "clicks", "buys": "purchases", "prices": "purchases"})
        self.assertEqual(features.history_spec(None),
                         {"sequences": [{"name": "clicks", "max_events": 4}, {"name": "purchases", "max_events": 3}]})
        self.assertEqual(features.history_spec({"clicks": 50})["sequences"],
                         [{"name": "clicks", "max_events": 50}, {"name": "purchases", "max_events": 3}])
        self.assertEqual(features.history_spec(7)["sequences"][1], {"name": "purchases", "max_events": 7})
        self.assertEqual([feature.get("sequence") for feature in features.spec()], [None, "clicks", "purchases", "purchases"])
        rows = {"item": np.array([1]), "hist_item": np.array([[4, 5, 6, 7]]), "seen": np.array([3]), "buys": np.array([[8, 2, 0]]),
                "prices": np.array([[1, 0, 0]])}
        self.assertEqual(features.requests(rows)[0][0]["history"], {"item": [4, 5, 6], "bought": [8, 2], "prices": [1, 0]})
        rows["prices"][0] = [1, 2, 3]
        rows["buys"][0] = [8, 2, 1]
        self.assertEqual(features.requests(rows)[0][0]["history"]["prices"], [1, 2, 3])
        with self.assertRaisesRegex(handpick.Error, "max_events: there is no sequence 'buys'"):
            features.history_spec({"buys": 3})
        with self.assertRaisesRegex(handpick.Error, "say which sequence 'prices' is of; there are clicks, purchases"):
            _features(own, ["item"], {"hist_item": "item", "buys": "bought", "prices": "prices"}, ["hist_item"], "seen",
                      {"hist_item": "clicks", "buys": "purchases"})
        # As one history they have different lengths.
        with self.assertRaisesRegex(handpick.Error, "or be of several sequences"):
            _features(own, ["item"], {"hist_item": "item", "buys": "bought"}, ["hist_item"], "seen").history_spec(None)

    def test_histories_as_they_are_given(self):
        # The package's name `export` is the function.
        given = sys.modules["handpick.export"]._history  # pylint: disable=protected-access
        self.assertEqual(given(["hist_item", "buys"]), ({"hist_item": "item", "buys": "buys"}, {}))
        self.assertEqual(given({"buys": "bought"}), ({"buys": "bought"}, {}))
        self.assertEqual(given({"clicks": ["hist_item"], "purchases": {"buys": "bought"}}),
                         ({"hist_item": "item", "buys": "bought"}, {"hist_item": "clicks", "buys": "purchases"}))
        with self.assertRaisesRegex(handpick.Error, "'buys' is of two sequences, 'a' and 'b'"):
            given({"a": ["buys"], "b": ["buys"]})
        with self.assertRaisesRegex(handpick.Error, "'b' is one of several sequences, and has its columns"):
            given({"a": ["buys"], "b": "bought"})

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
        features = _features(own, ["item"], {"hist_item": "item", "hist_shop": "shop"})
        rows = {"item": np.array([1]), "hist_item": np.ones((1, 4)), "hist_shop": np.ones((1, 4)), "a": np.array([2]),
                "b": np.array([3])}
        with self.assertRaisesRegex(handpick.Error, "row 0 has different numbers of events: a 2, b 3"):
            features.requests(rows)


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

    def test_goldens_that_prove_nothing(self):
        model = types.SimpleNamespace(state_dict=lambda: {"x": np.ones(3)})
        with tempfile.TemporaryDirectory() as folder, self.assertWarnsRegex(UserWarning, "prove nothing"):
            handpick.export(model, None, [{}, {}], folder, spec={}, predict=lambda request: [0.5])

    def test_names_of_no_tensor(self):
        with self.assertRaisesRegex(handpick.Error, "no tensor 'itmes'; it has items"):
            mapping.describe(types.SimpleNamespace(state_dict=lambda: {"items": np.ones(3)}), {}, {"x": "itmes"}, None, ())


if __name__ == "__main__":
    unittest.main()

"""The runtime from Python: what it answers is what the command answers, through NumPy arrays.

    HANDPICK_BINARY=<the command> HANDPICK_LIBRARY=<libhandpick.so> python3 runtime_test.py MODEL_FOLDER VECTORS HEADER_FOLDER
"""

import ctypes
import gc
import json
import os
import subprocess
import sys
import tempfile
import threading
import unittest

import numpy as np

import handpick
from handpick import c_api

_MODEL, _VECTORS, _HEADERS = (os.path.abspath(path) for path in sys.argv[1:])


def _requests(name, count):
    with open(os.path.join(_MODEL, name), encoding="utf-8") as file:
        return [json.loads(line) for line, _ in zip(file, range(count))]


class Structs(unittest.TestCase):
    def test_they_are_those_of_the_headers(self):
        rows = []
        for name, struct in c_api.STRUCTS.items():
            rows.append(f'printf("{name} %zu\\n", sizeof({name}));')
            for field, *_ in struct._fields_:
                rows.append(f'printf("{name}.{field} %zu %zu\\n", offsetof({name}, {field}), sizeof((({name}*)0)->{field}));')
        for name, number in (("HP_INT64", c_api.INT64), ("HP_FLOAT32", c_api.FLOAT32), ("HP_STRING", c_api.STRING),
                             ("HP_OPEN_COPY", c_api.OPEN_COPY), ("HP_ALIGNMENT", c_api.ALIGNMENT),
                             ("HP_FILTER_RANGE", c_api.FILTERS["range"]), ("HP_USER_MODEL", c_api.USER_VECTORS["model"]),
                             ("HP_SIDE_CANDIDATE", c_api.SIDES["candidate"])):
            rows.append(f'printf("%d\\n", {name} == {number});')
        with tempfile.TemporaryDirectory() as folder:
            source, program = os.path.join(folder, "layout.c"), os.path.join(folder, "layout")
            with open(source, "w", encoding="utf-8") as file:
                file.write('#include <stdio.h>\n#include "handpick/diagnostics.h"\nint main(void) {' + "\n".join(rows) + "return 0;}\n")
            subprocess.run(["gcc", "-I", _HEADERS, "-o", program, source], check=True)
            said = subprocess.run([program], stdout=subprocess.PIPE, encoding="utf-8", check=True).stdout.splitlines()
        expected = []
        for name, struct in c_api.STRUCTS.items():
            expected.append(f"{name} {ctypes.sizeof(struct)}")
            for field, *_ in struct._fields_:
                place = getattr(struct, field)
                expected.append(f"{name}.{field} {place.offset} {place.size}")
        self.assertEqual(said, expected + ["1"] * 8)


class Runtime(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls._folder = tempfile.TemporaryDirectory()  # pylint: disable=consider-using-with
        ranker = os.path.join(cls._folder.name, "ranker.hpk")
        cls.bundle = os.path.join(cls._folder.name, "films.hpk")
        handpick.convert(os.path.join(_MODEL, "model.spec.json"), os.path.join(_MODEL, "model.safetensors"), ranker,
                         golden=os.path.join(_MODEL, "golden.jsonl"), catalog=os.path.join(_MODEL, "catalog.jsonl"))
        subprocess.run([handpick.binary(), "recall-index", "--quiet", "--vectors", _VECTORS, "--bundle", ranker, "--k", "200", "--out",
                        cls.bundle], check=True)
        cls.model = handpick.Model(cls.bundle)

    @classmethod
    def tearDownClass(cls):
        cls.model.close()
        cls._folder.cleanup()

    def user(self, session, request):
        session.set_context(request["context"])
        session.set_history(request["history"])

    def test_scores_and_ranks_as_the_command(self):
        requests = _requests("golden.jsonl", 8)
        ranked = handpick.rank(self.bundle, requests, top_k=10)
        scored = handpick.score(self.bundle, requests)
        with self.model.session() as session:
            for request, best, all_of_them in zip(requests, ranked, scored):
                self.user(session, request)
                own = session.rank(request["candidates"], k=10)
                self.assertEqual(own["index"].tolist(), [item["index"] for item in best])
                np.testing.assert_array_equal(own["logit"], np.float32([item["logit"] for item in best]))
                scores, logits = session.score(request["candidates"], logits=True)
                np.testing.assert_array_equal(scores, np.float32(all_of_them["scores"]))
                np.testing.assert_array_equal(logits, np.float32(all_of_them["logits"]))

    def test_recommends_as_the_command(self):
        request = {name: value for name, value in _requests("ranking.jsonl", 1)[0].items() if name in ("context", "history")}
        said = subprocess.run([handpick.binary(), "recommend", "--bundle", self.bundle, "--requests", "-", "--k", "200", "--user",
                               "recent", "--quiet"], input=json.dumps(request), stdout=subprocess.PIPE, encoding="utf-8", check=True)
        expected = json.loads(said.stdout)["recommended"]
        with self.model.session() as session:
            self.user(session, request)
            items = session.recommend(10, user="recent", half_life=10)
            self.assertEqual([item.id for item in items], [item["id"] for item in expected])
            self.assertEqual([np.float32(item["logit"]) for item in expected], [np.float32(item.logit) for item in items])
            self.assertEqual(session.recall_report.outcome, "found")
            recalled = [item.id for item in session.recall(200, user="recent", half_life=10)]
            self.assertLessEqual({item.id for item in items}, set(recalled))

            first = recalled[0]
            self.assertNotIn(first, [item.id for item in session.recall(50, user="recent", half_life=10, exclude=[first])])
            self.assertNotIn(first, [item.id for item in session.recall(50, user="recent", half_life=10, accepts=lambda i: i != first)])
            dramas = session.recall(20, filters=[handpick.any_of("genre", ["Drama"]), handpick.in_range("year", low=1990)])
            self.assertEqual(len(dramas), 20)
            with open(os.path.join(_MODEL, "catalog.jsonl"), encoding="utf-8") as file:
                catalog = {item["movie_id"]: item for item in map(json.loads, file)}
            for item in dramas:
                self.assertEqual(catalog[item.id]["genre"], "Drama")
                self.assertGreaterEqual(catalog[item.id]["year"], 1990)

            def refuses(_):
                raise KeyError("mine")
            with self.assertRaisesRegex(KeyError, "mine"):
                session.recall(5, accepts=refuses)

    def test_an_event_more(self):
        request = _requests("golden.jsonl", 1)[0]
        history = request["history"]
        with self.model.session() as one, self.model.session() as other:
            self.user(one, request)
            self.user(other, {**request, "history": {name: values[:-1] for name, values in history.items()}})
            other.append_events({name: values[-1:] for name, values in history.items()})
            np.testing.assert_array_equal(one.score(request["candidates"]), other.score(request["candidates"]))

    def test_arrays_of_the_right_type_are_read_in_place(self):
        ids = np.array(_requests("golden.jsonl", 1)[0]["candidates"]["movie_id"], np.int64)
        batch = self.model._batch("candidate", {"movie_id": ids})
        self.assertEqual(batch.struct.columns[0].integers, ids.ctypes.data)

    def test_text_as_numpy_has_it(self):
        request = _requests("golden.jsonl", 1)[0]
        with self.model.session() as session:
            self.user(session, request)
            expected = session.score(request["candidates"])
            for kind in ("U", "S", "O"):
                genres = np.array(request["history"]["genre"], dtype=kind)
                session.set_history({**request["history"], "genre": genres})
                np.testing.assert_array_equal(session.score(request["candidates"]), expected)

    def test_workers_give_the_same_bits(self):
        request = _requests("ranking.jsonl", 1)[0]
        with self.model.session() as one, self.model.session(workers=4) as four:
            self.user(one, request)
            self.user(four, request)
            np.testing.assert_array_equal(one.score(request["candidates"]), four.score(request["candidates"]))

    def test_an_overlay(self):
        request = _requests("golden.jsonl", 1)[0]
        with self.model.session() as session, self.model.overlay(4) as overlay:
            self.user(session, request)
            best = session.recall(1)[0].id
            vector = np.zeros(self.model.recall_info["dimension"], np.float32)
            vector[0] = 1
            overlay.hide(best)
            overlay.add(10**9, vector)
            found = session.recall(1, user="vector", vector=vector, overlay=overlay)[0]
            self.assertEqual((found.id, found.from_overlay), (10**9, True))
            self.assertNotEqual(session.recall(1, overlay=overlay)[0].id, best)
            overlay.show(best)
            self.assertEqual(session.recall(1, overlay=overlay)[0].id, best)
            with self.assertRaisesRegex(handpick.Error, "77"):
                overlay.remove(77)

    def test_what_a_model_says_of_itself(self):
        info = self.model.info
        self.assertEqual(info["precision"], "float32")
        self.assertEqual(info["bundle_bytes"], os.path.getsize(self.bundle))
        self.assertEqual(self.model.recall_info["candidate_feature"], "movie_id")
        taste = next(feature for feature in self.model.features if feature.name == "genre_taste")
        self.assertEqual((taste.side, taste.type, taste.dimension), ("context", "numeric", 20))
        self.model.check()
        self.assertEqual(sum(1 for _ in self.model.check_in_parts(1000)), (info["bundle_bytes"] - 1) // 1000)
        with self.model.session() as session:
            self.assertLess(session.check_goldens(), 1e-4)
            self.assertGreater(session.memory_size, 0)

    def test_ways_to_open(self):
        with open(self.bundle, "rb") as file:
            data = file.read()
        part = os.path.join(self._folder.name, "archive")
        with open(part, "wb") as file:
            file.write(b"x" * 64 + data + b"y" * 5)
        with open(part, "rb") as file:
            from_fd = handpick.Model.from_fd(file.fileno(), 64, len(data))
        for model in (handpick.Model(data), handpick.Model(self.bundle, copy=True), from_fd):
            self.assertEqual(model.info["model_name"], self.model.info["model_name"])
            model.check()
            parts = model.check_in_parts(64)
            next(parts)
            with self.assertRaisesRegex(handpick.Error, "open"):
                model.close()
            parts.close()
            model.close()

    def test_public_keys(self):
        for keys in ([], [b"12"], ["00" * 31]):
            with self.assertRaisesRegex(handpick.Error, "public_keys"):
                handpick.Model(self.bundle, public_keys=keys)
        with open(self.bundle, "rb") as file:
            data = file.read()
        for bundle in (self.bundle, data):
            with self.assertRaises(handpick.Error) as refused:
                handpick.Model(bundle, public_keys=["ab" * 32, bytes(32)])
            # It is not signed; or the library was built without signatures.
            self.assertIn(refused.exception.status, (0x40, 0x45))
        self.assertEqual(self.model.info["key_id"], 0)

    def test_a_damaged_byte(self):
        with open(self.bundle, "rb") as file:
            data = bytearray(file.read())
        data[len(data) // 2] ^= 1
        with handpick.Model(data) as model:
            with self.assertRaisesRegex(handpick.Error, "damaged"):
                for _ in model.check_in_parts(4096):
                    pass

    def test_errors_name_what_is_wrong(self):
        with self.assertRaisesRegex(handpick.Error, "nowhere.hpk") as caught:
            handpick.Model(os.path.join(self._folder.name, "nowhere.hpk"))
        self.assertEqual(caught.exception.status, 0x30)
        with self.assertRaisesRegex(handpick.Error, "bundle"):
            handpick.Model(b"no bundle" * 100)
        with self.model.session() as session:
            with self.assertRaisesRegex(handpick.Error, "film_id.*movie_id"):
                session.append_events({"film_id": [1]})
            with self.assertRaisesRegex(handpick.Error, "'movie_id' has 2, 'genre' has 1"):
                session.append_events({"movie_id": [1, 2], "genre": ["Drama"]})
            with self.assertRaisesRegex(handpick.Error, "genre_taste.*20"):
                session.set_context({"genre_taste": [1.0, 2.0]})
            with self.assertRaisesRegex(handpick.Error, "movie_id.*float"):
                session.append_events({"movie_id": [1.5]})
            with self.assertRaisesRegex(handpick.Error, "none of mean"):
                session.recall(5, user="mode")
            with self.assertRaisesRegex(handpick.Error, "movie_id") as caught:
                session.append_events({"genre": ["Drama"]})
            self.assertEqual(caught.exception.name, "missing feature")
            with self.assertRaisesRegex(handpick.Error, "open sessions"):
                self.model.close()
        with self.assertRaisesRegex(handpick.Error, "closed"):
            session.score({"movie_id": [1]})
        session.close()  # Once more does nothing.

    def test_two_threads_in_one_session(self):
        request = _requests("golden.jsonl", 1)[0]
        said, inside, go = [], threading.Event(), threading.Event()

        def waits(_):
            inside.set()
            return go.wait(20)

        with self.model.session() as session:
            self.user(session, request)
            thread = threading.Thread(target=lambda: said.append(len(session.recall(1, accepts=waits))))
            thread.start()
            self.assertTrue(inside.wait(20))
            with self.assertRaisesRegex(handpick.Error, "another thread"):
                session.score(request["candidates"])
            go.set()
            thread.join()
        self.assertEqual(said, [1])

    def test_what_is_forgotten_is_closed(self):
        model = handpick.Model(self.bundle)
        session = model.session()
        del model, session
        gc.collect()


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])

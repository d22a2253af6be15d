"""The wheel, built, installed into an empty folder and used; what it says is what the command says.

    HANDPICK_BINARY=<the command> python3 wheel_test.py BUILD_WHEEL.SH EXAMPLE_MODEL LIBRARY
"""

import glob
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import unittest
import zipfile

import numpy as np

# What is installed must find a command of its own.
_BINARY = os.path.abspath(os.environ.pop("HANDPICK_BINARY"))
_SCRIPT, _MODEL, _LIBRARY = (os.path.abspath(path) for path in sys.argv[1:])


def _build(out):
    """Returns the wheel's path."""
    done = subprocess.run([_SCRIPT, out], env={**os.environ, "HANDPICK_BINARY": _BINARY, "HANDPICK_LIBRARY": _LIBRARY}, stdout=subprocess.PIPE,
                          encoding="utf-8", check=True)
    return done.stdout.strip()


def _hash(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def _command(*arguments):
    """What the command itself says, line by line."""
    done = subprocess.run([_BINARY, *arguments], stdout=subprocess.PIPE, encoding="utf-8", check=True)
    return done.stdout.splitlines()


class Wheel(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls._folder = tempfile.TemporaryDirectory()  # pylint: disable=consider-using-with
        folder = cls._folder.name
        cls.wheel = _build(os.path.join(folder, "first"))
        cls.again = _build(os.path.join(folder, "second"))
        cls.installed = os.path.join(folder, "installed")
        subprocess.run([sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-index",
                        "--root-user-action=ignore", "--no-deps", "--no-cache-dir", "--target", cls.installed, cls.wheel], check=True)
        sys.path.insert(0, cls.installed)
        import handpick  # pylint: disable=import-outside-toplevel
        cls.handpick = handpick
        cls.bundle = os.path.join(folder, "model.hpk")
        cls.report = handpick.convert(cls.model("model.spec.json"), cls.model("model.safetensors"), cls.bundle,
                                      golden=cls.model("golden.jsonl"), catalog=cls.model("catalog.jsonl"))

    @classmethod
    def tearDownClass(cls):
        cls._folder.cleanup()

    @staticmethod
    def model(name):
        return os.path.join(_MODEL, name)

    def test_the_same_files_give_the_same_bytes(self):
        self.assertEqual(os.path.basename(self.wheel), os.path.basename(self.again))
        self.assertEqual(_hash(self.wheel), _hash(self.again))

    def test_its_name_says_where_it_runs(self):
        self.assertRegex(os.path.basename(self.wheel), r"^handpick-[0-9.]+-py3-none-manylinux_2_[0-9]+_x86_64\.whl$")
        with zipfile.ZipFile(self.wheel) as archive:
            self.assertIn("handpick/bin/handpick", archive.namelist())
            self.assertTrue(any(name.endswith("/LICENSE") for name in archive.namelist()))

    def test_what_is_used_is_what_was_installed(self):
        self.assertTrue(self.handpick.__file__.startswith(self.installed))
        self.assertTrue(self.handpick.binary().startswith(self.installed))
        self.assertEqual(_hash(self.handpick.binary()), _hash(_BINARY))

    def test_converts_to_the_bytes_of_the_command(self):
        own = os.path.join(self._folder.name, "command.hpk")
        _command("convert", "--spec", self.model("model.spec.json"), "--weights", self.model("model.safetensors"), "--out",
                 own, "--golden", self.model("golden.jsonl"), "--catalog", self.model("catalog.jsonl"))
        self.assertEqual(_hash(self.bundle), _hash(own))
        self.assertLess(self.report["goldens"]["max_error_bundle"], 1e-4)
        self.assertEqual(self.report["notes"], [])

    def test_scores_and_ranks_as_the_command(self):
        path = self.model("golden.jsonl")
        expected = [json.loads(line) for line in _command("score", "--bundle", self.bundle, "--requests", path)]
        with open(path, encoding="utf-8") as file:
            requests = [json.loads(line) for line in file]
        for given in (path, requests):
            scores = self.handpick.score(self.bundle, given)
            self.assertEqual(len(scores), len(expected))
            for own, theirs in zip(scores, expected):
                self.assertIsInstance(own["logits"], np.ndarray)
                np.testing.assert_array_equal(own["logits"], theirs["logits"])
                np.testing.assert_array_equal(own["scores"], theirs["scores"])
            ranked = self.handpick.rank(self.bundle, given, top_k=2)
            theirs = _command("rank", "--bundle", self.bundle, "--requests", path, "--top-k", "2")
            self.assertEqual(ranked, [json.loads(line)["ranked"] for line in theirs])

    def test_the_runtime_ranks_as_the_command(self):
        with open(self.model("golden.jsonl"), encoding="utf-8") as file:
            request = json.loads(next(file))
        (expected,) = self.handpick.rank(self.bundle, [request], top_k=3)
        with self.handpick.Model(self.bundle) as model, model.session() as session:
            session.set_context(request["context"])
            best = session.rank(request["candidates"], k=3)
        self.assertEqual(best["index"].tolist(), [one["index"] for one in expected])
        np.testing.assert_array_equal(best["score"], np.float32([one["score"] for one in expected]))

    def test_inspects(self):
        self.assertEqual(self.handpick.inspect(self.bundle), json.loads("".join(_command("inspect", self.bundle, "--json"))))

    def test_an_error_says_what_the_command_says(self):
        with self.assertRaisesRegex(self.handpick.Error, "nowhere.hpk"):
            self.handpick.score(os.path.join(self._folder.name, "nowhere.hpk"), [])
        with self.assertRaisesRegex(self.handpick.Error, "no-such-flag"):
            self.handpick.score(self.bundle, [], no_such_flag=1)

    def test_its_script_is_the_command(self):
        (script,) = glob.glob(os.path.join(self.installed, "bin", "handpick"))
        done = subprocess.run([script, "help"], env={**os.environ, "PYTHONPATH": self.installed}, stdout=subprocess.PIPE,
                              encoding="utf-8", check=True)
        self.assertEqual(done.stdout.splitlines(), _command("help"))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])

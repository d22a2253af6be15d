"""The README's programs are those of the examples, and recommend what the command does.

    HANDPICK_BINARY=<the command> HANDPICK_LIBRARY=<libhandpick.so> python3 ten_films_test.py TEN_FILMS
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

import handpick

_PROGRAM = os.path.abspath(sys.argv[1])
_SOURCES = {"cpp": "examples/ten_films/ten_films.cc", "kotlin": "examples/java/TenFilms.kt", "python": "examples/ten_films/ten_films.py",
            "swift": "examples/ten_films/TenFilms.swift"}
_HISTORY = {"movie_id": [1198, 1240, 541, 260], "genre": ["Adventure", "Sci-Fi", "Sci-Fi", "Sci-Fi"]}


def _lines(text):
    """Without indentation and empty lines."""
    return [line.strip() for line in text.splitlines() if line.strip()]


class Readme(unittest.TestCase):
    def test_its_programs_are_those_of_the_examples(self):
        with open("README.md", encoding="utf-8") as file:
            blocks = dict(re.findall(r"```(\w+)\n(.*?)```", file.read(), re.DOTALL))
        for language, path in _SOURCES.items():
            with self.subTest(language), open(path, encoding="utf-8") as file:
                source = _lines(file.read())
                shown = _lines(blocks[language])
                self.assertGreater(len(shown), 4)
                rest = iter(source)
                for line in shown:  # In the source's order; the source may have more between.
                    self.assertIn(line, rest)


class Programs(unittest.TestCase):
    def test_they_recommend_what_the_command_does(self):
        with tempfile.TemporaryDirectory() as folder:
            ranker, bundle = os.path.join(folder, "ranker.hpk"), os.path.join(folder, "movielens.hpk")
            model = "examples/din/model/"
            handpick.convert(model + "model.spec.json", model + "model.safetensors", ranker, catalog=model + "catalog.jsonl")
            subprocess.run([handpick.binary(), "recall-index", "--quiet", "--vectors", "examples/item2vec/model/item2vec.npz", "--bundle",
                            ranker, "--k", "200", "--out", bundle], check=True, stdout=subprocess.DEVNULL)
            said = subprocess.run([handpick.binary(), "recommend", "--quiet", "--bundle", bundle, "--requests", "-", "--k", "200", "--user",
                                   "recent"], input=json.dumps({"context": {}, "history": _HISTORY}), stdout=subprocess.PIPE,
                                  encoding="utf-8", check=True)
            expected = [(film["id"], film["score"]) for film in json.loads(said.stdout)["recommended"]]
            self.assertEqual(len(expected), 10)
            for command in ([_PROGRAM, bundle], [sys.executable, _SOURCES["python"], bundle]):
                with self.subTest(command[0]):
                    own = subprocess.run(command, stdout=subprocess.PIPE, encoding="utf-8", check=True).stdout
                    films = [line.split() for line in own.splitlines()]
                    self.assertEqual([int(film) for film, _ in films], [film for film, _ in expected])
                    for (_, score), (_, theirs) in zip(films, expected):
                        self.assertAlmostEqual(float(score), theirs, delta=1e-6)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])

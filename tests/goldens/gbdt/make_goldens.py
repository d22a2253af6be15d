"""Trains boosted trees with XGBoost and LightGBM and writes what an importer of them must reproduce.

Per variant: NAME.spec.json, the library's own model file as NAME.trees.json or NAME.trees.txt, NAME.requests.jsonl
(requests with the library's raw scores), and for a logistic regression over the leaves (scikit-learn's, in the folder
gbdt_lr beside this one) its weights as NAME.npz. Numbers that are missing are null. A quarter of the numbers in requests
are thresholds of the trees, or the float32 next to one. The same versions write the same bytes.

    python3 tests/goldens/gbdt/make_goldens.py --lightgbm PATH_OF_THE_PROGRAM

XGBoost 1.7.4, scikit-learn 1.2.1; LightGBM's program, version 4.6.0.99. Without --lightgbm, its variants stay as they are.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile

import numpy as np
import xgboost
from sklearn.linear_model import LogisticRegression

FOLDER = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(FOLDER, "..", "common"))

from files import write_spec  # noqa: E402
from variants import VARIANTS  # noqa: E402

TRAINING_ROWS = 600
SINGLE_REQUESTS = 12
MANY_CANDIDATES = 200


# ---- Data -------------------------------------------------------------------------------------------


def draw(column, count, rng, training, thresholds=()):
    """[count, dimension] float32 numbers of a column; NaN: missing."""
    shape = (count, column.dimension)
    if column.categories:
        values = rng.integers(0, column.categories, shape).astype(np.float32)
        if not training:
            # Ids that training never saw, and numbers that are no ids.
            odd = np.array([column.categories, column.categories + 40, 1e6, 2e9, -1, -7, -0.5, 0.5, 2.75], np.float32)
            values = np.where(rng.random(shape) < 0.25, rng.choice(odd, shape), values)
    elif column.grid:
        values = (rng.integers(-4 * column.grid, 4 * column.grid + 1, shape) / column.grid).astype(np.float32)
    else:
        values = rng.normal(0, 2, shape).astype(np.float32)
    if column.zeros:
        values = np.where(rng.random(shape) < column.zeros, np.float32(0), values)
        if not training:
            tiny = np.array([1e-35, -1e-35, 1.1e-35, -1.1e-35, 1e-38, -0.0], np.float32)
            values = np.where(rng.random(shape) < 0.2, rng.choice(tiny, shape), values)
    if not training:
        for d in range(column.dimension):
            own = np.array(thresholds[d], np.float32)
            if len(own) == 0 or column.categories:
                continue
            near = np.concatenate([own, np.nextafter(own, np.float32(-np.inf)), np.nextafter(own, np.float32(np.inf))])
            values[:, d] = np.where(rng.random(count) < 0.25, rng.choice(near, count), values[:, d])
    if not column.zeros:
        # LightGBM's program reads such numbers as 0, before any tree sees them.
        values = np.where(abs(values) < 1.2e-35, np.float32(0), values)
    # A column may be missing in requests alone.
    share = column.missing if training else max(column.missing, 0.2 if column.may_be_missing else 0)
    return np.where(rng.random(shape) < share, np.float32(np.nan), values).astype(np.float32)


def signal(variant, data, rng):
    """A noiseless target about one unit wide, in which columns meet."""
    total = np.zeros(len(next(iter(data.values()))))
    previous = None
    for column in variant.columns:
        numbers = data[column.name]
        filled = np.where(np.isnan(numbers), 1.5, numbers).astype(np.float64)
        if column.categories:
            effect = rng.normal(0, 1, column.categories)[filled.astype(int) % column.categories].mean(axis=1)
        else:
            effect = np.sin(filled @ rng.normal(0, 1, column.dimension))
        total += effect
        if previous is not None:
            total += effect * previous
        previous = effect
    for wide in variant.wide_ids:
        total += rng.normal(0, 1, wide.size)[data[wide.name]]
    return 2 * (total - total.mean()) / total.std()


def matrix(variant, data):
    """[rows, columns] of the trees."""
    return np.concatenate([data[c.name] for c in variant.columns if c.in_trees], axis=1)


def flags(variant):
    """For each column of the trees, whether it has categories."""
    return [bool(c.categories) for c in variant.columns if c.in_trees for _ in range(c.dimension)]


def names(variant):
    return [c.name if c.dimension == 1 else f"{c.name}_{d}"
            for c in variant.columns if c.in_trees for d in range(c.dimension)]


# ---- Libraries --------------------------------------------------------------------------------------


class Xgboost:
    suffix = ".trees.json"

    def __init__(self, variant, path):
        self.variant, self.path = variant, path

    def _matrix(self, x, label=None):
        group = {}
        if self.variant.params.get("objective", "").startswith("rank:") and label is not None:
            label = (label > 0).astype(float)
        matrix_ = xgboost.DMatrix(x, label=label, feature_names=names(self.variant),
                                  feature_types=["c" if c else "q" for c in flags(self.variant)],
                                  enable_categorical=True, **group)
        if label is not None and self.variant.params.get("objective", "").startswith("rank:"):
            matrix_.set_group([20] * (len(label) // 20))
        return matrix_

    def train(self, x, label):
        params = {"objective": "binary:logistic", "max_depth": 4, "eta": 0.3, "tree_method": "hist", "seed": 1,
                  "nthread": 1, **self.variant.params}
        xgboost.train(params, self._matrix(x, label), self.variant.rounds).save_model(self.path)

    def _booster(self):
        return xgboost.Booster({"nthread": 1}, model_file=self.path)

    def logits(self, x):
        return self._booster().predict(self._matrix(x), output_margin=True)

    def leaves(self, x):
        return self._booster().predict(self._matrix(x), pred_leaf=True).reshape(len(x), -1).astype(int)

    def _trees(self):
        with open(self.path, encoding="utf-8") as file:
            return json.load(file)["learner"]["gradient_booster"]["model"]["trees"]

    def leaf_ids(self):
        """Ascending, for each tree: what leaves() may say."""
        result = []
        for tree in self._trees():
            ids, nodes = [], [0]
            while nodes:
                node = nodes.pop()
                children = tree["left_children"][node], tree["right_children"][node]
                if children[0] == -1:
                    ids.append(node)
                else:
                    nodes.extend(children)
            result.append(sorted(ids))
        return result

    def thresholds(self, columns):
        result = [[] for _ in range(columns)]
        for tree in self._trees():
            for node, left in enumerate(tree["left_children"]):
                if left != -1 and tree["split_type"][node] == 0:
                    result[tree["split_indices"][node]].append(tree["split_conditions"][node])
        return result


class LightGbm:
    suffix = ".trees.txt"
    program = None

    def __init__(self, variant, path):
        self.variant, self.path = variant, path

    def _run(self, x, label=None, **params):
        """Runs the program on a file of the rows, the label first; returns what it predicts."""
        with tempfile.TemporaryDirectory() as folder:
            data, out = os.path.join(folder, "data.csv"), os.path.join(folder, "out.txt")
            header = ["label"] + names(self.variant)
            with open(data, "w", encoding="utf-8") as file:
                file.write(",".join(header) + "\n")
                for i, row in enumerate(x):
                    numbers = [repr(float(number)) for number in row]
                    file.write(",".join([repr(float(label[i])) if label is not None else "0"] + numbers) + "\n")
            params = {"data": data, "header": "true", "label_column": "0", "verbosity": "-1", "num_threads": "1",
                      "seed": "1", "deterministic": "true", "predict_disable_shape_check": "true",
                      "precise_float_parser": "true", **params}
            if label is None:
                params.update(task="predict", input_model=self.path, output_result=out)
            else:
                params.update(task="train", output_model=self.path)
            subprocess.run([self.program] + [f"{key}={value}" for key, value in params.items()], check=True,
                           stdout=subprocess.DEVNULL)
            return np.loadtxt(out, ndmin=2) if label is None else None

    def train(self, x, label):
        params = {"objective": "binary", "num_leaves": 15, "learning_rate": 0.2, "min_data_in_leaf": 5,
                  "num_iterations": self.variant.rounds, **self.variant.params}
        categories = [str(i) for i, c in enumerate(flags(self.variant)) if c]
        if categories:
            params["categorical_feature"] = ",".join(categories)
        self._run(x, label, **params)
        # The file ends with the parameters of the run, among them names of files.
        with open(self.path, encoding="utf-8") as file:
            text = file.read()
        with open(self.path, "w", encoding="utf-8") as file:
            file.write(text[:text.index("\nparameters:")])

    def logits(self, x):
        if self.variant.params.get("boosting") == "rf":
            # Raw scores are sums there; what is predicted is made of their mean.
            probability = self._run(x)[:, 0]
            return np.log(probability / (1 - probability))
        raw = self._run(x, predict_raw_score="true")[:, 0]
        # A probability is 1 / (1 + exp(-sigmoid * raw)).
        return raw * self.variant.params.get("sigmoid", 1)

    def leaves(self, x):
        return self._run(x, predict_leaf_index="true").astype(int)

    def _lines(self, key):
        with open(self.path, encoding="utf-8") as file:
            return [line.strip().split("=")[1] for line in file if line.startswith(key + "=")]

    def leaf_ids(self):
        return [list(range(int(count))) for count in self._lines("num_leaves")]

    def thresholds(self, columns):
        result = [[] for _ in range(columns)]
        lines = zip(*(self._lines(key) for key in ("split_feature", "threshold", "decision_type")))
        for features, thresholds, types in lines:
            for feature, threshold, kind in zip(features.split(), thresholds.split(), types.split()):
                if int(kind) & 1 == 0:
                    result[int(feature)].append(float(threshold))
        return result


LIBRARIES = {"xgboost": Xgboost, "lightgbm": LightGbm}


# ---- Logistic regression over leaves ----------------------------------------------------------------


class Regression:
    """wide + bias + a weight for the leaf of each tree."""

    def __init__(self, variant, library):
        self.variant, self.library = variant, library
        self.ids = library.leaf_ids()

    def _design(self, data):
        x = matrix(self.variant, data)
        leaves = self.library.leaves(x)
        parts = [(leaves[:, t:t + 1] == np.array(ids)).astype(float) for t, ids in enumerate(self.ids)]
        parts += [np.eye(wide.size)[data[wide.name]] for wide in self.variant.wide_ids]
        parts += [data[name].astype(np.float64) for name in self.variant.wide_numbers]
        return np.concatenate(parts, axis=1)

    def train(self, data, label):
        self.model = LogisticRegression(C=1.0, max_iter=2000)
        self.model.fit(self._design(data), label)

    def logits(self, data):
        return self.model.decision_function(self._design(data))

    def tensors(self):
        weights, tensors = list(self.model.coef_[0]), {}
        for t, ids in enumerate(self.ids):
            tensors[f"trees.{t}.weight"] = np.array([weights.pop(0) for _ in ids], np.float32)
        for wide in self.variant.wide_ids:
            rows = [weights.pop(0) for _ in range(wide.size)]
            tensors[f"wide.embedding.{wide.name}.weight"] = np.array(rows, np.float32).reshape(-1, 1)
        if weights:
            tensors["wide.numeric.weight"] = np.array([weights], np.float32)
        tensors["trees.bias"] = self.model.intercept_.astype(np.float32)
        return tensors


# ---- Files ------------------------------------------------------------------------------------------


def spec_of(variant):
    features = []
    for column in variant.columns:
        feature = {"name": column.name, "side": column.side, "type": "numeric"}
        if column.dimension > 1:
            feature["dimension"] = column.dimension
        if column.may_be_missing:
            feature["missing"] = True
        features.append(feature)
    for wide in variant.wide_ids:
        features.append({"name": wide.name, "side": wide.side, "type": "categorical",
                         "vocabulary": {"kind": "identity", "size": wide.size}})
    spec = {"model": {"name": variant.name, "version": "1", "kind": variant.kind, "task": variant.task},
            "features": features}
    if variant.wide_ids or variant.wide_numbers:
        spec["wide"] = {"features": [w.name for w in variant.wide_ids] + list(variant.wide_numbers)}
    spec["trees"] = {"features": [c.name for c in variant.columns if c.in_trees]}
    return spec


def shown(number):
    """The shortest digits that give back a float32; None: missing."""
    return None if np.isnan(number) else float(str(np.float32(number)))


def cell(column, row):
    numbers = [shown(number) for number in row]
    return numbers[0] if column.dimension == 1 else numbers


def make_request(variant, count, rng, thresholds, logits):
    data, request, first = {}, {"context": {}, "candidates": {}}, 0
    for column in variant.columns:
        own = [[]] * column.dimension
        if column.in_trees:
            own = thresholds[first:first + column.dimension]
            first += column.dimension
        rows = draw(column, 1 if column.side == "context" else count, rng, False, own)
        data[column.name] = np.broadcast_to(rows, (count, column.dimension)) if column.side == "context" else rows
        # Numbers that may be missing may be left out, all of them; but something says how many candidates there are.
        if column.may_be_missing and np.isnan(rows).all() and (column.side == "context" or request["candidates"]):
            continue
        if column.side == "context":
            request["context"][column.name] = cell(column, rows[0])
        else:
            request["candidates"][column.name] = [cell(column, row) for row in rows]
    for wide in variant.wide_ids:
        ids = rng.integers(0, wide.size, 1 if wide.side == "context" else count)
        data[wide.name] = np.broadcast_to(ids, count)
        if wide.side == "context":
            request["context"][wide.name] = int(ids[0])
        else:
            request["candidates"][wide.name] = [int(i) for i in ids]
    request["logits"] = [float(logit) for logit in logits(data)]
    return request


def make(variant, index):
    rng = np.random.default_rng(2000 + index)
    folder = os.path.join(os.path.dirname(FOLDER), variant.kind)
    stem = os.path.join(folder, variant.name)
    library = LIBRARIES[variant.library](variant, stem + LIBRARIES[variant.library].suffix)
    data = {column.name: draw(column, TRAINING_ROWS, rng, True) for column in variant.columns}
    for wide in variant.wide_ids:
        data[wide.name] = rng.integers(0, wide.size, TRAINING_ROWS)
    target = signal(variant, data, rng)
    if variant.task == "binary":
        target = (rng.random(TRAINING_ROWS) < 1 / (1 + np.exp(-target))).astype(np.float64)
    x = matrix(variant, data)
    library.train(x, target)
    if variant.kind == "gbdt_lr":
        regression = Regression(variant, library)
        regression.train(data, target)
        np.savez(stem + ".npz", **regression.tensors())
        logits = regression.logits
    else:
        logits = lambda rows: library.logits(matrix(variant, rows))  # noqa: E731
    write_spec(stem + ".spec.json", spec_of(variant))
    thresholds = library.thresholds(x.shape[1])
    sizes = [1] * SINGLE_REQUESTS + [MANY_CANDIDATES]
    requests = [make_request(variant, count, rng, thresholds, logits) for count in sizes]
    with open(stem + ".requests.jsonl", "w", encoding="utf-8") as file:
        for request in requests:
            file.write(json.dumps(request, separators=(",", ":")) + "\n")
    many = requests[-1]["logits"]
    print(f"{variant.kind:8} {variant.name:28} {os.path.getsize(library.path):7d} bytes of trees, "
          f"logits {min(many):6.2f} .. {max(many):6.2f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lightgbm", help="LightGBM's program")
    LightGbm.program = parser.parse_args().lightgbm
    for index, variant in enumerate(VARIANTS):
        if variant.library == "lightgbm" and LightGbm.program is None:
            print(f"{variant.name}: left as it is")
            continue
        make(variant, index)


if __name__ == "__main__":
    main()

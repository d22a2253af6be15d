"""Recomputes golden logits from the three files of their variant: plain loops over numpy in double precision.

It needs neither the trainer nor torch. It says that spec, weights and requests together mean what the trainer computed,
by formulas written separately from the trainer's code. What each kind of model makes of the pieces here is in the
check_goldens.py of its folder.
"""

import glob
import json
import os
import sys

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "examples", "common"))

import safetensors_file  # noqa: E402
from columns import row_of, transformed  # noqa: E402

TOLERANCE = 2e-6  # Of max(1, |logit|): the trainer computes in float32.
BATCH_NORM_EPSILON = 1e-5
DICE_EPSILON = 1e-8
ABSENT = -1e9  # What the trainer's maximum of no positions is.


class Model:
    """A spec, its weights in double precision, and the features by the names that the spec refers to them by."""

    def __init__(self, spec, weights):
        self.spec, self.weights = spec, weights
        self.features = {}
        for feature in spec["features"]:
            self.features[f"{feature.get('side')}.{feature['name']}"] = feature
        for feature in spec["features"]:
            self.features[feature["name"]] = feature

    @property
    def is_own(self):
        """Whether the names of the tensors are Handpick's."""
        return self.spec.get("layout", "handpick") == "handpick"

    def embedding(self, feature):
        table = feature["embedding"]["table"]
        return self.weights[f"deep.embedding.{table}.weight" if self.is_own else f"embedding_dict.{table}.weight"]

    def wide_embedding(self, feature):
        table = feature["embedding"]["table"]
        return self.weights[f"wide.embedding.{table}.weight" if self.is_own
                            else f"linear_model.embedding_dict.{table}.weight"]

    def part(self, prefix):
        """The tensors whose names start so, by the rest of their names."""
        return {name[len(prefix):]: tensor for name, tensor in self.weights.items() if name.startswith(prefix)}


def value_of(feature, given):
    """given: (side, name) -> what a request says."""
    return given.get((feature["side"], feature["name"]), feature.get("default"))


def feature_rows(feature, features, given):
    """The rows of an id feature and, for those that are pooled, the divisor of the mean."""
    kind = feature["type"]
    if kind == "crossed":
        first, second = (features[operand] for operand in feature["of"])
        pairs = [(a, b) for a in counted_rows(first, features, given) for b in counted_rows(second, features, given)]
        rows = [a * row_count(second) + b for a, b in pairs]
        return rows, len(rows)
    if kind == "categorical" and feature["side"] != "history":
        return [row_of(feature["vocabulary"], value_of(feature, given))], 1
    rows = [row_of(feature["vocabulary"], value) for value in value_of(feature, given)]
    if feature["side"] == "history":
        return rows, len(rows)
    if "length" not in feature:
        rows = [row for row in rows if row != 0]
        return rows, len(rows)
    length = given.get((feature["side"], feature["length"]), len(rows))
    rows = (rows + [0] * feature["max_values"])[:min(length, feature["max_values"])]
    return rows, length


def counted_rows(feature, features, given):
    return feature_rows(feature, features, given)[0]


def row_count(feature):
    vocabulary = feature["vocabulary"]
    return vocabulary["size"]


def pooled(table, rows, divisor, combiner):
    if not rows:
        return np.full(table.shape[1], ABSENT if combiner == "max" else 0.0)
    picked = table[rows]
    if combiner == "max":
        return picked.max(axis=0)
    return picked.sum(axis=0) / (divisor if combiner == "mean" else 1)


def numbers_of(feature, given):
    value = value_of(feature, given)
    values = value if isinstance(value, list) else [value] * feature["dimension"]
    return np.array([transformed(feature.get("transform", []), x) for x in values])


def uses(part, features):
    for entry in part.get("features", []):
        name = entry["feature"] if isinstance(entry, dict) else entry
        combiner = entry.get("combiner") if isinstance(entry, dict) else None
        yield features[name], combiner or features[name].get("combiner", "sum")


def wide_logit(model, given):
    total, numbers = 0.0, []
    for feature, combiner in uses(model.spec.get("wide", {}), model.features):
        if feature["type"] == "numeric":
            numbers.extend(numbers_of(feature, given))
        else:
            total += pooled(model.wide_embedding(feature), *feature_rows(feature, model.features, given), combiner)[0]
    if numbers:
        weights = model.weights["wide.numeric.weight" if model.is_own else "linear_model.weight"]
        total += float(np.dot(numbers, weights.reshape(-1)))
    return total


def biases(model):
    """The numbers that every logit has."""
    names = ("wide.bias", "head.bias", "out.bias")
    return sum(float(model.weights[name][0]) for name in names if name in model.weights)


def deep_values(model, given):
    """The values of the deep features by kind: single ids, pooled ids, numbers."""
    single, sequences, numbers = [], [], []
    for feature, combiner in uses(model.spec["deep"], model.features):
        if feature["type"] == "numeric":
            numbers.append(numbers_of(feature, given))
            continue
        is_single = feature["type"] == "categorical" and feature["side"] != "history"
        value = pooled(model.embedding(feature), *feature_rows(feature, model.features, given), combiner)
        (single if is_single else sequences).append(value)
    return single, sequences, numbers


def sigmoid(x):
    return np.where(x > 0, 1, np.exp(-abs(x))) / (1 + np.exp(-abs(x)))


def normalised(x, norm, epsilon):
    return (x - norm["running_mean"]) / np.sqrt(norm["running_var"] + epsilon) * norm["weight"] + norm["bias"]


def subpart(part, prefix):
    return {name[len(prefix):]: tensor for name, tensor in part.items() if name.startswith(prefix)}


def activated(x, activation, part):
    """x: [..., units]; part: the tensors of the activation."""
    if activation == "relu":
        return np.maximum(x, 0)
    if activation == "sigmoid":
        return sigmoid(x)
    if activation == "prelu":
        return np.where(x > 0, x, part["weight"][0] * x)
    if activation == "dice":
        p = sigmoid(normalised(x, subpart(part, "bn."), DICE_EPSILON))
        return p * x + (1 - p) * part["alpha"].reshape(-1) * x
    assert activation == "linear", activation
    return x


def hidden_layers(x, part, count, activation, batch_normalization=False):
    """x: [..., inputs]; part: the tensors of the library's DNN block."""
    for i in range(count):
        x = x @ part[f"linears.{i}.weight"].T + part[f"linears.{i}.bias"]
        if batch_normalization:
            x = normalised(x, subpart(part, f"bn.{i}."), BATCH_NORM_EPSILON)
        x = activated(x, activation, subpart(part, f"activation_layers.{i}."))
    return x


def tower(model, x):
    """The hidden layers of the deep part."""
    deep = model.spec["deep"]
    if model.is_own:
        for i in range(len(deep["hidden_units"])):
            x = x @ model.weights[f"deep.layers.{i}.weight"].T + model.weights[f"deep.layers.{i}.bias"]
            x = activated(x, deep["activation"], {})
        return x
    return hidden_layers(x, model.part("dnn."), len(deep["hidden_units"]), deep["activation"],
                         deep.get("batch_normalization", False))


def query_of(model, given):
    """[width]"""
    features = (model.features[name] for name in model.spec["attention"]["query"])
    return np.concatenate([model.embedding(f)[row_of(f["vocabulary"], value_of(f, given))] for f in features])


def keys_of(model, given):
    """[events, width]"""
    features = (model.features[name] for name in model.spec["attention"]["key"])
    return np.concatenate([model.embedding(f)[feature_rows(f, model.features, given)[0]] for f in features], axis=1)


def attention_weights(model, unit, query, keys):
    """[events] weights of at least one event; unit: prefix of the unit's tensors."""
    attention = model.spec["attention"]
    part = model.part(unit)
    queries = np.broadcast_to(query, keys.shape)
    x = np.concatenate([queries, keys, queries - keys, queries * keys], axis=1)
    x = hidden_layers(x, subpart(part, "dnn."), len(attention["hidden_units"]), attention["activation"])
    scores = x @ part["dense.weight"][0] + part["dense.bias"][0]
    if not attention["softmax"]:
        return scores
    powers = np.exp(scores - scores.max())
    return powers / powers.sum()


def candidates_of(request):
    """Yields (side, name) -> value for each candidate."""
    shared = {(side, name): value for side in ("context", "history") for name, value in request.get(side, {}).items()}
    for i in range(len(next(iter(request["candidates"].values())))):
        candidate = {("candidate", name): values[i] for name, values in request["candidates"].items()}
        yield {**shared, **candidate}


def read_weights(path):
    stem = path[:-len(".spec.json")]
    if os.path.exists(stem + ".safetensors"):
        tensors = safetensors_file.read_safetensors(stem + ".safetensors")
    else:
        tensors = dict(np.load(stem + ".npz"))
    return {name: tensor.astype(np.float64) for name, tensor in tensors.items()}


def expected_of(request):
    """Yields what the trainer says of each candidate, by output; "" is the only one."""
    outputs = request.get("outputs") or {"": request["logits"]}
    for values in zip(*outputs.values()):
        yield dict(zip(outputs, values))


def check(directory, logit, tolerance=TOLERANCE):
    """Compares all logits of a folder with `logit(model, given)`, prints a line a variant, returns an exit status.

    What `logit` returns is a number, or a dictionary of them by output.
    The first argument of the command line, if any, takes the place of `directory`.
    """
    directory = sys.argv[1] if len(sys.argv) > 1 else directory
    paths = sorted(glob.glob(os.path.join(directory, "*.spec.json")))
    failed = not paths
    for path in paths:
        with open(path, encoding="utf-8") as file:
            spec = json.load(file)
        if spec["layout"] != "deepctr-torch":
            continue  # Written from the paper, and not by that library.
        model = Model(spec, read_weights(path))
        worst, count = 0.0, 0
        with open(path.replace(".spec.json", ".requests.jsonl"), encoding="utf-8") as file:
            for request in map(json.loads, file):
                for given, expected in zip(candidates_of(request), expected_of(request)):
                    said = logit(model, given)
                    said = said if isinstance(said, dict) else {"": said}
                    assert said.keys() == expected.keys(), (said.keys(), expected.keys())
                    for name, value in expected.items():
                        worst = max(worst, abs(said[name] - value) / max(1, abs(value)))
                        count += 1
        good = worst <= tolerance
        failed = failed or not good
        print(f"{'ok  ' if good else 'FAIL'} {spec['model']['name']:36} {count} logits, largest error {worst:.1e}")
    return 1 if failed else 0

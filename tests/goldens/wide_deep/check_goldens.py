"""Recomputes every golden logit from the three files of its variant: plain loops over numpy in double precision.

It needs neither the trainer nor torch. It says that spec, weights and requests together mean what the trainer computed,
by formulas written separately from the trainer's code.

    python3 check_goldens.py [DIRECTORY]
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
ABSENT = -1e9  # What the trainer's maximum of no positions is.


def feature_rows(feature, features, given):
    """The rows of an id feature and, for those that are pooled, the divisor of the mean."""
    name, kind = feature["name"], feature["type"]
    if kind == "crossed":
        first, second = (features[operand] for operand in feature["of"])
        pairs = [(a, b) for a in counted_rows(first, features, given) for b in counted_rows(second, features, given)]
        rows = [a * row_count(second) + b for a, b in pairs]
        return rows, len(rows)
    if kind == "categorical" and feature["side"] != "history":
        return [row_of(feature["vocabulary"], given.get(name, feature.get("default")))], 1
    rows = [row_of(feature["vocabulary"], value) for value in given[name]]
    if feature["side"] == "history":
        return rows, len(rows)
    if "length" not in feature:
        rows = [row for row in rows if row != 0]
        return rows, len(rows)
    length = given.get(feature["length"], len(rows))
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
    value = given.get(feature["name"], feature.get("default"))
    values = value if isinstance(value, list) else [value] * feature["dimension"]
    return np.array([transformed(feature.get("transform", []), x) for x in values])


def uses(part, features):
    for entry in part.get("features", []):
        name = entry["feature"] if isinstance(entry, dict) else entry
        combiner = entry.get("combiner") if isinstance(entry, dict) else None
        yield features[name], combiner or features[name].get("combiner", "sum")


def wide_logit(spec, features, weights, given):
    total, numbers = 0.0, []
    for feature, combiner in uses(spec.get("wide", {}), features):
        if feature["type"] == "numeric":
            numbers.extend(numbers_of(feature, given))
        else:
            table = weights[f"linear_model.embedding_dict.{feature['embedding']['table']}.weight"]
            total += pooled(table, *feature_rows(feature, features, given), combiner)[0]
    if numbers:
        total += float(np.dot(numbers, weights["linear_model.weight"][:, 0]))
    return total


def deep_logit(spec, features, weights, given):
    if not spec.get("deep"):
        return 0.0
    single, sequences, numbers = [], [], []
    for feature, combiner in uses(spec["deep"], features):
        if feature["type"] == "numeric":
            numbers.append(numbers_of(feature, given))
            continue
        table = weights[f"embedding_dict.{feature['embedding']['table']}.weight"]
        is_single = feature["type"] == "categorical" and feature["side"] != "history"
        (single if is_single else sequences).append(pooled(table, *feature_rows(feature, features, given), combiner))
    x = np.concatenate(single + sequences + numbers)  # Grouped by kind.
    for i in range(len(spec["deep"]["hidden_units"])):
        x = weights[f"dnn.linears.{i}.weight"] @ x + weights[f"dnn.linears.{i}.bias"]
        if spec["deep"]["batch_normalization"]:
            norm = {part: weights[f"dnn.bn.{i}.{part}"] for part in ("weight", "bias", "running_mean", "running_var")}
            x = (x - norm["running_mean"]) / np.sqrt(norm["running_var"] + BATCH_NORM_EPSILON)
            x = x * norm["weight"] + norm["bias"]
        activation = spec["deep"]["activation"]
        if activation == "relu":
            x = np.maximum(x, 0)
        elif activation == "sigmoid":
            x = np.where(x > 0, 1, np.exp(-abs(x))) / (1 + np.exp(-abs(x)))
        elif activation == "prelu":
            x = np.where(x > 0, x, weights[f"dnn.activation_layers.{i}.weight"][0] * x)
    return float(weights["dnn_linear.weight"][0] @ x)


def rows_of_request(request):
    """Yields name -> value for each candidate."""
    for i in range(len(request["logits"])):
        given = dict(request["context"])
        given.update(request.get("history", {}))
        given.update({name: values[i] for name, values in request["candidates"].items()})
        yield given


def read_weights(path):
    stem = path[:-len(".spec.json")]
    if os.path.exists(stem + ".safetensors"):
        tensors = safetensors_file.read_safetensors(stem + ".safetensors")
    else:
        tensors = dict(np.load(stem + ".npz"))
    return {name: tensor.astype(np.float64) for name, tensor in tensors.items()}


def main():
    directory = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
    paths = sorted(glob.glob(os.path.join(directory, "*.spec.json")))
    failed = not paths
    for path in paths:
        with open(path, encoding="utf-8") as file:
            spec = json.load(file)
        weights = read_weights(path)
        features = {feature["name"]: feature for feature in spec["features"]}
        worst, count = 0.0, 0
        with open(path.replace(".spec.json", ".requests.jsonl"), encoding="utf-8") as file:
            for request in map(json.loads, file):
                for given, logit in zip(rows_of_request(request), request["logits"]):
                    mine = (wide_logit(spec, features, weights, given) + deep_logit(spec, features, weights, given) +
                            weights["out.bias"][0])
                    worst = max(worst, abs(mine - logit) / max(1, abs(logit)))
                    count += 1
        good = worst <= TOLERANCE
        failed = failed or not good
        print(f"{'ok  ' if good else 'FAIL'} {spec['model']['name']:36} {count} logits, largest error {worst:.1e}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

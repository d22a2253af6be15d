"""Writes the three files of a golden model: spec, weights, requests with logits."""

import json
import os
import sys

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "examples", "common"))

import safetensors_file  # noqa: E402
from columns import Crossed, MISSING  # noqa: E402


def reference(variant, column):
    """How a spec refers to a feature: with its side where two sides have its name."""
    sides = [c.side for c in variant.columns if c.name == column.name and c.in_spec]
    return column.name if len(sides) == 1 else f"{column.side}.{column.name}"


def write_spec(path, spec):
    """JSON with one feature a line."""
    def line(value):
        return json.dumps(value, ensure_ascii=False)
    parts = []
    for key, value in spec.items():
        if key == "features":
            rows = ",\n".join("    " + line(feature) for feature in value)
            parts.append(f'  "features": [\n{rows}\n  ]')
        else:
            parts.append(f"  {line(key)}: {line(value)}")
    with open(path, "w", encoding="utf-8") as file:
        file.write("{\n" + ",\n".join(parts) + "\n}\n")


def write_weights(directory, variant, tensors):
    """tensors: name -> numpy array. Returns the path."""
    path = os.path.join(directory, f"{variant.name}.{variant.weights.split('_', maxsplit=1)[0]}")
    if variant.weights == "safetensors":
        safetensors_file.write_safetensors(path, tensors, {"format": "pt"})
    elif variant.weights == "npz_deflated":  # Both kinds of .npz members: deflated and stored.
        np.savez_compressed(path, **tensors)
    else:
        np.savez(path, **tensors)
    return path


def request_of(variant, raws, logits):
    """One request: the first row's context and history, every row's candidate. logits: an array, or by output."""
    request = {"context": {}, "history": {}, "candidates": {}}
    for column in variant.columns:
        values = [raw[column.key] for raw in raws]
        if isinstance(column, Crossed) or not column.in_spec:
            continue
        if column.side == "candidate":
            if any(value is MISSING for value in values):
                assert all(value is MISSING for value in values), column.name
                continue
            request["candidates"][column.name] = values
        elif values[0] is not MISSING:
            request[column.side][column.name] = values[0]
    if isinstance(logits, dict):
        request["outputs"] = {name: digits(own) for name, own in logits.items()}
    else:
        request["logits"] = digits(logits)
    has_history = variant.max_events or getattr(variant, "sequences", None)
    return {key: value for key, value in request.items() if key != "history" or has_history}


def digits(logits):
    """The shortest digits that give back the float32."""
    return [float(str(logit)) for logit in logits]


def logits_in(request):
    """All of a request's, whatever their output."""
    return request["logits"] if "logits" in request else sum(request["outputs"].values(), [])


def write_requests(directory, variant, requests):
    """One JSON object a line."""
    with open(os.path.join(directory, f"{variant.name}.requests.jsonl"), "w", encoding="utf-8") as file:
        for request in requests:
            file.write(json.dumps(request, separators=(",", ":"), ensure_ascii=False) + "\n")

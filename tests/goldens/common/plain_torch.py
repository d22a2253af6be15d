"""Goldens of models that no library of the others has: small PyTorch models, written from their papers.

A model is a module whose forward takes a request and gives the logit of each of its candidates. Its parameters are
named as layout `handpick` names tensors. Per variant NAME.spec.json, NAME.safetensors and NAME.requests.jsonl are written, as
maker.py does for models of DeepCTR-Torch. The same versions write the same bytes.
"""

import argparse
import json
import os
import sys

import numpy as np
import torch
from torch import nn

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "examples", "common"))

import safetensors_file  # noqa: E402
from files import write_spec  # noqa: E402

MANY_CANDIDATES = 200
TRAINED_CANDIDATES = 16
STEPS = 60


# ---- Features: entries of a spec, and values of them ---------------------------------------------------


def ids(name, side, size, dimension, table=None):
    return {"name": name, "side": side, "type": "categorical", "vocabulary": {"kind": "identity", "size": size},
            "embedding": {"table": table or name, "dimension": dimension}}


def id_lists(name, side, size, dimension, most, table=None):
    return {"name": name, "side": side, "type": "multi_categorical", "vocabulary": {"kind": "identity", "size": size},
            "embedding": {"table": table or name, "dimension": dimension}, "max_values": most, "combiner": "mean"}


def numbers(name, side, dimension=1):
    return {"name": name, "side": side, "type": "numeric", "dimension": dimension}


def draw(feature, rng):
    """A value, as a request has it."""
    if feature["type"] == "categorical":
        return int(rng.integers(feature["vocabulary"]["size"]))
    if feature["type"] == "multi_categorical":
        return rng.integers(feature["vocabulary"]["size"], size=rng.integers(feature["max_values"] + 1)).tolist()
    values = [float(np.float32(round(x, 3))) for x in rng.normal(0, 1, feature["dimension"])]
    return values if feature["dimension"] > 1 else values[0]


def sequences_of(spec):
    """The name of each history -> how many events it keeps."""
    if "sequences" in spec:
        return {sequence["name"]: sequence["max_events"] for sequence in spec["sequences"]}
    return {"history": spec["history"]["max_events"]} if "history" in spec else {}


def draw_request(spec, rng, events, candidates):
    """events: how many there are, by sequence."""
    rows = {"context": 1, "candidate": candidates}
    request = {"context": {}, "history": {}, "candidates": {}}
    for feature in spec["features"]:
        side = feature["side"]
        count = events[feature.get("sequence", "history")] if side == "history" else rows[side]
        values = [draw(feature, rng) for _ in range(count)]
        request["candidates" if side == "candidate" else side][feature["name"]] = \
            values[0] if side == "context" else values
    return request


# ---- Modules -----------------------------------------------------------------------------------------


class Dice(nn.Module):
    """p x + (1 - p) alpha x, with p = sigmoid of x normalised (Zhou et al., KDD 2018, equation 3)."""

    def __init__(self, units):
        super().__init__()
        self.alpha = nn.Parameter(torch.zeros(units))
        self.norm = nn.BatchNorm1d(units, eps=1e-8)

    def forward(self, x):
        p = torch.sigmoid(self.norm(x))
        return p * x + (1 - p) * self.alpha * x


class Layer(nn.Module):
    """activation(batch_norm(x W^T + b))"""

    def __init__(self, inputs, units, activation, batch_normalization):
        super().__init__()
        linear = nn.Linear(inputs, units)
        self.weight, self.bias = linear.weight, linear.bias
        self.batch_norm = nn.BatchNorm1d(units) if batch_normalization else None
        self.prelu = nn.PReLU(units) if activation == "prelu" else None
        self.dice = Dice(units) if activation == "dice" else None
        self._plain = {"relu": torch.relu, "tanh": torch.tanh, "sigmoid": torch.sigmoid}.get(activation)

    def forward(self, x):
        x = x @ self.weight.T + self.bias
        for step in (self.batch_norm, self.prelu, self.dice, self._plain):
            x = x if step is None else step(x)
        return x


class Network(nn.Module):
    """Layers, one after the other."""

    def __init__(self, inputs, units, activation, output_activation=None, batch_normalization=False):
        super().__init__()
        layers = []
        for i, count in enumerate(units):
            own = output_activation if output_activation and i + 1 == len(units) else activation
            layers.append(Layer(inputs, count, own, batch_normalization))
            inputs = count
        self.layers = nn.ModuleList(layers)
        self.width = inputs

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x


class Embeddings(nn.Module):
    """The tables of a spec, and what features of a request come to."""

    def __init__(self, spec, generator):
        super().__init__()
        self._features = {(f["side"], f["name"]): f for f in spec["features"]}
        self.embedding = nn.ModuleDict()
        for feature in spec["features"]:
            if feature["type"] != "numeric" and feature["embedding"]["table"] not in self.embedding:
                table = nn.Embedding(feature["vocabulary"]["size"], feature["embedding"]["dimension"])
                with torch.no_grad():
                    table.weight.copy_(0.7 * torch.randn(table.weight.shape, generator=generator))
                self.embedding[feature["embedding"]["table"]] = table

    def find(self, reference):
        """The feature that a spec means by a name, or by "side.name"."""
        side, _, name = reference.rpartition(".")
        found = [f for (s, n), f in self._features.items() if n == name and side in ("", s)]
        assert len(found) == 1, reference
        return found[0]

    def width(self, references):
        features = map(self.find, references)
        return sum(f["dimension"] if f["type"] == "numeric" else f["embedding"]["dimension"] for f in features)

    def rows(self, reference, request):
        """[rows of the feature's side, width]"""
        feature = self.find(reference)
        given = request["candidates" if feature["side"] == "candidate" else feature["side"]][feature["name"]]
        values = [given] if feature["side"] == "context" else given
        if feature["type"] == "numeric":
            return torch.tensor(values, dtype=torch.get_default_dtype()).reshape(len(values), feature["dimension"])
        table = self.embedding[feature["embedding"]["table"]]
        if feature["type"] == "categorical":
            return table(torch.tensor(values, dtype=torch.long))
        width = table.weight.shape[1]
        return torch.stack([table(torch.tensor(v, dtype=torch.long)).mean(dim=0) if v else torch.zeros(width)
                            for v in values]) if values else torch.zeros(0, width)

    def joined(self, references, request):
        return torch.cat([self.rows(reference, request) for reference in references], dim=1)

    def without_events(self, references, request):
        """As joined(), a history's events averaged: [1 or candidates, width] each, broadcast to one another."""
        parts = []
        for reference in references:
            rows = self.rows(reference, request)
            if self.find(reference)["side"] == "history":
                rows = rows.mean(dim=0, keepdim=True) if len(rows) else torch.zeros(1, rows.shape[1])
            parts.append(rows)
        count = max(len(part) for part in parts)
        return torch.cat([part.expand(count, -1) for part in parts], dim=1)


# ---- Training and writing ------------------------------------------------------------------------------


def spread(model, generator):
    """Starts what PyTorch starts at about nothing, so that a few dozen steps are training enough."""
    for name, parameter in model.named_parameters():
        if ".embedding." in name:
            continue
        scale = 0.3 if parameter.dim() == 1 else 1.5 / parameter.shape[1] ** 0.5
        start = 1.0 if name.endswith(("norm.weight", "batch_norm.weight")) else 0.0
        with torch.no_grad():
            parameter.copy_(start + scale * torch.randn(parameter.shape, generator=generator))


def loss_of_clicks(model, request, rng):
    """Cross entropy of clicks that depend on the candidate's first id."""
    del rng
    first = next(iter(request["candidates"].values()))
    clicks = torch.sin(3.0 * torch.tensor(first, dtype=torch.float32)) > 0
    return nn.functional.binary_cross_entropy_with_logits(model(request), clicks.float())


def train(model, spec, rng, loss=loss_of_clicks):
    """A few steps, which leave no number what it was at first."""
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    model.train()
    for _ in range(STEPS):
        events = {name: int(rng.integers(1, most + 1)) for name, most in sequences_of(spec).items()}
        request = draw_request(spec, rng, events, TRAINED_CANDIDATES)
        optimizer.zero_grad()
        loss(model, request, rng).backward()
        optimizer.step()
    model.eval()


def tensors_of(model):
    """name -> array, by the names of layout `handpick`."""
    tensors = {}
    for name, tensor in model.state_dict().items():
        if not name.endswith("num_batches_tracked"):
            tensors[name.replace(".dice.norm.", ".dice.")] = tensor.numpy()
    return tensors


def event_counts(spec):
    """Numbers of events by sequence: of one history few and many, of several each alone and all together."""
    sequences = sequences_of(spec)
    if len(sequences) > 1:
        none = dict.fromkeys(sequences, 0)
        return [none, *({**none, name: most} for name, most in sequences.items()),
                {name: 1 + i for i, name in enumerate(sequences)}, sequences]
    return [{name: events for name in sequences} for most in sequences.values() or [0]
            for events in sorted({0, 1, 2, most - 1, most} & set(range(most + 1)))]


def requests_of(model, spec, rng):
    has_events = bool(sequences_of(spec))
    singles = 2 if has_events else 8
    for events in event_counts(spec):
        for count in (1,) * singles + (MANY_CANDIDATES,):
            request = draw_request(spec, rng, events, count)
            with torch.no_grad():
                logits = model(request).numpy().reshape(-1)
            assert len(logits) == count
            request["logits"] = [float(str(logit)) for logit in logits]
            if not has_events:
                del request["history"]
            yield request


def write_goldens(directory, variants):
    """variants: name -> (spec, (spec, generator) -> model, loss or None)."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", default=directory)
    out = parser.parse_args().out
    torch.set_num_threads(1)
    for index, (name, (spec, build, loss)) in enumerate(variants.items()):
        torch.manual_seed(index)
        rng = np.random.default_rng(2000 + index)
        generator = torch.Generator().manual_seed(index)
        model = build(spec, generator)
        spread(model, generator)
        train(model, spec, rng, loss or loss_of_clicks)
        stem = os.path.join(out, name)
        write_spec(stem + ".spec.json", spec)
        safetensors_file.write_safetensors(stem + ".safetensors", tensors_of(model), {"format": "pt"})
        requests = list(requests_of(model, spec, rng))
        with open(stem + ".requests.jsonl", "w", encoding="utf-8") as file:
            for request in requests:
                file.write(json.dumps(request, separators=(",", ":")) + "\n")
        logits = np.concatenate([request["logits"] for request in requests])
        print(f"{name:36} {os.path.getsize(stem + '.safetensors'):6d} bytes, "
              f"logits {logits.min():6.2f} .. {logits.max():6.2f}")


def head_of(name, kind, features, max_events=0, task="binary", sequences=()):
    """All of a spec but its parts. sequences: names and numbers of events, of a model with several."""
    spec = {"model": {"name": name, "version": "1", "kind": kind, "task": task}, "layout": "handpick"}
    if max_events:
        spec["history"] = {"max_events": max_events}
    if sequences:
        spec["sequences"] = [{"name": of, "max_events": most} for of, most in sequences]
    spec["features"] = features
    return spec

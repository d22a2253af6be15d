"""Trains a folder's golden models with DeepCTR-Torch and writes what an importer of them must reproduce.

Per variant: NAME.spec.json, the trainer's state_dict as NAME.safetensors or NAME.npz, NAME.requests.jsonl (requests
with the trainer's logits, which it computes for all candidates of a request as one batch). The same versions write the
same bytes.

Every variant has `name`, `columns`, `task`, `max_events` (0: no history) and `weights`: "safetensors", "npz" (stored
members) or "npz_deflated". The rest is up to a folder's make_goldens.py.
"""

import argparse
import collections
import os
import sys

import numpy as np
import torch

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "examples", "common"))

import deepctr_library  # noqa: E402
from columns import (Crossed, Dense, History, Length, NegativeHistory, Sparse, random_rows,  # noqa: E402
                     to_matrix_columns)
from files import logits_in, reference, request_of, write_requests, write_spec, write_weights  # noqa: E402

deepctr_library.load()
from deepctr_torch.inputs import DEFAULT_GROUP_NAME, DenseFeat, SparseFeat, VarLenSparseFeat  # noqa: E402

TRAINING_ROWS = 2048
BATCH = 64
SINGLE_REQUESTS = 12
MANY_CANDIDATES = 200


# ---- Columns ----------------------------------------------------------------------------------------


def library_column(column, combiner=None):
    """The library's column of ours."""
    if isinstance(column, Dense):
        return DenseFeat(column.key, column.dimension)
    sparse = SparseFeat(column.key, column.size, column.dimension, embedding_name=column.table,
                        group_name=getattr(column, "group", None) or DEFAULT_GROUP_NAME)
    if isinstance(column, Sparse) or (isinstance(column, Crossed) and not column.is_sequence):
        return sparse
    return VarLenSparseFeat(sparse, column.maxlen, combiner or column.combiner or "mean", column.length)


def use(entry):
    """An entry of a variant's list -> (key, combiner or None)."""
    return entry if isinstance(entry, tuple) else (entry, None)


def library_columns(variant, uses):
    by_key = {column.key: column for column in variant.columns}
    return [library_column(by_key[key], combiner) for key, combiner in map(use, uses)]


def in_groups(columns):
    """The order in which DIN and DIEN concatenate columns: by group, in the order of their first appearance."""
    groups = collections.defaultdict(list)
    for column in columns:
        groups[column.group].append(column)
    return [column for group in groups.values() for column in group]


# ---- Training ---------------------------------------------------------------------------------------


def spread(model, seed):
    """Starts what the library starts at about nothing, so that a few dozen steps are training enough."""
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in model.named_parameters():
        if name.startswith(("embedding_dict.", "out.")):
            continue
        scale = 0.3 if parameter.dim() == 1 or 1 in parameter.shape else 1.2 / parameter.shape[1] ** 0.5
        start = 1.0 if name.endswith("bn.weight") else 0.0
        with torch.no_grad():
            parameter.copy_(start + scale * torch.randn(parameter.shape, generator=generator))


def signal(columns, seens, rng):
    """A noiseless target that depends on every column, about one unit wide."""
    total = np.zeros(len(seens))
    for column in columns:
        if isinstance(column, (Length, NegativeHistory)):
            continue
        numbers = np.array([seen[column.key] for seen in seens], dtype=np.float64).reshape(len(seens), -1)
        if isinstance(column, Dense):
            total += np.tanh(numbers @ rng.normal(0, 1, column.dimension))
        else:
            effect = rng.normal(0, 1, column.size)
            effect[0] = 0
            total += effect[numbers.astype(int)].mean(axis=1)
    return 2 * (total - total.mean()) / total.std()


def train(model, variant, rng, learning_rate=0.02):
    """A few dozen steps of the library's own fit()."""
    _, seens = random_rows(variant.columns, TRAINING_ROWS, rng, training=True)
    target = signal(variant.columns, seens, rng)
    if variant.task == "binary":
        target = (rng.random(TRAINING_ROWS) < 1 / (1 + np.exp(-target))).astype(np.float64)
    model.compile(torch.optim.Adam(model.parameters(), lr=learning_rate),
                  "binary_crossentropy" if variant.task == "binary" else "mse")
    model.fit(to_matrix_columns(seens), target, batch_size=BATCH, epochs=2, verbose=0)


def logits_of(model, seens):
    """The model's outputs before the sigmoid, float32."""
    model.eval()
    task, model.out.task = model.out.task, "regression"  # Regression is the same without the sigmoid.
    logits = model.predict(to_matrix_columns(seens)).astype(np.float32).reshape(-1)
    model.out.task = task
    return logits


# ---- Spec -------------------------------------------------------------------------------------------


def spec_uses(variant, entries):
    by_key = {column.key: column for column in variant.columns}
    references = ((reference(variant, by_key[key]), combiner) for key, combiner in map(use, entries))
    return [name if combiner is None else {"feature": name, "combiner": combiner} for name, combiner in references]


def spec_head(variant, kind):
    """All of a spec but its parts."""
    spec = {"model": {"name": variant.name, "version": "1", "kind": kind, "task": variant.task},
            "layout": "deepctr-torch"}
    if variant.max_events:
        spec["history"] = {"max_events": variant.max_events}
    spec["features"] = [column.spec() for column in variant.columns if column.in_spec]
    return spec


def make_requests(model, variant, rng, logits=logits_of):
    """Yields requests of one candidate, one of many, and one that leaves lengths out."""
    sizes = [(1, False)] * SINGLE_REQUESTS + [(MANY_CANDIDATES, False)]
    if any(isinstance(c, Length) for c in variant.columns):
        sizes.append((3, True))
    for count, exact_lengths in sizes:
        yield make_request(model, variant, count, rng, exact_lengths=exact_lengths, logits=logits)


def make_requests_by_events(model, variant, rng, logits=logits_of):
    """Yields, for 0, 1, 2, the most but one and the most events, two requests of one candidate and one of many."""
    most = variant.max_events
    for events in sorted({0, 1, 2, most - 1, most} & set(range(most + 1))):
        for count in (1, 1, MANY_CANDIDATES):
            yield make_request(model, variant, count, rng, events, logits=logits)


def make_request(model, variant, count, rng, events=None, exact_lengths=False, logits=logits_of):
    shared = [c for c in variant.columns if c.side in ("context", "history")]
    given = None if events is None else ({}, {History.length: events})
    raws, seens = random_rows(shared, 1, rng, False, given, exact_lengths)
    raws, seens = random_rows(variant.columns, count, rng, False, (raws[0], seens[0]), exact_lengths)
    return request_of(variant, raws, logits(model, seens))


# ---- A folder ---------------------------------------------------------------------------------------


def tensors_of(model):
    return {name: tensor.numpy() for name, tensor in model.state_dict().items()}


def write_goldens(directory, variants, make_model, spec_of, requests_of, tensors_for=None):
    """Writes the files of all `variants`.

    Args:
        directory: the folder of the calling script; --out overrides it.
        make_model: (variant, seed, rng) -> trained model.
        spec_of: variant -> spec.
        requests_of: (model, variant, rng) -> iterable of requests.
        tensors_for: (model, variant) -> name -> array, when a file holds something else than the model.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", default=directory)
    out = parser.parse_args().out
    torch.set_num_threads(1)
    for index, variant in enumerate(variants):
        rng = np.random.default_rng(1000 + index)
        model = make_model(variant, index, rng)
        write_spec(os.path.join(out, f"{variant.name}.spec.json"), spec_of(variant))
        tensors = tensors_for(model, variant) if tensors_for else tensors_of(model)
        weights = write_weights(out, variant, tensors)
        requests = list(requests_of(model, variant, rng))
        write_requests(out, variant, requests)
        logits = np.concatenate([own for own in map(logits_in, requests) if len(own) > 3])
        usual = logits[abs(logits) < 1e6]
        spread_of_logits = f"{usual.min():6.2f} .. {usual.max():6.2f}" if len(usual) else "saturated"
        print(f"{variant.name:36} {os.path.getsize(weights):6d} bytes, logits {spread_of_logits}")

"""Trains small Wide&Deep models with DeepCTR-Torch and writes what an importer of them must reproduce.

    PYTHONPATH=<checkout of DeepCTR-Torch 0.2.9> python3 make_goldens.py

Per variant: NAME.spec.json, NAME.safetensors or NAME.npz (the trainer's state_dict), NAME.requests.jsonl (requests with
the trainer's logits, which it computes for all candidates of a request as one batch). The same versions write the same
bytes.
"""

import argparse
import json
import os
import sys

import numpy as np
import torch

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "examples", "common"))

import deepctr_library  # noqa: E402
import safetensors_file  # noqa: E402
from columns import (Crossed, Dense, History, Length, MISSING, Sequence, Sparse, random_rows,  # noqa: E402
                     to_matrix_columns)
from variants import all_variants  # noqa: E402

deepctr_library.load()
from deepctr_torch.inputs import DenseFeat, SparseFeat, VarLenSparseFeat  # noqa: E402
from deepctr_torch.models import WDL  # noqa: E402

TRAINING_ROWS = 2048
BATCH = 64
SINGLE_REQUESTS = 12
MANY_CANDIDATES = 200


def library_column(column, combiner):
    """The library's column of ours."""
    if isinstance(column, Dense):
        return DenseFeat(column.name, column.dimension)
    sparse = SparseFeat(column.name, column.size, column.dimension, embedding_name=column.table)
    if isinstance(column, Sparse) or (isinstance(column, Crossed) and not column.is_sequence):
        return sparse
    return VarLenSparseFeat(sparse, column.maxlen, combiner or column.combiner, column.length)


def library_columns(variant, uses):
    by_name = {column.name: column for column in variant.columns}
    return [library_column(by_name[name], combiner) for name, combiner in map(use, uses)]


def use(entry):
    """An entry of a variant's list -> (name, combiner or None)."""
    return entry if isinstance(entry, tuple) else (entry, None)


def build(variant, seed):
    model = WDL(library_columns(variant, variant.wide), library_columns(variant, variant.deep),
                dnn_hidden_units=variant.hidden_units, dnn_activation=variant.activation,
                dnn_use_bn=variant.batch_normalization, task=variant.task, init_std=0.4, seed=seed)
    for parameter in model.linear_model.parameters():  # The library starts these at 1e-4 whatever init_std says.
        torch.nn.init.normal_(parameter, std=0.3)
    return model


def signal(columns, seens, rng):
    """A noiseless target that depends on every column, about one unit wide."""
    total = np.zeros(len(seens))
    for column in columns:
        if isinstance(column, Length):
            continue
        numbers = np.array([seen[column.name] for seen in seens], dtype=np.float64).reshape(len(seens), -1)
        if isinstance(column, Dense):
            total += np.tanh(numbers @ rng.normal(0, 1, column.dimension))
        else:
            effect = rng.normal(0, 1, column.size)
            effect[0] = 0
            total += effect[numbers.astype(int)].mean(axis=1)
    return 2 * (total - total.mean()) / total.std()


def train(model, variant, rng):
    """A few dozen steps of the library's own fit()."""
    _, seens = random_rows(variant.columns, TRAINING_ROWS, rng, training=True)
    target = signal(variant.columns, seens, rng)
    if variant.task == "binary":
        target = (rng.random(TRAINING_ROWS) < 1 / (1 + np.exp(-target))).astype(np.float64)
    model.compile(torch.optim.Adam(model.parameters(), lr=0.02),
                  "binary_crossentropy" if variant.task == "binary" else "mse")
    model.fit(to_matrix_columns(seens), target, batch_size=BATCH, epochs=2, verbose=0)


def logits_of(model, seens):
    """The model's outputs before the sigmoid, float32."""
    model.eval()
    task, model.out.task = model.out.task, "regression"  # Regression is the same without the sigmoid.
    logits = model.predict(to_matrix_columns(seens)).astype(np.float32).reshape(-1)
    model.out.task = task
    return logits


def spec_of(variant):
    def uses(entries):
        return [name if combiner is None else {"feature": name, "combiner": combiner}
                for name, combiner in map(use, entries)]
    spec = {"model": {"name": variant.name, "version": "1", "kind": "wide_deep", "task": variant.task},
            "layout": "deepctr-torch"}
    if variant.max_events:
        spec["history"] = {"max_events": variant.max_events}
    spec["features"] = [column.spec() for column in variant.columns]
    spec["wide"] = {"features": uses(variant.wide)}
    if variant.deep:
        spec["deep"] = {"features": uses(variant.deep), "hidden_units": list(variant.hidden_units),
                        "activation": variant.activation, "batch_normalization": variant.batch_normalization}
    return spec


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


def write_weights(directory, variant, model):
    tensors = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
    path = os.path.join(directory, f"{variant.name}.{variant.weights}")
    if variant.weights == "safetensors":
        safetensors_file.write_safetensors(path, tensors, {"format": "pt"})
    elif variant.batch_normalization:
        np.savez_compressed(path, **tensors)  # Both kinds of .npz members: deflated and stored.
    else:
        np.savez(path, **tensors)
    return path


def request_of(variant, raws, logits):
    """One request: the first row's context and history, every row's candidate."""
    request = {"context": {}, "history": {}, "candidates": {}}
    for column in variant.columns:
        values = [raw[column.name] for raw in raws]
        if isinstance(column, Crossed):
            continue
        if column.side == "candidate":
            if any(value is MISSING for value in values):
                assert all(value is MISSING for value in values), column.name
                continue
            request["candidates"][column.name] = values
        elif values[0] is not MISSING:
            request[column.side][column.name] = values[0]
    request["logits"] = [float(str(logit)) for logit in logits]  # The shortest digits that give back the float32.
    return {key: value for key, value in request.items() if key != "history" or variant.max_events}


def make_requests(model, variant, rng):
    """Yields requests of one candidate, one of many, and one that leaves lengths out."""
    shared = [c for c in variant.columns if c.side in ("context", "history")]
    sizes = [(1, False)] * SINGLE_REQUESTS + [(MANY_CANDIDATES, False)]
    if any(isinstance(c, Length) for c in variant.columns):
        sizes.append((3, True))
    for count, exact_lengths in sizes:
        raws, seens = random_rows(shared, 1, rng, False, exact_lengths=exact_lengths)
        raws, seens = random_rows(variant.columns, count, rng, False, (raws[0], seens[0]), exact_lengths)
        yield request_of(variant, raws, logits_of(model, seens))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", default=os.path.dirname(os.path.abspath(__file__)))
    out = parser.parse_args().out
    torch.set_num_threads(1)
    for index, variant in enumerate(all_variants()):
        rng = np.random.default_rng(1000 + index)
        model = build(variant, seed=index)
        if variant.wide or variant.deep:
            train(model, variant, rng)
        write_spec(os.path.join(out, f"{variant.name}.spec.json"), spec_of(variant))
        weights = write_weights(out, variant, model)
        requests = list(make_requests(model, variant, rng))
        with open(os.path.join(out, f"{variant.name}.requests.jsonl"), "w", encoding="utf-8") as file:
            for request in requests:
                file.write(json.dumps(request, separators=(",", ":"), ensure_ascii=False) + "\n")
        logits = np.array(requests[SINGLE_REQUESTS]["logits"])
        usual = logits[abs(logits) < 1e6]
        spread = f"{usual.min():6.2f} .. {usual.max():6.2f}" if len(usual) else "saturated"
        print(f"{variant.name:36} {os.path.getsize(weights):6d} bytes, logits {spread}")


if __name__ == "__main__":
    main()

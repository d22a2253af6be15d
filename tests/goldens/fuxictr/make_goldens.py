"""Asks models of FuxiCTR and writes the goldens of layout fuxictr into the folders of their kinds.

    PYTHONPATH=<checkout of FuxiCTR 2.3.9> python3 make_goldens.py [--out FOLDER]

Weights are drawn, so that nothing is 0 or 1 that training would move: embeddings, biases, running statistics. Row 0 of a
table pads and is zeros, as the library makes it. The same versions write the same bytes.
"""

import argparse
import os
import sys

import numpy as np
import torch

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "common"))

import library  # noqa: E402
from columns import Dense, History, Sequence, random_rows  # noqa: E402
from files import request_of, write_requests, write_spec, write_weights  # noqa: E402
from variants import NEGATIVE, all_variants  # noqa: E402

MANY_CANDIDATES = 40
SINGLE_REQUESTS = 6


# ---- To the library ---------------------------------------------------------------------------------


def feature_of(column):
    """What feature_map.json says of a column."""
    if isinstance(column, Dense):
        if column.dimension == 1:
            return {"source": "", "type": "numeric"}
        return {"source": "", "type": "embedding", "pretrain_dim": column.dimension}
    feature = {"source": "", "type": "categorical", "padding_idx": 0, "vocab_size": column.size}
    if isinstance(column, (Sequence, History)):
        feature.update(type="sequence", max_len=column.maxlen)
        if column.combiner:
            feature["feature_encoder"] = {"mean": "layers.MaskedAveragePooling()",
                                          "sum": "layers.MaskedSumPooling()"}[column.combiner]
    if column.table != column.name:
        feature["share_embedding"] = column.table
    return feature


def features_of(variant):
    features = {column.key: feature_of(column) for column in variant.columns}
    for key in variant.negatives:
        features[NEGATIVE + key] = features[key]
    return features


def inputs_of(variant, seens):
    """As the library's data loader gives them: by feature, in the order of its feature map."""
    inputs = {column.key: torch.tensor(np.array([seen[column.key] for seen in seens], dtype=np.float64))
              for column in variant.columns}
    for key in variant.negatives:
        inputs[NEGATIVE + key] = inputs[key].flip(1)
    return inputs


def draw(model, seed, gain):
    """Weights that look trained. gain: how large those of layers are."""
    generator = torch.Generator().manual_seed(seed)

    def normal(tensor, scale, centre=0.0):
        tensor.copy_(centre + scale * torch.randn(tensor.shape, generator=generator))

    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, torch.nn.Embedding):
                normal(module.weight, 0.6)
                module.weight[0] = 0
            elif isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
                normal(module.running_mean, 0.3)
                module.running_var.copy_(0.3 + torch.rand(module.running_var.shape, generator=generator))
                if module.affine:
                    normal(module.weight, 0.3, 1.0)
                    normal(module.bias, 0.3)
            else:
                for name, parameter in module.named_parameters(recurse=False):
                    if not parameter.is_floating_point():
                        continue
                    is_matrix = parameter.dim() == 2 and 1 not in parameter.shape
                    normal(parameter, gain / parameter.shape[1] ** 0.5 if is_matrix else 0.4,
                           0.25 if isinstance(module, torch.nn.PReLU) or name == "alpha" else 0.0)


def logits_of(model, variant, seens):
    """Before the sigmoid, float32. DIEN fails on batches of fewer than two histories: two more rows go with these."""
    inputs = inputs_of(variant, seens)
    for column in variant.columns:
        if isinstance(column, History):
            inputs[column.key] = torch.cat([inputs[column.key], torch.ones(2, column.maxlen, dtype=torch.float64)])
        else:
            inputs[column.key] = torch.cat([inputs[column.key], inputs[column.key][:1], inputs[column.key][:1]])
    for key in variant.negatives:
        inputs[NEGATIVE + key] = inputs[key]
    with torch.no_grad():
        return model(inputs)["y_pred"].numpy().astype(np.float32).reshape(-1)[:len(seens)]


# ---- What is written --------------------------------------------------------------------------------


def spec_of(variant):
    spec = {"model": {"name": variant.name, "version": "1", "kind": variant.kind, "task": variant.task},
            "layout": "fuxictr"}
    if variant.max_events:
        spec["history"] = {"max_events": variant.max_events}
    if variant.sequences:
        spec["sequences"] = [{"name": name, "max_events": most} for name, most in variant.sequences.items()]
    spec["features"] = []
    for column in variant.columns:
        feature = column.spec()
        feature.pop("padding_row", None)  # Row 0 pads.
        if feature.get("embedding", {}).get("table") == column.name:
            del feature["embedding"]
        spec["features"].append(feature)
    return {**spec, **variant.parts}


def event_counts(variant):
    """How many events there are in requests, by the name that the columns' lengths have."""
    if variant.sequences:
        lengths = {f"{name}_count": most for name, most in variant.sequences.items()}
        none = dict.fromkeys(lengths, 0)
        return [none, *({**none, name: most} for name, most in lengths.items()),
                {name: 1 + i for i, name in enumerate(lengths)}, lengths]
    most = variant.max_events
    return [{History.length: events} for events in sorted({0, 1, 2, most - 1, most} & set(range(most + 1)))] if most else [None]


def requests_of(model, variant, rng):
    """One of one candidate and one of many, a few times; by the number of events, where there is a history."""
    for events in event_counts(variant):
        singles = SINGLE_REQUESTS if events is None else 2
        for count in [1] * singles + [MANY_CANDIDATES]:
            given = None if events is None else ({}, events)
            shared = [c for c in variant.columns if c.side in ("context", "history")]
            raws, seens = random_rows(shared, 1, rng, False, given)
            raws, seens = random_rows(variant.columns, count, rng, False, (raws[0], seens[0]))
            yield request_of(variant, raws, logits_of(model, variant, seens))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", default=os.path.join(HERE, ".."))
    out = parser.parse_args().out
    torch.set_num_threads(1)
    for index, variant in enumerate(all_variants()):
        directory = os.path.join(out, variant.kind)
        os.makedirs(directory, exist_ok=True)
        model = library.make(variant.model, features_of(variant), variant.width, variant.task, **variant.arguments)
        draw(model, index, variant.gain)
        write_spec(os.path.join(directory, f"{variant.name}.spec.json"), spec_of(variant))
        tensors = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
        weights = write_weights(directory, variant, tensors)
        requests = list(requests_of(model, variant, np.random.default_rng(3000 + index)))
        write_requests(directory, variant, requests)
        logits = np.concatenate([request["logits"] for request in requests])
        print(f"{variant.kind:10} {variant.name:36} {os.path.getsize(weights):6d} bytes, "
              f"logits {logits.min():6.2f} .. {logits.max():6.2f}")


if __name__ == "__main__":
    main()

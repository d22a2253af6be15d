"""Models with several tasks: how they are trained and asked, and how a checkpoint looks in layout handpick.

A variant has `tasks`: (name, "binary" or "regression") of each, and `layout`.
"""

import re

import numpy as np
import torch

import maker
from columns import random_rows, to_matrix_columns

# Names of the library -> names of layout handpick. The layers of a network come behind.
NETWORKS = (
    (r"bottom_dnn", r"deep"),
    (r"tower_dnn\.(\d+)", r"tasks.\1"),
    (r"expert_dnn\.(\d+)", r"experts.\1"),
    (r"gate_dnn\.(\d+)", r"gate.\1"),
    (r"(ctr|cvr)_dnn", r"tasks.\1"),
)
LAYERS = (
    (r"linears\.(\d+)\.", r"layers.\1."),
    (r"bn\.(\d+)\.", r"layers.\1.batch_norm."),
    (r"activation_layers\.(\d+)\.", r"layers.\1.prelu."),
)
OTHERS = (
    (r"embedding_dict\.(.+)\.weight", r"deep.embedding.\1.weight"),
    (r"tower_dnn_final_layer\.(\d+)\.weight", r"tasks.\1.head.weight"),
    (r"out\.(\d+)\.bias", r"tasks.\1.head.bias"),
    (r"gate_dnn_final_layer\.(\d+)\.weight", r"gate.\1.weight"),
    (r"(ctr|cvr)_dnn_final_layer\.weight", r"tasks.\1.head.weight"),
)


def handpick_name(name):
    for pattern, replacement in OTHERS:
        if re.fullmatch(pattern, name):
            return re.sub(pattern, replacement, name)
    for network, network_replacement in NETWORKS:
        for layer, layer_replacement in LAYERS:
            match = re.match(rf"{network}\.(?={layer})", name)
            if match:
                return (re.sub(network, network_replacement, match.group()[:-1]) + "." +
                        re.sub(layer, layer_replacement, name[match.end():], count=1))
    raise ValueError(name)


def tensors_for(model, variant):
    tensors = maker.tensors_of(model)
    if variant.layout == "deepctr-torch":
        return tensors
    renamed = {}
    for name, tensor in tensors.items():
        if name == "out.bias":  # ESMM's, of both of its networks.
            renamed.update({f"tasks.{task}.head.bias": tensor for task in ("ctr", "cvr")})
        else:
            renamed[handpick_name(name)] = tensor
    return renamed


def train(model, variant, rng, learning_rate=0.01):
    """A few dozen steps of the library's own fit(), on a target for each task."""
    _, seens = random_rows(variant.columns, maker.TRAINING_ROWS, rng, training=True)
    targets, losses = [], []
    for _, task in variant.tasks:
        target = maker.signal(variant.columns, seens, rng)
        if task == "binary":
            target = (rng.random(maker.TRAINING_ROWS) < 1 / (1 + np.exp(-target))).astype(np.float64)
        targets.append(target)
        losses.append("binary_crossentropy" if task == "binary" else "mse")
    model.compile(torch.optim.Adam(model.parameters(), lr=learning_rate), losses)
    model.fit(to_matrix_columns(seens), np.stack(targets, axis=1), batch_size=maker.BATCH, epochs=2, verbose=0)


def predict(model, seens):
    """[rows, tasks] float32. One row alone is asked twice: MMOE squeezes a batch of one away."""
    model.eval()
    answers = model.predict(to_matrix_columns(seens if len(seens) > 1 else seens * 2)).astype(np.float32)
    return answers[:len(seens)]


def logits_of(variant):
    """(model, seens) -> logits by task, of a model that has an output layer for each."""
    def logits(model, seens):
        for layer in model.out:
            layer.task = "regression"  # The same without the sigmoid.
        answers = predict(model, seens)
        for layer, (_, task) in zip(model.out, variant.tasks):
            layer.task = task
        return {name: answers[:, t] for t, (name, _) in enumerate(variant.tasks)}
    return logits


def spec_head(variant, kind):
    """All of a spec but its parts."""
    spec = maker.spec_head(variant, kind)
    del spec["model"]["task"]
    spec["layout"] = variant.layout
    spec["model"]["outputs"] = [{"name": name, "task": task} for name, task in variant.tasks]
    if variant.rank_by is not None:
        spec["model"]["rank_by"] = variant.rank_by
    return spec

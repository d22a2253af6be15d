"""The golden MMoE models: one Variant per behaviour of the library that an importer can get wrong."""

import dataclasses

from usual_columns import PLAIN, USUAL, cases_of_tasks, plain, usual


@dataclasses.dataclass
class Variant:
    name: str
    columns: list
    deep: list  # Keys in the order of dnn_feature_columns, or (key, combiner).
    experts: int = 3
    expert_units: tuple = (12, 8)
    gate_units: tuple = ()
    tower_units: tuple = (6,)
    activation: str = "relu"
    batch_normalization: bool = False
    tasks: tuple = (("ctr", "binary"), ("cvr", "binary"))
    rank_by: object = None
    layout: str = "deepctr-torch"
    weights: str = "safetensors"  # Or "npz", "npz_deflated".
    max_events: int = 0
    task: str = "binary"


def all_variants():
    three = (("click", "binary"), ("seconds", "regression"), ("buy", "binary"))
    return [
        Variant("relu_sum", usual(combiner="sum"), USUAL),
        Variant("sigmoid_batch_norm_gate_layers", usual(combiner="mean"), USUAL, gate_units=(7,), activation="sigmoid",
                batch_normalization=True, weights="npz"),
        Variant("prelu_batch_norm_deep_gates", usual(combiner="mean"), USUAL, 4, (9, 6), (6, 5), (5, 4),
                activation="prelu", batch_normalization=True, weights="npz_deflated"),
        Variant("two_experts_no_towers", usual(combiner="mean"), USUAL, 2, tower_units=()),
        Variant("eight_experts", usual(combiner="mean"), USUAL, 8, (16,), tasks=three),
        # Regressions among the tasks, and what ranks: an output that is not the first, and a product.
        Variant("three_tasks", usual(combiner="mean"), USUAL, gate_units=(5,), tasks=three, rank_by="buy"),
        Variant("rank_by_product", usual(combiner="mean"), USUAL, tasks=three, rank_by={"click": 1, "buy": 0.5}),
        Variant("handpick", plain(), PLAIN, layout="handpick"),
        Variant("handpick_prelu_batch_norm", plain(), PLAIN, gate_units=(7,), activation="prelu",
                batch_normalization=True, layout="handpick"),
        *cases_of_tasks(Variant),
    ]

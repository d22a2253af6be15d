"""The golden shared-bottom models: one Variant per behaviour of the library that an importer can get wrong."""

import dataclasses

from usual_columns import PLAIN, USUAL, cases_of_tasks, plain, usual


@dataclasses.dataclass
class Variant:
    name: str
    columns: list
    deep: list  # Keys in the order of dnn_feature_columns, or (key, combiner).
    bottom_units: tuple = (12, 8)
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
        Variant("sigmoid_batch_norm_mean", usual(combiner="mean"), USUAL, activation="sigmoid",
                batch_normalization=True, weights="npz"),
        Variant("prelu_batch_norm_deep_towers", usual(combiner="mean"), USUAL, (11, 7), (5, 4), activation="prelu",
                batch_normalization=True, weights="npz_deflated"),
        Variant("no_towers", usual(combiner="mean"), USUAL, tower_units=()),
        # Regressions among the tasks, and what ranks: an output that is not the first, and a product.
        Variant("three_tasks", usual(combiner="mean"), USUAL, tasks=three, rank_by="buy"),
        Variant("rank_by_product", usual(combiner="mean"), USUAL, tasks=three, rank_by={"click": 1, "buy": 0.5}),
        Variant("handpick", plain(), PLAIN, layout="handpick", rank_by="cvr"),
        Variant("handpick_prelu_batch_norm", plain(), PLAIN, activation="prelu", batch_normalization=True,
                tower_units=(6, 5), layout="handpick"),
        *cases_of_tasks(Variant),
    ]

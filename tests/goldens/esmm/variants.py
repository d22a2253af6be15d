"""The golden ESMM models: one Variant per behaviour of the library that an importer can get wrong."""

import dataclasses

from usual_columns import PLAIN, USUAL, cases_of_tasks, plain, usual


@dataclasses.dataclass
class Variant:
    name: str
    columns: list
    deep: list  # Keys in the order of dnn_feature_columns, or (key, combiner).
    hidden_units: tuple = (12, 8)
    activation: str = "relu"
    batch_normalization: bool = False
    tasks: tuple = (("ctr", "binary"), ("cvr", "binary"))
    rank_by: object = None
    layout: str = "deepctr-torch"
    weights: str = "safetensors"  # Or "npz", "npz_deflated".
    max_events: int = 0
    task: str = "binary"


def all_variants():
    return [
        Variant("relu_sum", usual(combiner="sum"), USUAL),
        Variant("sigmoid_batch_norm_mean", usual(combiner="mean"), USUAL, (10,), activation="sigmoid",
                batch_normalization=True, weights="npz"),
        Variant("prelu_batch_norm_deep", usual(combiner="mean"), USUAL, (11, 7, 5), activation="prelu",
                batch_normalization=True, weights="npz_deflated"),
        # What ranks: an output that is not the first, and products, one of them of a product.
        Variant("rank_by_cvr", usual(combiner="mean"), USUAL, rank_by="cvr"),
        Variant("rank_by_product", usual(combiner="mean"), USUAL, rank_by={"ctr": 0.5, "cvr": 2}),
        Variant("rank_by_product_of_product", usual(combiner="mean"), USUAL, rank_by={"ctcvr": 0.5, "ctr": 0.25}),
        Variant("handpick", plain(), PLAIN, layout="handpick"),
        Variant("handpick_prelu_batch_norm", plain(), PLAIN, activation="prelu", batch_normalization=True,
                layout="handpick"),
        *cases_of_tasks(Variant),
    ]

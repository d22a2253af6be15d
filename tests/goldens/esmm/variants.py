"""The golden ESMM models: one Variant per behaviour of the library that an importer can get wrong."""

import dataclasses

from columns import Dense, History, Length, Sequence, Sparse
from usual_columns import PLAIN, USUAL, plain, usual


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
        Variant("history",
                [History("item_id", 60, 4, 8, "mean", key="hist_item_id", first=0),
                 History("brand", 12, 4, 8, "sum", key="hist_brand", first=0),
                 Sparse("item_id", "candidate", 60, 4), Sparse("brand", "candidate", 12, 4),
                 Sparse("user_id", "context", 40, 4)],
                ["user_id", "hist_item_id", "item_id", "hist_brand", "brand"], max_events=8),
        Variant("with_lengths",
                [Sparse("user_id", "context", 40, 4), Sparse("item_id", "candidate", 60, 4),
                 Length("tags_length", "candidate", 5),
                 Sequence("tags", "candidate", 15, 4, combiner="mean", length="tags_length"),
                 Length("likes_length", "context", 4),
                 Sequence("likes", "context", 20, 4, maxlen=4, combiner="sum", length="likes_length")],
                ["user_id", "item_id", "tags", "likes"], activation="prelu"),
        Variant("context_only",
                [Sparse("user_id", "context", 40, 4), Sparse("city", "context", 30, 4),
                 Sparse("item_id", "candidate", 60, 4)],
                ["user_id", "city"]),
        Variant("candidate_only",
                [Sparse("item_id", "candidate", 60, 4), Sparse("brand", "candidate", 12, 4), Dense("price", "candidate")],
                ["price", "item_id", "brand"], weights="npz"),
    ]

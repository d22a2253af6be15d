"""The golden DCN models: one Variant per behaviour of the library that an importer can get wrong."""

import dataclasses

from columns import Dense, History, Length, Sequence, Sparse


@dataclasses.dataclass
class Variant:
    name: str
    columns: list
    wide: list  # Keys in the order of linear_feature_columns, or (key, combiner).
    deep: list  # Keys in the order of dnn_feature_columns, or (key, combiner).
    cross_layers: int = 2
    parameterization: str = "vector"
    hidden_units: tuple = (12, 8)
    activation: str = "relu"
    batch_normalization: bool = False
    task: str = "binary"
    weights: str = "safetensors"  # Or "npz", "npz_deflated".
    max_events: int = 0


def _usual(width=5, **sequence):
    """A user, an item, a number of each, a multi-valued feature of the item and one of the user."""
    return [Sparse("user_id", "context", 40, width), Dense("age", "context"),
            Sparse("item_id", "candidate", 60, 3), Dense("price", "candidate", 2),
            Sequence("tags", "candidate", 15, width, **sequence),
            Sequence("likes", "context", 20, 4, maxlen=4, **sequence)]


_USUAL = ["user_id", "age", "item_id", "price", "tags", "likes"]
_IDS = ["user_id", "item_id", "tags", "likes"]


def all_variants():
    variants = []
    for kind in ("vector", "matrix"):
        variants += [
            Variant(f"{kind}_relu_sum", _usual(combiner="sum"), _USUAL, _USUAL, parameterization=kind),
            Variant(f"{kind}_depth_1", _usual(combiner="mean"), _IDS, _USUAL, cross_layers=1, parameterization=kind,
                    hidden_units=(6,), activation="sigmoid", weights="npz"),
            Variant(f"{kind}_depth_4_batch_norm", _usual(combiner="mean"), _USUAL, _USUAL, cross_layers=4,
                    parameterization=kind, hidden_units=(11, 7, 5), activation="prelu", batch_normalization=True,
                    weights="npz_deflated"),
            # The class refuses to be built without hidden layers; what it would compute is in its code.
            Variant(f"{kind}_cross_alone", _usual(combiner="mean"), _USUAL, _USUAL, cross_layers=3,
                    parameterization=kind, hidden_units=()),
            Variant(f"{kind}_no_linear", _usual(combiner="sum"), [], _IDS, cross_layers=3, parameterization=kind),
            # One side only: nothing, or everything, is left to a candidate.
            Variant(f"{kind}_candidate_only",
                    [Sparse("item_id", "candidate", 60, 4), Sparse("brand", "candidate", 12, 4),
                     Dense("price", "candidate")],
                    ["item_id"], ["price", "item_id", "brand"], parameterization=kind, weights="npz"),
            Variant(f"{kind}_history",
                    [History("item_id", 60, 4, 8, "mean", key="hist_item_id", first=0),
                     Sparse("item_id", "candidate", 60, 4), Sparse("brand", "candidate", 12, 3),
                     Sparse("user_id", "context", 40, 4)],
                    ["item_id", "hist_item_id"], ["user_id", "hist_item_id", "item_id", "brand"],
                    parameterization=kind, max_events=8),
        ]
    # The checkpoint has tensors of no layers.
    variants.append(Variant("tower_alone", _usual(combiner="mean"), _USUAL, _USUAL, cross_layers=0))
    variants.append(Variant(
        "context_only",
        [Sparse("user_id", "context", 40, 4), Sparse("city", "context", 30, 4), Sparse("item_id", "candidate", 60, 4)],
        ["item_id"], ["user_id", "city"], cross_layers=3))
    variants.append(Variant(
        "interleaved_kinds",
        [Dense("mood", "context", 2), Sparse("item_id", "candidate", 60, 6), Dense("price", "candidate"),
         Sequence("tags", "candidate", 15, 6, combiner="mean"), Sparse("user_id", "context", 40, 6),
         Dense("position", "candidate", 3)],
        ["position", "item_id", "mood", "user_id"],
        ["mood", "tags", "item_id", "price", "user_id", "position"], hidden_units=(14, 6), activation="sigmoid"))
    variants.append(Variant(
        "shared_tables",
        [Sparse("item_id", "candidate", 60, 5, table="item table"), Length("recent_length", "context", 5),
         Sequence("recent", "context", 60, 5, combiner="mean", length="recent_length", table="item table"),
         Sparse("brand", "candidate", 12, 5),
         Sequence("similar", "candidate", 60, 5, maxlen=4, combiner="mean", table="item table")],
        ["item_id", "recent", "brand"], ["recent", "item_id", "brand", "similar"], parameterization="matrix",
        task="regression"))
    variants.append(Variant(
        "many_fields",
        [Sparse(f"context_{i}", "context", 10 + i, 8) for i in range(12)] +
        [Sparse(f"candidate_{i}", "candidate", 12 + i, 8) for i in range(6)],
        [f"context_{i}" for i in range(12)] + [f"candidate_{i}" for i in range(6)],
        [f"{side}_{i}" for i in range(12) for side in ("candidate", "context") if side == "context" or i < 6],
        cross_layers=3, hidden_units=(16, 8)))
    return variants

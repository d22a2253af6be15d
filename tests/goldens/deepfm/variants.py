"""The golden DeepFM models: one Variant per behaviour of the library that an importer can get wrong."""

import dataclasses

from columns import Dense, History, Length, Sequence, Sparse


@dataclasses.dataclass
class Variant:
    name: str
    columns: list
    wide: list  # Keys in the order of linear_feature_columns, or (key, combiner).
    deep: list  # Keys in the order of dnn_feature_columns, or (key, combiner).
    hidden_units: tuple = (12, 8)
    activation: str = "relu"
    batch_normalization: bool = False
    task: str = "binary"
    weights: str = "safetensors"  # Or "npz", "npz_deflated".
    max_events: int = 0


def _usual(width=5, **sequence):
    """A user, an item, a number of each, a multi-valued feature of the item and one of the user."""
    return [Sparse("user_id", "context", 40, width), Dense("age", "context"),
            Sparse("item_id", "candidate", 60, width), Dense("price", "candidate", 2),
            Sequence("tags", "candidate", 15, width, **sequence),
            Sequence("likes", "context", 20, width, maxlen=4, **sequence)]


_USUAL = ["user_id", "age", "item_id", "price", "tags", "likes"]
_IDS = ["user_id", "item_id", "tags", "likes"]


def all_variants():
    # Each activation and combiner, with and without batch normalisation, numbers in both parts.
    variants = [
        Variant("relu_sum", _usual(combiner="sum"), _USUAL, _USUAL),
        Variant("sigmoid_batch_norm_mean", _usual(combiner="mean"), _USUAL, _USUAL, activation="sigmoid",
                batch_normalization=True, weights="npz"),
        # Never an empty maximum in the interaction: the square of -1e9 leaves no digit of the other fields.
        Variant("prelu_batch_norm_max", _usual(combiner="max", never_empty=True), _USUAL, _USUAL,
                hidden_units=(11, 7, 5), activation="prelu", batch_normalization=True, weights="npz_deflated"),
        Variant("linear_depth_1", _usual(combiner="mean"), _IDS, _USUAL, hidden_units=(6,), activation="linear"),
    ]
    # The tower and the interaction read ids alone.
    variants.append(Variant("numbers_in_linear_alone", _usual(combiner="mean"), _USUAL, _IDS))
    # Without a tower it is a factorization machine, and deep numbers do nothing.
    variants.append(Variant("no_tower", _usual(combiner="mean"), _USUAL, _USUAL, hidden_units=()))
    variants.append(Variant("no_linear", _usual(combiner="sum"), [], _USUAL, weights="npz"))
    variants.append(Variant("no_linear_no_tower", _usual(combiner="sum"), [], _IDS, hidden_units=()))
    variants.append(Variant(
        "with_lengths",
        [Sparse("user_id", "context", 40, 4), Sparse("item_id", "candidate", 60, 4),
         Length("tags_length", "candidate", 5),
         Sequence("tags", "candidate", 15, 4, combiner="mean", length="tags_length"),
         Length("likes_length", "context", 4),
         Sequence("likes", "context", 20, 4, maxlen=4, combiner="sum", length="likes_length")],
        _IDS, _IDS, activation="prelu"))
    # The tower's input is grouped by kind, whatever the order of the columns.
    variants.append(Variant(
        "interleaved_kinds",
        [Dense("mood", "context", 2), Sparse("item_id", "candidate", 60, 6), Dense("price", "candidate"),
         Sequence("tags", "candidate", 15, 6, combiner="mean"), Sparse("user_id", "context", 40, 6),
         Dense("position", "candidate", 3)],
        ["position", "item_id", "mood", "user_id"],
        ["mood", "tags", "item_id", "price", "user_id", "position"], hidden_units=(14, 6), activation="sigmoid"))
    # One field alone interacts with nothing: 0.
    variants.append(Variant(
        "one_field", [Sparse("item_id", "candidate", 60, 4), Dense("price", "candidate", 2), Dense("age", "context")],
        ["item_id", "age"], ["item_id", "price", "age"], activation="prelu"))
    variants.append(Variant(
        "shared_tables",
        [Sparse("item_id", "candidate", 60, 5, table="item table"), Length("recent_length", "context", 5),
         Sequence("recent", "context", 60, 5, combiner="mean", length="recent_length", table="item table"),
         Sequence("recent_brand", "context", 12, 5, combiner="sum", length="recent_length", table="brand"),
         Sparse("brand", "candidate", 12, 5),
         Sequence("similar", "candidate", 60, 5, maxlen=4, combiner="mean", table="item table")],
        ["item_id", "recent", "brand"], ["recent", "item_id", "recent_brand", "brand", "similar"]))
    # Different lists, orders and combiners in the two parts.
    variants.append(Variant(
        "different_lists",
        [Sparse("city", "context", 30, 4), Sparse("user_id", "context", 40, 4), Sparse("item_id", "candidate", 60, 4),
         Sequence("tags", "candidate", 15, 4, combiner="mean"),
         Sequence("likes", "context", 20, 4, combiner="sum"), Dense("price", "candidate")],
        ["city", ("tags", "max"), "item_id", "likes"],
        ["price", "tags", "item_id", "user_id", ("likes", "mean")], task="regression"))
    # One side only.
    variants.append(Variant(
        "candidate_only",
        [Sparse("item_id", "candidate", 60, 4), Sparse("brand", "candidate", 12, 4), Dense("price", "candidate")],
        ["item_id"], ["price", "item_id", "brand"], weights="npz"))
    variants.append(Variant(
        "context_only",
        [Sparse("user_id", "context", 40, 4), Sparse("city", "context", 30, 4), Sparse("item_id", "candidate", 60, 4)],
        ["item_id"], ["user_id", "city"]))
    variants.append(Variant(
        "many_fields",
        [Sparse(f"context_{i}", "context", 10 + i, 8) for i in range(12)] +
        [Sparse(f"candidate_{i}", "candidate", 12 + i, 8) for i in range(6)],
        [f"context_{i}" for i in range(12)] + [f"candidate_{i}" for i in range(6)],
        [f"{side}_{i}" for i in range(12) for side in ("candidate", "context") if side == "context" or i < 6],
        hidden_units=(16, 8)))
    # Events, pooled, as fields.
    variants.append(Variant(
        "history",
        [History("item_id", 60, 4, 8, "mean", key="hist_item_id", first=0),
         History("brand", 12, 4, 8, "sum", key="hist_brand", first=0),
         Sparse("item_id", "candidate", 60, 4), Sparse("brand", "candidate", 12, 4),
         Sparse("user_id", "context", 40, 4)],
        ["item_id", "hist_item_id"], ["user_id", "hist_item_id", "item_id", "hist_brand", "brand"], max_events=8))
    return variants

"""Golden models of two lists of columns, a wide and a deep one: what a Variant is, and those that kinds have in common."""

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


def with_lengths():
    ids = ["user_id", "item_id", "tags", "likes"]
    return Variant(
        "with_lengths",
        [Sparse("user_id", "context", 40, 4), Sparse("item_id", "candidate", 60, 4),
         Length("tags_length", "candidate", 5),
         Sequence("tags", "candidate", 15, 4, combiner="mean", length="tags_length"),
         Length("likes_length", "context", 4),
         Sequence("likes", "context", 20, 4, maxlen=4, combiner="sum", length="likes_length")],
        ids, ids, activation="prelu")


def interleaved_columns():
    """Ids, sequences and numbers in any order."""
    return [Dense("mood", "context", 2), Sparse("item_id", "candidate", 60, 6), Dense("price", "candidate"),
            Sequence("tags", "candidate", 15, 6, combiner="mean"), Sparse("user_id", "context", 40, 6),
            Dense("position", "candidate", 3)]


def one_field():
    """One field alone interacts with nothing: 0."""
    return Variant(
        "one_field", [Sparse("item_id", "candidate", 60, 4), Dense("price", "candidate", 2), Dense("age", "context")],
        ["item_id", "age"], ["item_id", "price", "age"], activation="prelu")


def shared_tables():
    return Variant(
        "shared_tables",
        [Sparse("item_id", "candidate", 60, 5, table="item table"), Length("recent_length", "context", 5),
         Sequence("recent", "context", 60, 5, combiner="mean", length="recent_length", table="item table"),
         Sequence("recent_brand", "context", 12, 5, combiner="sum", length="recent_length", table="brand"),
         Sparse("brand", "candidate", 12, 5),
         Sequence("similar", "candidate", 60, 5, maxlen=4, combiner="mean", table="item table")],
        ["item_id", "recent", "brand"], ["recent", "item_id", "recent_brand", "brand", "similar"])


def different_lists(**others):
    """Different lists, orders and combiners in the two parts."""
    return Variant(
        "different_lists",
        [Sparse("city", "context", 30, 4), Sparse("user_id", "context", 40, 4), Sparse("item_id", "candidate", 60, 4),
         Sequence("tags", "candidate", 15, 4, combiner="mean"),
         Sequence("likes", "context", 20, 4, combiner="sum"), Dense("price", "candidate")],
        ["city", ("tags", "max"), "item_id", "likes"],
        ["price", "tags", "item_id", "user_id", ("likes", "mean")], **others)


def candidate_only():
    return Variant(
        "candidate_only",
        [Sparse("item_id", "candidate", 60, 4), Sparse("brand", "candidate", 12, 4), Dense("price", "candidate")],
        ["item_id"], ["price", "item_id", "brand"], weights="npz")


def context_only():
    return Variant(
        "context_only",
        [Sparse("user_id", "context", 40, 4), Sparse("city", "context", 30, 4), Sparse("item_id", "candidate", 60, 4)],
        ["item_id"], ["user_id", "city"])


def many_fields():
    return Variant(
        "many_fields",
        [Sparse(f"context_{i}", "context", 10 + i, 8) for i in range(12)] +
        [Sparse(f"candidate_{i}", "candidate", 12 + i, 8) for i in range(6)],
        [f"context_{i}" for i in range(12)] + [f"candidate_{i}" for i in range(6)],
        [f"{side}_{i}" for i in range(12) for side in ("candidate", "context") if side == "context" or i < 6],
        hidden_units=(16, 8))


def history():
    """Events, pooled, as fields."""
    return Variant(
        "history",
        [History("item_id", 60, 4, 8, "mean", key="hist_item_id", first=0),
         History("brand", 12, 4, 8, "sum", key="hist_brand", first=0),
         Sparse("item_id", "candidate", 60, 4), Sparse("brand", "candidate", 12, 4),
         Sparse("user_id", "context", 40, 4)],
        ["item_id", "hist_item_id"], ["user_id", "hist_item_id", "item_id", "hist_brand", "brand"], max_events=8)

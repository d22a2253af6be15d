"""The golden field-aware factorization machines."""

import dataclasses

from columns import Dense, History, Sequence, Sparse
from usual_columns import with_length


@dataclasses.dataclass
class Variant:
    name: str
    columns: list  # Their `dimension` is that of a row: a vector for each field.
    wide: list
    deep: list
    vector: int  # Numbers of one vector.
    task: str = "binary"
    weights: str = "safetensors"
    max_events: int = 0


def all_variants():
    return [
        Variant("usual", with_length(5 * 4), ["user_id", "age", "item_id", "price", "tags", "likes"],
                ["tags", "user_id", "item_id", "likes", "brand"], 4),
        Variant("no_linear", with_length(4 * 3), [], ["item_id", "likes", "user_id", "tags"], 3,
                weights="npz"),
        Variant("candidate_only",
                [Sparse("item_id", "candidate", 60, 9), Sparse("brand", "candidate", 12, 9),
                 Sparse("color", "candidate", 9, 9)], ["item_id"], ["brand", "item_id", "color"], 3),
        Variant("context_only",
                [Sparse("user_id", "context", 40, 9), Sparse("city", "context", 30, 9),
                 Sparse("device", "context", 5, 9), Sparse("item_id", "candidate", 60, 9)],
                ["item_id"], ["user_id", "city", "device"], 3),
        # Vectors toward the table's other fields, too: what nobody reads differs from field to field.
        Variant("shared_tables",
                [Sparse("item_id", "candidate", 60, 10, table="item"),
                 Sequence("similar", "candidate", 60, 10, maxlen=4, combiner="mean", table="item"),
                 Sequence("recent", "context", 60, 10, combiner="sum", table="item"),
                 Sparse("user_id", "context", 40, 10), Sparse("brand", "candidate", 12, 10)],
                ["item_id", "recent"], ["similar", "recent", "user_id", "item_id", "brand"], 2),
        Variant("many_fields",
                [Sparse(f"context_{i}", "context", 10 + i, 36) for i in range(12)] +
                [Sparse(f"candidate_{i}", "candidate", 12 + i, 36) for i in range(6)],
                [f"context_{i}" for i in range(12)] + [f"candidate_{i}" for i in range(6)],
                [f"{side}_{i}" for i in range(12) for side in ("candidate", "context") if side == "context" or i < 6],
                2),
        Variant("history",
                [History("item_id", 60, 16, 8, "mean", key="hist_item_id", first=0),
                 Sparse("item_id", "candidate", 60, 16), Sparse("brand", "candidate", 12, 16),
                 Sparse("user_id", "context", 40, 16), Dense("age", "context")],
                ["item_id", "hist_item_id", "age"], ["user_id", "hist_item_id", "item_id", "brand"], 4, max_events=8),
    ]

"""The golden attentional factorization machines: one Variant per behaviour that an importer can get wrong."""

import dataclasses

from columns import History, Sparse
from usual_columns import USUAL, two_lengths, usual, with_length


@dataclasses.dataclass
class Variant:
    name: str
    columns: list
    wide: list  # Keys in the order of linear_feature_columns, or (key, combiner).
    deep: list  # Keys in the order of dnn_feature_columns, or (key, combiner).
    attention_factor: int = 6
    own: bool = False  # Of the paper, in layout handpick; otherwise the library's.
    task: str = "binary"
    weights: str = "safetensors"  # Or "npz", "npz_deflated".
    max_events: int = 0


_IDS = ["user_id", "item_id", "tags", "likes"]


def all_variants():
    return [
        Variant("sum", usual(combiner="sum"), USUAL, _IDS),
        # As many units as an embedding has numbers: the weights are square.
        Variant("square_mean", usual(combiner="mean"), _IDS, _IDS, attention_factor=5, weights="npz"),
        Variant("one_unit_max", usual(combiner="max", never_empty=True), [], _IDS, attention_factor=1,
                weights="npz_deflated"),
        Variant("with_lengths", two_lengths(), _IDS, _IDS, task="regression"),
        Variant("two_fields", [Sparse("user_id", "context", 40, 4), Sparse("item_id", "candidate", 60, 4)],
                ["item_id"], ["item_id", "user_id"]),
        Variant("candidate_only",
                [Sparse("item_id", "candidate", 60, 4), Sparse("brand", "candidate", 12, 4),
                 Sparse("color", "candidate", 9, 4)],
                ["item_id"], ["item_id", "brand", "color"]),
        Variant("context_only",
                [Sparse("user_id", "context", 40, 4), Sparse("city", "context", 30, 4),
                 Sparse("item_id", "candidate", 60, 4)],
                ["item_id"], ["user_id", "city"]),
        Variant("many_fields",
                [Sparse(f"context_{i}", "context", 10 + i, 8) for i in range(12)] +
                [Sparse(f"candidate_{i}", "candidate", 12 + i, 8) for i in range(6)],
                [f"context_{i}" for i in range(12)] + [f"candidate_{i}" for i in range(6)],
                [f"{side}_{i}" for i in range(12) for side in ("candidate", "context") if side == "context" or i < 6],
                attention_factor=16),
        Variant("history",
                [History("item_id", 60, 4, 8, "mean", key="hist_item_id", first=0),
                 Sparse("item_id", "candidate", 60, 4), Sparse("brand", "candidate", 12, 4),
                 Sparse("user_id", "context", 40, 4)],
                ["item_id", "hist_item_id"], ["user_id", "hist_item_id", "item_id", "brand"], max_events=8),
        Variant("own", with_length(6), ["user_id", "age", "item_id", "tags"],
                ["likes", "item_id", "user_id", "brand", "tags"], attention_factor=7, own=True),
    ]

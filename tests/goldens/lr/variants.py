"""The golden logistic regressions: one Variant per behaviour that an importer can get wrong."""

import dataclasses

from columns import Dense, History, Length, Sequence, Sparse
from usual_columns import with_length


@dataclasses.dataclass
class Variant:
    name: str
    columns: list
    wide: list
    own: bool = True  # scikit-learn's, in layout handpick; otherwise the library's.
    task: str = "binary"
    weights: str = "safetensors"  # Or "npz", "npz_deflated".
    max_events: int = 0
    deep: tuple = ()


def _library(**sequence):
    return [Sparse("user_id", "context", 40, 4), Dense("age", "context"), Sparse("item_id", "candidate", 60, 4),
            Dense("price", "candidate", 2), Length("tags_length", "candidate", 5),
            Sequence("tags", "candidate", 15, 4, length="tags_length", **sequence),
            Sequence("likes", "context", 20, 4, maxlen=4, **sequence)]


def all_variants():
    return [
        Variant("usual", with_length(4),
                ["price", "user_id", "age", "item_id", "tags", "likes", "brand"]),
        Variant("ids_alone", with_length(4), ["user_id", ("tags", "sum"), "item_id"], weights="npz"),
        Variant("numbers_alone", [Dense("age", "context", 20), Dense("price", "candidate", 40)], ["price", "age"]),
        Variant("history",
                [History("item_id", 60, 4, 8, "mean", table="seen", key="hist_item_id", first=0),
                 Sparse("item_id", "candidate", 60, 4), Dense("age", "context")],
                ["item_id", "hist_item_id", "age"], max_events=8),
        Variant("deepctr_mean", _library(combiner="mean"),
                ["user_id", "age", "item_id", "price", "tags", "likes"], own=False),
        Variant("deepctr_sum", _library(combiner="sum"), ["likes", "price", "item_id", "tags", "age"], own=False,
                task="regression", weights="npz_deflated"),
    ]

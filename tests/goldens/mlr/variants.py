"""The golden piece-wise linear models: one Variant per behaviour that an importer can get wrong."""

import dataclasses

from columns import Dense, History, Length, Sequence, Sparse


@dataclasses.dataclass
class Variant:
    name: str
    columns: list
    region: list  # Keys in the order of region_feature_columns, or (key, combiner).
    base: list = ()  # None: those of the region. In the library they have weights that nothing reads.
    bias: list = ()
    pieces: int = 4
    task: str = "binary"
    layout: str = "deepctr-torch"
    weights: str = "safetensors"  # Or "npz", "npz_deflated".
    max_events: int = 0


def _usual(**sequence):
    """A user, an item, a number of each, a multi-valued feature of the item and one of the user."""
    return [Sparse("user_id", "context", 40), Dense("age", "context"), Sparse("item_id", "candidate", 60),
            Dense("price", "candidate", 2), Sequence("tags", "candidate", 15, **sequence),
            Sequence("likes", "context", 20, maxlen=4, **sequence)]


_USUAL = ["user_id", "age", "item_id", "price", "tags", "likes"]


def _plain():
    """What layout handpick and a few lines of torch need no more than."""
    return [Sparse("user_id", "context", 40), Sparse("city", "context", 9), Sparse("item_id", "candidate", 60),
            Sparse("brand", "candidate", 12), Dense("age", "context"), Dense("price", "candidate", 2)]


_PLAIN = ["user_id", "city", "item_id", "brand", "age", "price"]


def all_variants():
    return [
        Variant("sum", _usual(combiner="sum"), _USUAL),
        Variant("mean_two_pieces", _usual(combiner="mean"), _USUAL, pieces=2, weights="npz"),
        Variant("max_twelve_pieces", _usual(combiner="max", never_empty=True), _USUAL, pieces=12, weights="npz_deflated"),
        Variant("base_columns", _usual(combiner="mean"), ["user_id", "item_id", "price"], ["item_id", "age", "tags"]),
        Variant("bias_columns", _usual(combiner="mean"), ["user_id", "item_id", "price"], bias=["item_id", "age", "likes"]),
        Variant("bias_of_ids", _usual(combiner="sum"), ["item_id", "age"], bias=["user_id"]),
        Variant("regression", _usual(combiner="mean"), _USUAL, task="regression"),
        Variant("regression_bias_columns", _usual(combiner="mean"), _USUAL, bias=["item_id", "price"], task="regression"),
        Variant("numbers_alone", _usual(), ["price", "age"], pieces=20),
        Variant("ids_alone", _usual(), ["item_id", "user_id"], pieces=3),
        Variant("with_lengths",
                [Sparse("user_id", "context", 40), Sparse("item_id", "candidate", 60),
                 Length("tags_length", "candidate", 5),
                 Sequence("tags", "candidate", 15, combiner="mean", length="tags_length"),
                 Length("likes_length", "context", 4),
                 Sequence("likes", "context", 20, maxlen=4, combiner="sum", length="likes_length")],
                ["user_id", "item_id", "tags", "likes"]),
        Variant("shared_tables",
                [Sparse("item_id", "candidate", 60, table="item table"),
                 Sequence("similar", "candidate", 60, maxlen=4, combiner="mean", table="item table"),
                 Sequence("recent", "context", 60, combiner="sum", table="item table")],
                ["item_id", "similar", "recent"]),
        Variant("history",
                [History("item_id", 60, 4, 8, "mean", key="hist_item_id", first=0),
                 Sparse("item_id", "candidate", 60), Sparse("user_id", "context", 40)],
                ["user_id", "hist_item_id", "item_id"], max_events=8),
        # As the paper has it: pieces with weights of their own.
        Variant("handpick", _plain(), _PLAIN, layout="handpick"),
        Variant("handpick_base_features", _plain(), ["user_id", "city", "age"], ["item_id", "brand", "price"],
                layout="handpick", pieces=12),
        Variant("handpick_bias_features", _plain(), _PLAIN, bias=["item_id", "price"], layout="handpick", pieces=3),
        Variant("handpick_regression", _plain(), _PLAIN, layout="handpick", task="regression"),
    ]

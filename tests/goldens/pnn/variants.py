"""The golden PNNs: one Variant per form of product and behaviour that an importer can get wrong."""

import dataclasses

from columns import Dense, History, Sequence, Sparse
from usual_columns import two_lengths, with_length


@dataclasses.dataclass
class Variant:
    name: str
    columns: list
    deep: list  # Keys in the order of dnn_feature_columns, or (key, combiner).
    inner: bool = True
    outer: str = "none"  # num, vec, mat; own models: superposed, too.
    hidden_units: tuple = (12, 8)
    activation: str = "relu"
    own: bool = False  # Of the paper, in layout handpick; otherwise the library's.
    wide: tuple = ()
    task: str = "binary"
    weights: str = "safetensors"  # Or "npz", "npz_deflated".
    max_events: int = 0


def _usual(width=5, **sequence):
    """A user, an item, a number of each, multi-valued features of both, and a brand."""
    return [Sparse("user_id", "context", 40, width), Dense("age", "context"),
            Sparse("item_id", "candidate", 60, width), Dense("price", "candidate", 2),
            Sequence("tags", "candidate", 15, width, **sequence),
            Sequence("likes", "context", 20, width, maxlen=4, **sequence), Sparse("brand", "candidate", 12, width)]


_USUAL = ["user_id", "age", "item_id", "price", "tags", "likes", "brand"]
_OWN = ["likes", "price", "item_id", "user_id", "age", "brand", "tags"]


def _many():
    return ([Sparse(f"context_{i}", "context", 10 + i, 8) for i in range(12)] +
            [Sparse(f"candidate_{i}", "candidate", 12 + i, 8) for i in range(6)])


_MANY = [f"{side}_{i}" for i in range(12) for side in ("candidate", "context") if side == "context" or i < 6]


def all_variants():
    return [
        Variant("inner", _usual(combiner="sum"), _USUAL),
        Variant("outer_mat", _usual(combiner="mean"), _USUAL, inner=False, outer="mat", weights="npz"),
        Variant("outer_vec", _usual(combiner="mean"), _USUAL, inner=False, outer="vec", activation="sigmoid"),
        Variant("outer_num", _usual(combiner="mean"), _USUAL, inner=False, outer="num", activation="prelu"),
        Variant("both_mat", _usual(combiner="sum"), _USUAL, outer="mat", weights="npz_deflated"),
        Variant("both_vec_max", _usual(combiner="max", never_empty=True), _USUAL, outer="vec", hidden_units=(9,)),
        Variant("both_num", _usual(combiner="sum"), _USUAL, outer="num", hidden_units=(11, 7, 5), activation="linear"),
        Variant("with_lengths", two_lengths(), ["tags", "user_id", "item_id", "likes"], outer="mat", task="regression"),
        Variant("many_fields", _many(), _MANY, hidden_units=(16, 8)),
        Variant("many_fields_mat", _many(), [key for key in _MANY if int(key[-1]) < 4 and len(key) < 12],
                inner=False, outer="mat", hidden_units=(16, 8)),
        Variant("candidate_only",
                [Sparse("item_id", "candidate", 60, 4), Sparse("brand", "candidate", 12, 4), Dense("price", "candidate")],
                ["price", "item_id", "brand"], outer="mat"),
        Variant("context_only",
                [Sparse("user_id", "context", 40, 4), Sparse("city", "context", 30, 4), Dense("price", "candidate")],
                ["user_id", "price", "city"], outer="vec"),
        Variant("history",
                [History("item_id", 60, 4, 8, "mean", key="hist_item_id", first=0),
                 Sparse("item_id", "candidate", 60, 4), Sparse("brand", "candidate", 12, 4),
                 Sparse("user_id", "context", 40, 4)],
                ["user_id", "hist_item_id", "item_id", "brand"], max_events=8),
        Variant("own_superposed", with_length(6), _OWN, inner=False, outer="superposed", own=True),
        Variant("own_both_superposed", with_length(2), _OWN, outer="superposed", own=True),
        Variant("own_both_mat", with_length(5), _OWN, outer="mat", own=True, weights="npz"),
        Variant("own_vec", with_length(4), _OWN, inner=False, outer="vec", own=True),
        Variant("own_num", with_length(4), _OWN, inner=False, outer="num", own=True),
    ]

"""The golden NFM models: one Variant per behaviour of the library that an importer can get wrong."""

import wide_and_deep
from columns import Dense, Sequence, Sparse
from wide_and_deep import Variant


def _usual(width=5, **sequence):
    """A user, an item, a multi-valued feature of the item and one of the user."""
    return [Sparse("user_id", "context", 40, width), Sparse("item_id", "candidate", 60, width),
            Sequence("tags", "candidate", 15, width, **sequence),
            Sequence("likes", "context", 20, width, maxlen=4, **sequence)]


_USUAL = ["user_id", "item_id", "tags", "likes"]


def all_variants():
    # Each depth, combiner and activation.
    variants = [
        Variant("depth_1_relu_sum", _usual(combiner="sum"), _USUAL, _USUAL, hidden_units=(10,)),
        Variant("depth_2_sigmoid_mean", _usual(combiner="mean"), _USUAL, _USUAL, activation="sigmoid", weights="npz"),
        # Never an empty maximum in the bi-interaction: the square of -1e9 leaves no digit of the other fields.
        Variant("depth_3_prelu_max", _usual(combiner="max", never_empty=True), _USUAL, _USUAL,
                hidden_units=(11, 7, 5), activation="prelu", weights="npz_deflated"),
        Variant("depth_1_linear_mean", _usual(combiner="mean"), _USUAL, _USUAL, hidden_units=(6,),
                activation="linear"),
    ]
    variants.append(wide_and_deep.with_lengths())
    # Numbers go beside the bi-interaction, whatever the order of the columns.
    variants.append(Variant(
        "dense_interleaved",
        wide_and_deep.interleaved_columns(),
        ["position", "item_id", "mood", "user_id"],
        ["mood", "item_id", "price", "tags", "user_id", "position"], hidden_units=(14, 6), activation="sigmoid"))
    variants.append(Variant("no_linear", _usual(combiner="mean"), [], _USUAL, weights="npz"))
    variants.append(Variant(
        "no_linear_dense", [Dense("age", "context"), *_usual(combiner="sum")], [], ["age", *_USUAL],
        hidden_units=(9, 8, 7)))
    variants.append(Variant(
        "linear_of_numbers_alone",
        [Dense("age", "context"), Sparse("user_id", "context", 40, 4), Sparse("item_id", "candidate", 60, 4)],
        ["age"], ["user_id", "item_id"]))
    variants.append(wide_and_deep.one_field())
    variants.append(wide_and_deep.shared_tables())
    variants.append(wide_and_deep.different_lists(activation="sigmoid"))
    variants.append(Variant(
        "regression",
        [Sparse("user_id", "context", 40, 4), Sparse("item_id", "candidate", 60, 4), Dense("price", "candidate"),
         Sequence("tags", "candidate", 15, 4, combiner="mean")],
        ["user_id", "price"], ["item_id", "user_id", "tags", "price"], task="regression"))
    # The interaction's sums have one side only.
    variants.append(wide_and_deep.candidate_only())
    variants.append(wide_and_deep.context_only())
    variants.append(wide_and_deep.many_fields())
    variants.append(wide_and_deep.history())
    return variants

"""The golden DeepFM models: one Variant per behaviour of the library that an importer can get wrong."""

import wide_and_deep
from usual_columns import USUAL, usual
from wide_and_deep import Variant


_IDS = ["user_id", "item_id", "tags", "likes"]


def all_variants():
    # Each activation and combiner, with and without batch normalisation, numbers in both parts.
    variants = [
        Variant("relu_sum", usual(combiner="sum"), USUAL, USUAL),
        Variant("sigmoid_batch_norm_mean", usual(combiner="mean"), USUAL, USUAL, activation="sigmoid",
                batch_normalization=True, weights="npz"),
        # Never an empty maximum in the interaction: the square of -1e9 leaves no digit of the other fields.
        Variant("prelu_batch_norm_max", usual(combiner="max", never_empty=True), USUAL, USUAL,
                hidden_units=(11, 7, 5), activation="prelu", batch_normalization=True, weights="npz_deflated"),
        Variant("linear_depth_1", usual(combiner="mean"), _IDS, USUAL, hidden_units=(6,), activation="linear"),
    ]
    # The tower and the interaction read ids alone.
    variants.append(Variant("numbers_in_linear_alone", usual(combiner="mean"), USUAL, _IDS))
    # Without a tower it is a factorization machine, and deep numbers do nothing.
    variants.append(Variant("no_tower", usual(combiner="mean"), USUAL, USUAL, hidden_units=()))
    variants.append(Variant("no_linear", usual(combiner="sum"), [], USUAL, weights="npz"))
    variants.append(Variant("no_linear_no_tower", usual(combiner="sum"), [], _IDS, hidden_units=()))
    variants.append(wide_and_deep.with_lengths())
    # The tower's input is grouped by kind, whatever the order of the columns.
    variants.append(Variant(
        "interleaved_kinds",
        wide_and_deep.interleaved_columns(),
        ["position", "item_id", "mood", "user_id"],
        ["mood", "tags", "item_id", "price", "user_id", "position"], hidden_units=(14, 6), activation="sigmoid"))
    variants.append(wide_and_deep.one_field())
    variants.append(wide_and_deep.shared_tables())
    variants.append(wide_and_deep.different_lists(task="regression"))
    # One side only.
    variants.append(wide_and_deep.candidate_only())
    variants.append(wide_and_deep.context_only())
    variants.append(wide_and_deep.many_fields())
    variants.append(wide_and_deep.history())
    return variants

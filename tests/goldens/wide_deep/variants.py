"""The golden models: one Variant per behaviour of the library that an importer can get wrong."""

import dataclasses

import wide_and_deep
from columns import Crossed, Dense, History, Length, Sequence, Sparse


@dataclasses.dataclass
class Variant(wide_and_deep.Variant):
    hidden_units: tuple = (16, 8)


def _usual(**sequence):
    """A user, an item and a multi-valued feature of the item."""
    return [Sparse("user_id", "context", 40, 4), Sparse("item_id", "candidate", 60, 6),
            Sequence("tags", "candidate", 15, 3, **sequence)]


def _with_length(**sequence):
    """The same, the multi-valued feature with a length of its own."""
    return [Sparse("user_id", "context", 40, 4), Sparse("item_id", "candidate", 60, 6),
            Length("tags_length", "candidate", 5),
            Sequence("tags", "candidate", 15, 3, length="tags_length", **sequence)]


_USUAL = ["user_id", "item_id", "tags"]


def all_variants():
    variants = [
        # Each activation with and without batch normalisation; each combiner with and without a length.
        Variant("relu_sum", _usual(combiner="sum"), _USUAL, _USUAL),
        Variant("relu_batch_norm_mean", _usual(combiner="mean"), _USUAL, _USUAL, batch_normalization=True,
                weights="npz_deflated"),
        Variant("sigmoid_mean_with_length", _with_length(combiner="mean"), _USUAL, _USUAL, activation="sigmoid",
                weights="npz"),
        Variant("sigmoid_batch_norm_max", _usual(combiner="max", share_empty=0.05), _USUAL, _USUAL,
                activation="sigmoid", batch_normalization=True),
        Variant("prelu_sum_with_length", _with_length(combiner="sum"), _USUAL, _USUAL, activation="prelu"),
        Variant("linear_mean", _usual(combiner="mean"), _USUAL, _USUAL, activation="linear", weights="npz"),
        Variant("linear_batch_norm_sum", _usual(combiner="sum"), _USUAL, _USUAL, activation="linear",
                batch_normalization=True),
    ]
    # The deep input is grouped by kind; widths differ; three layers of odd sizes.
    variants.append(Variant(
        "prelu_batch_norm_interleaved_kinds",
        [Dense("mood", "context", 2), Sequence("tags", "candidate", 15, 3, combiner="sum"),
         Sparse("item_id", "candidate", 60, 7), Dense("price", "candidate"), Sparse("user_id", "context", 40, 5),
         Sequence("likes", "context", 20, 2, maxlen=4, combiner="mean"), Dense("position", "candidate", 3)],
        ["tags", "user_id"],
        ["mood", "tags", "item_id", "price", "likes", "user_id", "position"],
        hidden_units=(13, 7, 5), activation="prelu", batch_normalization=True))
    # Dense columns in the linear part, of one and of several numbers, in an order of their own.
    variants.append(Variant(
        "dense_in_linear",
        [Dense("age", "context"), Dense("place", "context", 3), Dense("price", "candidate"),
         Dense("shape", "candidate", 2), Sparse("item_id", "candidate", 60, 4)],
        ["shape", "item_id", "age", "place", "price"],
        ["place", "price", "item_id", "shape"], weights="npz"))
    # One table for an item and two sequences of items; one length for two sequences; a name with a space.
    variants.append(Variant(
        "shared_tables",
        [Sparse("item_id", "candidate", 60, 6, table="item table"), Length("recent_length", "context", 5),
         Sequence("recent", "context", 60, 6, combiner="mean", length="recent_length", table="item table"),
         Sequence("recent_brand", "context", 12, 3, combiner="sum", length="recent_length", table="brand"),
         Sparse("brand", "candidate", 12, 3),
         Sequence("similar", "candidate", 60, 6, maxlen=4, combiner="mean", table="item table")],
        ["item_id", "recent", "brand"],
        ["recent", "item_id", "recent_brand", "brand", "similar"]))
    variants.append(Variant(
        "wide_only",
        [Sparse("user_id", "context", 40, 4), Sparse("item_id", "candidate", 60, 4),
         Sequence("tags", "candidate", 15, 4, combiner="mean"), Dense("price", "candidate", 2)],
        ["price", "item_id", "tags", "user_id"], [], hidden_units=()))
    variants.append(Variant("deep_only", _usual(combiner="mean"), [], _USUAL, weights="npz"))
    variants.append(Variant(
        "regression",
        [Sparse("user_id", "context", 40, 4), Sparse("item_id", "candidate", 60, 6), Dense("price", "candidate"),
         Sequence("tags", "candidate", 15, 3, combiner="mean")],
        ["user_id", "price"], ["item_id", "tags", "price"], task="regression", batch_normalization=True))
    # Different lists, orders and combiners in the two parts; columns in one part only.
    variants.append(Variant(
        "different_lists",
        [Sparse("city", "context", 30, 4), Sparse("user_id", "context", 40, 4), Sparse("item_id", "candidate", 60, 6),
         Sequence("tags", "candidate", 15, 3, combiner="mean"),
         Sequence("likes", "context", 20, 5, combiner="sum"), Dense("price", "candidate")],
        ["city", ("tags", "sum"), "item_id", "likes"],
        ["price", "tags", "item_id", "user_id", ("likes", "mean")], activation="sigmoid"))
    # Empty maxima of the context flow on as -1e9, in the linear part (width 1) and in the deep part.
    variants.append(Variant(
        "max_in_context",
        [Sequence("likes", "context", 20, 5, combiner="max", share_empty=0.2), Sparse("item_id", "candidate", 60, 6)],
        ["item_id", "likes"], ["item_id", "likes"], weights="npz"))
    variants.append(Variant(
        "max_in_deep_only",
        [Sequence("likes", "context", 20, 5, combiner="max", share_empty=0.3), Sparse("item_id", "candidate", 60, 6),
         Sequence("tags", "candidate", 15, 3, combiner="max", share_empty=0.05)],
        ["item_id"], ["tags", "item_id", "likes"], activation="sigmoid"))
    variants.append(Variant(
        "dense_only_deep",
        [Sparse("item_id", "candidate", 60, 4), Dense("signals", "candidate", 5), Dense("age", "context")],
        ["item_id"], ["age", "signals"], hidden_units=(9,)))
    variants.append(Variant(
        "candidate_only", [Sparse("item_id", "candidate", 60, 4), Dense("price", "candidate")],
        ["item_id"], ["price", "item_id"], activation="prelu", weights="npz"))
    variants.append(Variant(
        "context_only",
        [Sparse("user_id", "context", 40, 4), Dense("age", "context"), Sparse("item_id", "candidate", 60, 4)],
        ["item_id"], ["user_id", "age"], batch_normalization=True))
    # 18 fields of the context and 8 of the candidates.
    variants.append(Variant(
        "many_fields",
        [Sparse(f"context_{i}", "context", 10 + i, 2 + i % 5) for i in range(18)] +
        [Sparse(f"candidate_{i}", "candidate", 12 + i, 3 + i % 4) for i in range(8)],
        [f"context_{i}" for i in range(18)] + [f"candidate_{i}" for i in range(8)],
        [f"{side}_{i}" for i in range(18) for side in ("candidate", "context") if side == "context" or i < 8],
        hidden_units=(24, 12)))
    # What the trainer leaves to its user: vocabularies, transforms, defaults, crossed ids.
    countries = ["Norway", "Chile", "Japan", "\u00c5land", "Togo"]
    colours = ["red", "green", "blue", "amber"]
    variants.append(Variant(
        "vocabularies",
        [Sparse("country", "context", 6, 3,
                vocabulary={"kind": "list", "values": countries, "first_row": 1, "out_of_vocabulary_row": 0},
                default="Chile"),
         Sparse("item_id", "candidate", 9, 4,
                vocabulary={"kind": "list", "values": [70, -3, 12, 9007199254740993, 5, 44, 8, 1], "first_row": 0,
                            "out_of_vocabulary_row": 8}),
         Sparse("session", "context", 16, 3,
                vocabulary={"kind": "hash", "buckets": 16, "first_row": 0, "seed": 0}),
         Sparse("seller", "candidate", 18, 3,
                vocabulary={"kind": "hash", "buckets": 17, "first_row": 1, "seed": 7}),
         Sequence("colours", "candidate", 5, 3, maxlen=4, combiner="mean",
                  vocabulary={"kind": "list", "values": colours, "first_row": 1, "out_of_vocabulary_row": 0}),
         Dense("price", "candidate", transform=[
             {"kind": "clip", "min": 0, "max": 40}, {"kind": "log1p"},
             {"kind": "affine", "subtract": 2.5, "multiply": 1.25}]),
         Dense("age", "context", transform=[{"kind": "affine", "subtract": 30, "multiply": 0.1}], default=25)],
        ["country", "item_id", "seller", "colours", "price"],
        ["session", "price", "colours", "country", "item_id", "age"]))
    genres = Sequence("genres", "candidate", 8, 3, maxlen=4, combiner="mean")
    favourite = Sparse("favourite_genre", "context", 8, 3)
    shelf = Sparse("shelf", "candidate", 5, 2)
    variants.append(Variant(
        "crossed",
        [genres, favourite, shelf, Crossed("genre_x_favourite", [genres, favourite], combiner="sum"),
         Crossed("shelf_x_favourite", [shelf, favourite])],
        ["favourite_genre", "genre_x_favourite", "shelf_x_favourite"], ["genres", "favourite_genre", "shelf"]))
    # The history as a side of its own: pooled events, sharing a table with the candidate.
    variants.append(Variant(
        "history",
        [History("seen_item", 60, 6, 8, "mean", table="item_id"), History("seen_brand", 12, 3, 8, "sum", table="brand"),
         Sparse("item_id", "candidate", 60, 6), Sparse("brand", "candidate", 12, 3),
         Sparse("user_id", "context", 40, 4)],
        ["item_id", "seen_item"], ["user_id", "seen_item", "item_id", "seen_brand", "brand"], max_events=8))
    return variants

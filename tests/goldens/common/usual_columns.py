"""Columns that the golden models of many kinds have in common."""

from columns import Dense, History, Length, Sequence, Sparse


def usual(width=5, **sequence):
    """A user, an item, a number of each, a multi-valued feature of the item and one of the user."""
    return [Sparse("user_id", "context", 40, width), Dense("age", "context"),
            Sparse("item_id", "candidate", 60, width), Dense("price", "candidate", 2),
            Sequence("tags", "candidate", 15, width, **sequence),
            Sequence("likes", "context", 20, width, maxlen=4, **sequence)]


USUAL = ["user_id", "age", "item_id", "price", "tags", "likes"]


def plain():
    """In the order in which the library joins them, so that layout handpick says the same."""
    return [Sparse("user_id", "context", 40, 6), Sparse("city", "context", 9, 3), Sparse("item_id", "candidate", 60, 6),
            Dense("age", "context"), Dense("price", "candidate", 2)]


PLAIN = ["user_id", "city", "item_id", "age", "price"]


def with_length(width):
    """A user, an item, a number of each, multi-valued features with a length and without one."""
    return [Sparse("user_id", "context", 40, width), Dense("age", "context"),
            Sparse("item_id", "candidate", 60, width), Dense("price", "candidate", 2),
            Sequence("tags", "candidate", 15, width, combiner="mean"), Length("likes_length", "context", 4),
            Sequence("likes", "context", 20, width, maxlen=4, combiner="sum", length="likes_length"),
            Sparse("brand", "candidate", 12, width)]


def two_lengths():
    """A user, an item, and a multi-valued feature of each side with a length."""
    return [Sparse("user_id", "context", 40, 4), Sparse("item_id", "candidate", 60, 4),
            Length("tags_length", "candidate", 5),
            Sequence("tags", "candidate", 15, 4, combiner="mean", length="tags_length"),
            Length("likes_length", "context", 4),
            Sequence("likes", "context", 20, 4, maxlen=4, combiner="sum", length="likes_length")]


def cases_of_tasks(variant):
    """What each kind of model with several tasks has beside its own. variant: (name, columns, deep, ...) -> a Variant."""
    return [
        variant("history",
                [History("item_id", 60, 4, 8, "mean", key="hist_item_id", first=0),
                 History("brand", 12, 4, 8, "sum", key="hist_brand", first=0),
                 Sparse("item_id", "candidate", 60, 4), Sparse("brand", "candidate", 12, 4),
                 Sparse("user_id", "context", 40, 4)],
                ["user_id", "hist_item_id", "item_id", "hist_brand", "brand"], max_events=8),
        variant("with_lengths", two_lengths(), ["user_id", "item_id", "tags", "likes"], activation="prelu"),
        variant("context_only",
                [Sparse("user_id", "context", 40, 4), Sparse("city", "context", 30, 4),
                 Sparse("item_id", "candidate", 60, 4)],
                ["user_id", "city"]),
        variant("candidate_only",
                [Sparse("item_id", "candidate", 60, 4), Sparse("brand", "candidate", 12, 4), Dense("price", "candidate")],
                ["price", "item_id", "brand"], weights="npz"),
    ]

"""Columns that the golden models of many kinds have in common."""

from columns import Dense, Length, Sequence, Sparse


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

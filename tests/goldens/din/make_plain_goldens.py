"""Trains small DIN models that DeepCTR-Torch cannot have; what is written: ../common/plain_torch.py.

    python3 make_plain_goldens.py
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "common"))

from plain_attention import Din  # noqa: E402
from plain_torch import head_of, id_lists, ids, numbers, write_goldens  # noqa: E402

FEATURES = [ids("user_id", "context", 30, 4), numbers("age", "context"),
            ids("movie_id", "candidate", 50, 6), id_lists("genres", "candidate", 12, 4, 3),
            ids("movie_id", "history", 50, 6), id_lists("genres", "history", 12, 4, 3)]
DEEP = {"features": ["user_id", "age", "candidate.movie_id", "candidate.genres"], "hidden_units": [10, 6]}
ATTENTION = {"query": ["candidate.movie_id", "candidate.genres"], "key": ["history.movie_id", "history.genres"],
             "hidden_units": [8, 4]}


def variant(name, deep, attention, features=(), query=(), key=()):
    spec = head_of(name, "din", FEATURES + list(features), max_events=6)
    spec["deep"] = {**DEEP, **deep}
    spec["attention"] = {**ATTENTION, **attention}
    spec["attention"]["query"] = ATTENTION["query"] + list(query)
    spec["attention"]["key"] = ATTENTION["key"] + list(key)
    return name, (spec, Din, None)


def all_variants():
    watched = numbers("watched", "history")
    return dict([
        variant("network_dice", {"activation": "dice"}, {"activation": "dice", "softmax": False}),
        variant("padded_query_softmax", {"activation": "relu"},
                {"activation": "sigmoid", "softmax": True, "pad_query": True, "hidden_units": [5]},
                [numbers("price", "candidate"), numbers("price", "history"), watched],
                ["candidate.price"], ["history.price", "watched"]),
        variant("numbers_in_query_and_key", {"activation": "relu"}, {"activation": "prelu", "softmax": False},
                [numbers("price", "candidate"), numbers("vector", "candidate", 3),
                 numbers("price", "history"), numbers("vector", "history", 3)],
                ["candidate.price", "candidate.vector"], ["history.price", "history.vector"]),
        variant("padded_query", {"activation": "tanh"}, {"activation": "dice", "softmax": False, "pad_query": True},
                [watched, numbers("place", "history", 2)], [], ["watched", "place"]),
    ])


def of(sequence, feature):
    return {**feature, "sequence": sequence}


def two_sequences():
    """Clicks and purchases, each attended to by a unit of its own; a pooled feature of either."""
    features = FEATURES[:4] + [
        numbers("price", "candidate"), of("clicks", ids("movie_id", "history", 50, 6)),
        of("clicks", id_lists("genres", "history", 12, 4, 3)), of("clicks", ids("page", "history", 9, 3)),
        of("purchases", ids("bought", "history", 50, 6, "movie_id")), of("purchases", numbers("price", "history"))]
    spec = head_of("two_sequences", "din", features, sequences=[("clicks", 6), ("purchases", 3)])
    spec["deep"] = {**DEEP, "features": DEEP["features"] + ["page"], "activation": "relu"}
    spec["attention"] = [
        {"name": "clicked", **ATTENTION, "activation": "dice", "softmax": False},
        {"name": "bought", "query": ["candidate.movie_id", "candidate.price"], "key": ["bought", "history.price"],
         "hidden_units": [5], "activation": "prelu", "softmax": True}]
    return spec, Din, None


def two_units():
    """Two units over the events of one history: movies with a softmax, genres without."""
    spec = head_of("two_units", "din", FEATURES, max_events=6)
    spec["deep"] = {**DEEP, "activation": "sigmoid"}
    spec["attention"] = [
        {"name": "movies", "query": ["candidate.movie_id"], "key": ["history.movie_id"], "hidden_units": [8],
         "activation": "sigmoid", "softmax": True},
        {"name": "genres", "query": ["candidate.genres"], "key": ["history.genres"], "hidden_units": [6, 3],
         "activation": "relu", "softmax": False}]
    return spec, Din, None


if __name__ == "__main__":
    # New ones last: a variant's numbers depend on its place.
    write_goldens(HERE, {**all_variants(), "two_sequences": two_sequences(), "two_units": two_units()})

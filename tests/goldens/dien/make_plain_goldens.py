"""Trains small DIEN models that DeepCTR-Torch cannot have; what is written: ../common/plain_torch.py.

    python3 make_plain_goldens.py
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "common"))

from plain_attention import Dien  # noqa: E402
from plain_torch import head_of, ids, numbers, write_goldens  # noqa: E402

FEATURES = [ids("user_id", "context", 30, 4), ids("movie_id", "candidate", 50, 6), ids("movie_id", "history", 50, 6),
            numbers("watched", "history"), numbers("place", "history", 2)]


def all_variants():
    spec = head_of("padded_query", "dien", FEATURES, max_events=6)
    spec["deep"] = {"features": ["user_id", "candidate.movie_id"], "hidden_units": [10, 6], "activation": "dice"}
    spec["attention"] = {"query": ["candidate.movie_id"], "key": ["history.movie_id", "watched", "place"],
                         "hidden_units": [8, 4], "activation": "sigmoid", "softmax": True, "pad_query": True}
    spec["evolution"] = {"cell": "AUGRU"}
    return {"padded_query": (spec, Dien, None), "two_sequences": two_sequences()}


def of(sequence, feature):
    return {**feature, "sequence": sequence}


def two_sequences():
    """Clicks and purchases, each with an attention of its own form and recurrences of its own."""
    features = FEATURES[:2] + [
        numbers("price", "candidate"), of("purchases", ids("bought", "history", 50, 6, "movie_id")),
        of("purchases", numbers("price", "history")), of("clicks", ids("movie_id", "history", 50, 6))]
    spec = head_of("two_sequences", "dien", features, sequences=[("clicks", 6), ("purchases", 3)])
    spec["deep"] = {"features": ["user_id", "candidate.movie_id"], "hidden_units": [10, 6], "activation": "tanh"}
    spec["attention"] = [
        {"name": "clicked", "query": ["candidate.movie_id"], "key": ["history.movie_id"], "hidden_units": [8, 4],
         "activation": "sigmoid", "softmax": True},
        {"name": "bought", "query": ["candidate.movie_id", "candidate.price"], "key": ["bought", "history.price"],
         "form": "bilinear", "softmax": True}]
    spec["evolution"] = {"cell": "AUGRU"}
    return spec, Dien, None


if __name__ == "__main__":
    write_goldens(HERE, all_variants())

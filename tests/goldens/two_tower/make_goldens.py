"""Trains small models of two towers; what is written: ../common/plain_torch.py.

    python3 make_goldens.py
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "common"))

from plain_torch import head_of, id_lists, ids, numbers, write_goldens  # noqa: E402
from plain_towers import Towers  # noqa: E402

USER = [ids("user_id", "context", 30, 4), numbers("age", "context", 2)]
ITEM = [ids("movie_id", "candidate", 50, 6), id_lists("genres", "candidate", 12, 4, 3), numbers("year", "candidate")]
HISTORY = [ids("movie_id", "history", 50, 6), numbers("watched", "history")]
OF_ITEM = ["candidate.movie_id", "genres", "year"]


def variant(name, features, user, item, similarity, max_events=0, task="binary", **more):
    spec = head_of(name, "two_tower", features, max_events, task)
    spec["towers"] = {"user": user, "item": item, "similarity": similarity, **more}
    return name, (spec, Towers, None)


def all_variants():
    return dict([
        variant("cosine_tanh", USER + ITEM + HISTORY,
                {"features": ["user_id", "age", "history.movie_id", "watched"], "hidden_units": [12, 8],
                 "activation": "tanh"},
                {"features": OF_ITEM, "hidden_units": [9, 8], "activation": "tanh"}, "cosine", 6, temperature=0.25),
        variant("inner_product_relu", USER + ITEM,
                {"features": ["age", "user_id"], "hidden_units": [12, 7], "activation": "relu"},
                {"features": ["movie_id", "genres", "year"], "hidden_units": [7], "activation": "relu"},
                "inner_product", task="regression"),
        variant("linear_output_batch_norm", USER + ITEM + HISTORY,
                {"features": ["history.movie_id", "user_id"], "hidden_units": [12, 8], "activation": "prelu",
                 "output_activation": "linear"},
                {"features": OF_ITEM, "hidden_units": [9, 8], "activation": "dice", "output_activation": "linear",
                 "batch_normalization": True}, "cosine", 6, temperature=0.4),
        variant("embeddings_alone", [ITEM[0], HISTORY[0]],
                {"features": ["history.movie_id"]}, {"features": ["candidate.movie_id"]}, "inner_product", 6),
        variant("embeddings_alone_cosine", USER + ITEM + HISTORY,
                {"features": ["history.movie_id", "user_id", "watched"]}, {"features": OF_ITEM}, "cosine", 6,
                temperature=0.5),
        variant("one_number", [USER[0], ITEM[2]], {"features": ["user_id"], "hidden_units": [5, 1], "activation": "sigmoid"},
                {"features": ["year"]}, "inner_product"),
    ])


if __name__ == "__main__":
    write_goldens(HERE, all_variants())

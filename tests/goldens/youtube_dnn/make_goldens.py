"""Trains small models of candidate generation; what is written: ../common/plain_torch.py.

    python3 make_goldens.py
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "common"))

from plain_torch import head_of, ids, numbers, write_goldens  # noqa: E402
from plain_towers import Candidates  # noqa: E402

USER = [ids("country", "context", 9, 3), numbers("age", "context", 3)]


def variant(name, dimension, tables, user, item, similarity, **more):
    watched, output = tables
    features = USER + [ids("video_id", "history", 40, 6, watched), ids("query", "history", 20, 4),
                       ids("video_id", "candidate", 40, dimension, output)]
    spec = head_of(name, "youtube_dnn", features, max_events=8)
    spec["towers"] = {"user": {"features": ["history.video_id", "query", "country", "age"], **user},
                      "item": {"features": ["candidate.video_id"], **item}, "similarity": similarity, **more}
    return name, (spec, Candidates, Candidates.softmax_loss)


def all_variants():
    return dict([
        variant("softmax_with_bias", 7, ("watched", "output"), {"hidden_units": [16, 12, 7], "activation": "relu"},
                {"bias": True}, "inner_product"),
        variant("softmax", 7, ("watched", "output"), {"hidden_units": [7], "activation": "relu"}, {},
                "inner_product"),
        variant("one_table_cosine", 6, ("video_id", "video_id"),
                {"hidden_units": [10, 6], "activation": "relu", "output_activation": "linear"}, {}, "cosine",
                temperature=0.25),
        variant("temperature_and_bias", 5, ("watched", "output"),
                {"hidden_units": [9, 5], "activation": "prelu", "batch_normalization": False}, {"bias": True},
                "inner_product", temperature=0.5),
    ])


if __name__ == "__main__":
    write_goldens(HERE, all_variants())

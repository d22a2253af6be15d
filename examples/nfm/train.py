"""Trains NFM on MovieLens (ml-latest-small) and writes what the converter takes into model/.

    python3 train.py --data <directory with ratings.csv and movies.csv>

Needs PyTorch and NumPy (Debian: python3-torch, python3-numpy).
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "common"))

import training  # noqa: E402
from model import Nfm  # noqa: E402
from spec import make_spec  # noqa: E402

# L2 on all rows of the tables: a few ratings' worth. An interaction of small embeddings is smaller still, so that the deep ones
# vanish under more than this.
WIDE_PENALTY, DEEP_PENALTY = 2e-5, 5e-6
DENSE_DECAY = 1e-3
DROPOUT, INTERACTION_DROPOUT = 0.4, 0.5


def parameter_groups(model):
    return [{"params": [*model.wide.parameters(), *model.deep.embedding.parameters()]},
            {"params": [*model.deep.layers.parameters(), *model.head.parameters()], "weight_decay": DENSE_DECAY}]


def penalty(model):
    return (WIDE_PENALTY * sum((table ** 2).sum() for table in model.wide.embedding.parameters()) +
            DEEP_PENALTY * sum((table ** 2).sum() for table in model.deep.embedding.parameters()))


def parts(model, batch):
    wide = model.wide(batch)
    return {"wide part": wide, "deep part": model(batch) - wide}


if __name__ == "__main__":
    training.main(
        training.Recipe(make_spec, lambda spec: Nfm(spec, DROPOUT, INTERACTION_DROPOUT), parameter_groups, penalty,
                        dropped={"user_id": 0.95, "movie_id": 0.05},  # Nine in ten users of the evaluation are new.
                        parts=parts, writes_data=False),
        __doc__, HERE)

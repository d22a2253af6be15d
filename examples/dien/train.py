"""Trains DIEN on MovieLens (ml-latest-small) and writes what the converter takes into model/.

    python3 train.py --data <directory with ratings.csv and movies.csv>

Needs PyTorch and NumPy (Debian: python3-torch, python3-numpy).
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "common"))

import training  # noqa: E402
from model import Dien  # noqa: E402
from spec import make_spec  # noqa: E402

PENALTY = 1e-3  # L2 on all rows of the tables.
DENSE_DECAY = 1e-3
DROPOUT = 0.4


def parameter_groups(model):
    # Decay would leave nothing of what looks at the history: its gradients are small.
    history = [model.gru, model.attention, model.evolution]
    return [{"params": [*model.deep.embedding.parameters(),
                        *(parameter for part in history for parameter in part.parameters())]},
            {"params": [*model.deep.layers.parameters(), *model.head.parameters()], "weight_decay": DENSE_DECAY}]


def penalty(model):
    return PENALTY * sum((table ** 2).sum() for table in model.deep.embedding.parameters())


if __name__ == "__main__":
    training.main(
        training.Recipe(make_spec, lambda spec: Dien(spec, DROPOUT), parameter_groups, penalty,
                        dropped={"movie_id": 0.05, "history.movie_id": 0.4}, writes_data=False, evaluated_share=2),
        __doc__, HERE)

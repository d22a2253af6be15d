"""Trains one family of models, or all of them, on MovieLens (ml-latest-small) and writes what the converter takes.

    python3 train.py --data <directory with ratings.csv and movies.csv> --out DIRECTORY [FAMILY...]

Each family gets a folder in DIRECTORY: model.spec.json, model.safetensors, golden.jsonl, catalog.jsonl,
evaluation.jsonl, ranking.jsonl. run.sh converts them and prints a table. Needs PyTorch and NumPy (Debian:
python3-torch, python3-numpy).
"""

import functools
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "common"))

import training  # noqa: E402
from model import MODELS  # noqa: E402
from spec import FAMILIES, knows_likes_alone, make_spec  # noqa: E402

TABLE_PENALTY, WIDE_PENALTY = 1e-3, 2e-5  # L2 on all rows of the tables: of vectors, and of single weights.
# Products of two vectors that both start near nothing would be drawn to nothing.
PRODUCT_PENALTY = 1e-5
DENSE_DECAY = 1e-3
DROPOUT = 0.4


def is_table(name):
    return "embedding." in name


def parameter_groups(model):
    tables = [p for name, p in model.named_parameters() if is_table(name)]
    others = [p for name, p in model.named_parameters() if not is_table(name)]
    return [{"params": tables}, {"params": others, "weight_decay": DENSE_DECAY}]


def penalty(vectors, model):
    return sum((WIDE_PENALTY if p.shape[1] == 1 else vectors) * (p ** 2).sum()
               for name, p in model.named_parameters() if is_table(name))


def recipe_of(family):
    likes_alone = knows_likes_alone(family)
    vectors = PRODUCT_PENALTY if likes_alone else TABLE_PENALTY
    # Nine in ten users of the evaluation are new.
    dropped = {"movie_id": 0.05} if likes_alone else {"user_id": 0.95, "movie_id": 0.05}
    return training.Recipe(functools.partial(make_spec, family), lambda spec: MODELS[family](spec, DROPOUT),
                           parameter_groups, functools.partial(penalty, vectors), dropped=dropped,
                           learning_rate=5e-3 if likes_alone else 2e-3)


if __name__ == "__main__":
    parser = training.parser_of(__doc__)
    parser.add_argument("--out", required=True, help="where the families' folders go")
    parser.add_argument("families", nargs="*", metavar="FAMILY", help=", ".join(FAMILIES))
    arguments = parser.parse_args()
    unknown = [name for name in arguments.families if name not in FAMILIES]
    if unknown:
        parser.error(f"there is no family '{unknown[0]}'; there are: {', '.join(FAMILIES)}")
    for name in arguments.families or FAMILIES:
        print(f"== {name}", flush=True)
        value = training.run(recipe_of(name), arguments.data, arguments.epochs, os.path.join(arguments.out, name))
        with open(os.path.join(arguments.out, name, "training.json"), "w", encoding="utf-8") as file:
            json.dump({"family": name, "auc": round(float(value), 4)}, file)

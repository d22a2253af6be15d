"""The authors' GMF of 8 factors on MovieLens 1M: its test rows as requests, and from logits to figures.

    python3 gmf_ml_1m.py prepare DATA_FOLDER OUT_FOLDER    # requests.jsonl
    python3 gmf_ml_1m.py measure LOGITS.jsonl              # HR@10, NDCG@10; fails unless they are those of the model
"""

import gzip
import json
import math
import os
import sys

# Of the same numbers multiplied with NumPy.
EXPECTED = {"HR@10": 0.6368, "NDCG@10": 0.3691}
TOP = 10


def requests_of(folder):
    """For each user the item of his last rating, first, and 99 that he has not rated."""
    with gzip.open(os.path.join(folder, "ml-1m.test.negative.gz"), "rt") as file:
        for line in file:
            pair, *negatives = line.split("\t")
            user, item = pair.strip("()").split(",")
            yield {"context": {"user_id": int(user)},
                   "candidates": {"item_id": [int(item), *map(int, negatives)]}}


def prepare(folder, out):
    with open(os.path.join(out, "requests.jsonl"), "w", encoding="utf-8") as file:
        for request in requests_of(folder):
            file.write(json.dumps(request, separators=(",", ":")) + "\n")


def figures_of(path):
    """A negative ranks above the positive only if its score is strictly larger."""
    hits, gains = [], []
    with open(path, encoding="utf-8") as file:
        for line in file:
            positive, *negatives = json.loads(line)["logits"]
            rank = sum(negative > positive for negative in negatives)
            hits.append(rank < TOP)
            gains.append(math.log(2) / math.log(rank + 2) if rank < TOP else 0)
    return len(hits), {"HR@10": sum(hits) / len(hits), "NDCG@10": sum(gains) / len(gains)}


def measure(path):
    users, figures = figures_of(path)
    print(f"{users} users: " + ", ".join(f"{name} {value:.4f}" for name, value in figures.items()))
    wrong = [f"{name} is not {EXPECTED[name]}" for name, value in figures.items() if round(value, 4) != EXPECTED[name]]
    return "; ".join(wrong)


if __name__ == "__main__":
    if len(sys.argv) == 4 and sys.argv[1] == "prepare":
        prepare(*sys.argv[2:])
    elif len(sys.argv) == 3 and sys.argv[1] == "measure":
        sys.exit(measure(sys.argv[2]) or None)
    else:
        sys.exit(__doc__)

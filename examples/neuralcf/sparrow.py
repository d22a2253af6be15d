"""NeuralCF of SparrowRecSys: its test rows as requests with labels, and what conversion measured on them.

    python3 sparrow.py prepare DATA_FOLDER OUT_FOLDER    # rows.jsonl
    python3 sparrow.py measure REPORT.json               # AUC; fails unless it is that of the model
"""

import collections
import csv
import gzip
import json
import os
import sys

EXPECTED = 0.7514  # Of the same numbers multiplied with NumPy.
ROWS = 22440


def prepare(folder, out):
    """One request a user, with the movies that he has rated."""
    users = collections.defaultdict(list)
    with gzip.open(os.path.join(folder, "testSamples.csv.gz"), "rt", newline="") as file:
        for row in csv.DictReader(file):
            users[int(row["userId"])].append((int(row["movieId"]), int(row["label"])))
    with open(os.path.join(out, "rows.jsonl"), "w", encoding="utf-8") as file:
        for user, rows in users.items():
            movies, labels = zip(*rows)
            request = {"context": {"userId": user}, "candidates": {"movieId": movies}, "labels": labels}
            file.write(json.dumps(request, separators=(",", ":")) + "\n")


def measure(path):
    with open(path, encoding="utf-8") as file:
        drift = json.load(file)["drift"]
    print(f"{drift['labelled_rows']} rows: AUC {drift['auc_bundle']:.4f}")
    is_right = drift["labelled_rows"] == ROWS and round(drift["auc_bundle"], 4) == EXPECTED
    return None if is_right else f"the AUC on {ROWS} rows is not {EXPECTED}"


if __name__ == "__main__":
    if len(sys.argv) == 4 and sys.argv[1] == "prepare":
        prepare(*sys.argv[2:])
    elif len(sys.argv) == 3 and sys.argv[1] == "measure":
        sys.exit(measure(sys.argv[2]))
    else:
        sys.exit(__doc__)

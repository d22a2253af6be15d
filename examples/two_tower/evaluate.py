"""How often the next movie that a user likes is among those that the runtime recommends; beside Item2vec.

    /usr/bin/python3 evaluate.py --data <directory of ml-latest-small> --handpick H --bundle recommender.hpk ...

The users, events and rates are those of ../item2vec/evaluate.py. `handpick recommend --user model` recalls by the user's
tower and ranks with the model; movies that the user had rated before are left out of its answers.
"""

import argparse
import json
import os
import subprocess
import sys

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "common"), os.path.join(HERE, "..", "item2vec")]

import evaluate as item2vec  # noqa: E402  That of Item2vec, whose folder comes first.
from histories import Histories  # noqa: E402
from movielens import read_ratings  # noqa: E402
from recall import Items  # noqa: E402


def ask_runtime(handpick, bundle, events, depth):
    """The answers of `handpick recommend` to all events, in their order, without movies that were rated before."""
    # All that a user rated may be among the best: that many more are asked for.
    count = depth + max(len(event.seen) for event in events)
    lines = "".join(json.dumps({"context": {}, "history": {"movie_id": e.history}}) + "\n" for e in events)
    answer = subprocess.run([handpick, "recommend", "--bundle", bundle, "--requests", "-", "--user", "model",
                             "--k", str(count), "--top-k", str(count)],
                            input=lines, stdout=subprocess.PIPE, text=True, check=True)
    answers = []
    for event, line in zip(events, answer.stdout.splitlines()):
        seen = set(event.seen)
        found = (item["id"] for item in json.loads(line)["recommended"])
        answers.append([movie for movie in found if movie not in seen][:depth])
    return answers


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="directory of ml-latest-small")
    parser.add_argument("--handpick", required=True, help="the handpick command")
    parser.add_argument("--bundle", nargs="+", required=True, help="bundles of the model with its recall index")
    arguments = parser.parse_args()
    histories = Histories(read_ratings(arguments.data))
    events = list(histories.held_out("evaluation"))
    with np.load(os.path.join(HERE, "..", "item2vec", "model", "item2vec.npz")) as file:
        methods = item2vec.recallers(histories.liked_in(["train", "validation"]), Items(file["ids"], file["vectors"]))
    chosen = ("popularity", "Item2vec, mean", f"Item2vec, recent, half-life {item2vec.HALF_LIFE}")
    methods = {name: methods[name] for name in chosen}
    for bundle in arguments.bundle:
        answers = dict(zip(map(id, events), ask_runtime(arguments.handpick, bundle, events, max(item2vec.DEPTHS))))
        methods[os.path.basename(bundle)] = lambda event, k, answers=answers: answers[id(event)][:k]
    item2vec.print_table(item2vec.hit_rates(methods, events))


if __name__ == "__main__":
    main()

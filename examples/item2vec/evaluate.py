"""How often the next movie that a user likes is among those that are recalled, against popularity.

    /usr/bin/python3 evaluate.py --data <directory of ml-latest-small> [--handpick H --bundle B.hpk ...]

The last 20 likes of each user in the evaluation part of the data are held out, one after the other: what came before
is the history, and all movies that were rated before are left out. A rate is the mean over a user's events, then over
users. With --bundle (recall indexes of model/item2vec.npz) the runtime recalls, too, by `handpick recall`: through each
index, and exactly over the rows of the first.
"""

import argparse
import collections
import json
import os
import subprocess
import sys

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "common"))

from histories import Histories  # noqa: E402
from movielens import read_ratings  # noqa: E402
from recall import Items, interests, mean, recent  # noqa: E402

DEPTHS = (10, 50, 200)
HALF_LIFE = 10  # Events.
RUNTIME = {"mean": [], "recent": ["--user", "recent", "--half-life", str(HALF_LIFE)],
           "3 interests": ["--user", "interests", "--interests", "3"]}


def popular(known):
    """Recalls the most often liked movies of some histories."""
    counts = collections.Counter(movie for movies in known for movie in movies)
    best = [movie for movie, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))]

    def recall(event, k):
        seen = set(event.seen)
        return [movie for movie in best if movie not in seen][:k]
    return recall


def recallers(known, items):
    """Name -> (event, k) -> ids."""
    def by(user_vector):
        return lambda event, k: items.recall(event.history, event.seen, k, user_vector)
    return {"popularity": popular(known),
            "Item2vec, mean": by(mean),
            f"Item2vec, recent, half-life {HALF_LIFE}": by(recent(HALF_LIFE)),
            "Item2vec, 2 interests": by(interests(2)),
            "Item2vec, 3 interests": by(interests(3)),
            "Item2vec, last movie": lambda event, k: items.recall(event.history[-1:], event.seen, k, mean)}


def ask_runtime(handpick, bundle, events, flags):
    """The answers of `handpick recall` to all events, in their order."""
    lines = "".join(json.dumps({"history": e.history, "exclude": e.seen}) + "\n" for e in events)
    answer = subprocess.run([handpick, "recall", "--bundle", bundle, "--requests", "-", "--k", str(max(DEPTHS)),
                             "--format", "json", *flags], input=lines, stdout=subprocess.PIPE, text=True, check=True)
    return [[item["id"] for item in json.loads(line)["items"]] for line in answer.stdout.splitlines()]


def runtime_recallers(handpick, bundles, events):
    """As recallers()."""
    searches = [(os.path.basename(bundle), bundle, []) for bundle in bundles]
    searches.append(("exact", bundles[0], ["--exact"]))
    result = {}
    for name, flags in RUNTIME.items():
        for search, bundle, more in searches:
            answers = dict(zip(map(id, events), ask_runtime(handpick, bundle, events, flags + more)))
            result[f"runtime, {name}, {search}"] = lambda event, k, answers=answers: answers[id(event)][:k]
    return result


def hit_rates(methods, events):
    """Name -> [users, depths] hit rates."""
    events = list(events)
    rates = {}
    for name, recall in methods.items():
        by_user = collections.defaultdict(list)
        for event in events:
            found = recall(event, max(DEPTHS))
            rank = found.index(event.next_movie) if event.next_movie in found else max(DEPTHS)
            by_user[event.user_id].append([rank < depth for depth in DEPTHS])
        rates[name] = np.array([np.mean(hits, axis=0) for _, hits in sorted(by_user.items())])
    print(f"{len(events)} events of {len(by_user)} users")
    return rates


def print_table(rates):
    """The first method is what the others are compared with."""
    baseline = next(iter(rates.values()))
    middle = DEPTHS.index(50)
    print("| hit rate of the next liked movie |" + "".join(f" @{depth} |" for depth in DEPTHS) +
          f" @50 above {next(iter(rates))} |")
    print("|---|" + "---|" * (len(DEPTHS) + 1))
    for name, rate in rates.items():
        above = (rate - baseline)[:, middle]
        error = above.std(ddof=1) / np.sqrt(len(above))  # Of the mean of paired differences.
        print(f"| {name} |" + "".join(f" {value:.3f} |" for value in rate.mean(axis=0)) +
              (f" {above.mean():+.3f} ± {error:.3f} |" if rate is not baseline else " |"))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="directory of ml-latest-small")
    parser.add_argument("--vectors", default=os.path.join(HERE, "model", "item2vec.npz"))
    parser.add_argument("--handpick", help="the handpick command")
    parser.add_argument("--bundle", nargs="+", help="bundles with a recall index of the vectors")
    arguments = parser.parse_args()
    if (arguments.handpick is None) != (arguments.bundle is None):
        parser.error("--handpick and --bundle go together")
    histories = Histories(read_ratings(arguments.data))
    known = histories.liked_in(["train", "validation"])
    events = list(histories.held_out("evaluation"))
    with np.load(arguments.vectors) as file:
        methods = recallers(known, Items(file["ids"], file["vectors"]))
    if arguments.bundle is not None:
        methods.update(runtime_recallers(arguments.handpick, arguments.bundle, events))
    print_table(hit_rates(methods, events))


if __name__ == "__main__":
    main()

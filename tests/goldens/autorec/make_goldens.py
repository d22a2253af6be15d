"""AutoRec of a user (Sedhain et al., WWW 2015, equations 1 and 2): the formulas of the paper, in torch. What is written: ../common/independent.py.

    python3 make_goldens.py
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "common"))

import torch  # noqa: E402
from columns import History, Sparse  # noqa: E402
from independent import Variant, write_goldens  # noqa: E402


WIDTH, MOST_EVENTS = 7, 6


class Ratings:
    """A number of each event, beside the ids of History."""

    side, in_spec, maxlen = "history", True, MOST_EVENTS

    def __init__(self, name):
        self.name = self.key = name

    def spec(self):
        return {"name": self.name, "side": "history", "type": "numeric"}

    def draw(self, rng, row, training):
        del training
        ratings = [float(r) for r in rng.integers(1, 11, row[History.length]) / 2]
        return ratings, ratings + [0.0] * (self.maxlen - len(ratings))


def logits(net, batch, parts):
    """W g(V r + mu) + b, in full: r is the vector of all items' ratings."""
    autorec = parts["autorec"]
    item, candidate = batch.columns[autorec["item"]], batch.columns[autorec["candidate"]]
    v = net.get(f"autorec.embedding.{item.table}.weight", (item.size, WIDTH), 0.2)
    w = net.get(f"autorec.output.{candidate.table}.weight", (candidate.size, WIDTH), 0.3)
    b = net.get(f"autorec.output.{candidate.table}.bias", (candidate.size, 1))
    ratings = batch.numbers(autorec["rating"])
    r = torch.zeros(len(ratings), item.size).scatter_add(1, batch.ids(autorec["item"]), ratings * batch.events())
    hidden = net.activated("", r @ v + net.get("autorec.hidden.bias", (WIDTH,), 0.3), autorec.get("activation", "sigmoid"))
    everything = hidden @ w.T + b[:, 0]
    return everything.gather(1, batch.ids(autorec["candidate"])[:, None])[:, 0]


def variants():
    columns = [History("rated", 60, WIDTH, MOST_EVENTS, table="movie_id"), Ratings("stars"),
               Sparse("movie_id", "candidate", 60, WIDTH)]
    own = [History("rated", 60, WIDTH, MOST_EVENTS), Ratings("stars"), Sparse("movie_id", "candidate", 45, WIDTH)]
    parts = {"item": "rated", "rating": "stars", "candidate": "movie_id"}
    return [
        Variant("sigmoid", columns, {"autorec": {"form": "user", **parts}}, max_events=MOST_EVENTS, task="regression"),
        Variant("identity", columns, {"autorec": {**parts, "activation": "linear"}}, max_events=MOST_EVENTS,
                task="regression", weights="npz"),
        Variant("own_tables", own, {"autorec": {**parts, "activation": "tanh"}}, max_events=MOST_EVENTS),
    ]


if __name__ == "__main__":
    write_goldens(HERE, "autorec", variants(), logits)

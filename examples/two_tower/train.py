"""Trains a model of two towers on MovieLens (ml-latest-small) and writes model/: spec, weights, golden requests.

    /usr/bin/python3 train.py --data <directory with ratings.csv and movies.csv>

Needs PyTorch and NumPy (Debian: python3-torch, python3-numpy).

The user's vector is made of the movies that the user liked, the movie's of its id, genres and year; how alike they are
is their cosine over a temperature. A softmax over movies is trained, of which each step takes some at random (Covington
et al., 2016, section 3.1): which movie does a user like, who liked these? As for Item2vec, the order of a history says
nothing: histories are shuffled anew in every epoch, and each movie of one is asked for from those before.
"""

import argparse
import os
import sys
import time

import numpy as np
import torch

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "common"), os.path.join(HERE, "..", "item2vec")]

import evaluate as item2vec  # noqa: E402
import safetensors_file  # noqa: E402
from histories import Histories  # noqa: E402
from model import TEMPERATURE, TwoTower  # noqa: E402
from movielens import MAX_EVENTS, Request, read_movies, read_ratings  # noqa: E402
from resolver import Resolver, row_count  # noqa: E402
from spec import make_spec  # noqa: E402
from training import write_lines, write_spec  # noqa: E402

SEED = 20180926
EPOCHS, BATCH, LEARNING_RATE = 21, 512, 0.005
NEGATIVES = 1500  # Movies of a step, at random, that are told apart from the one that was liked.
LEFT_OUT = 0.3  # Share of the events that a step does not see.
UNKNOWN = 0.06  # Share of the movies that a step does not know by their ids, for those that come later.
GOLDEN_CANDIDATES = 200


class Movies:
    """All movies, as the item's tower takes them."""

    def __init__(self, spec, movies):
        self.resolver = Resolver(spec, movies)
        self.ids = sorted(movies)
        self.position = {movie: i for i, movie in enumerate(self.ids)}
        self.rows = torch.tensor([self.resolver.row("movie_id", movie) for movie in self.ids])
        genres = next(f for f in spec["features"] if f["name"] == "genres")
        self.genre_rows, self.movie_rows = row_count(genres["vocabulary"]), int(self.rows.max()) + 1
        self.genres = torch.zeros(len(self.ids), self.genre_rows)
        for i, movie in enumerate(self.ids):
            for genre in movies[movie].genres:
                self.genres[i, self.resolver.row("genres", genre)] += 1 / len(movies[movie].genres)
        self.year = torch.tensor([[self.resolver.number("year", movies[movie].year)] for movie in self.ids])

    def vectors(self, model, index, unknown=0.0):
        rows = self.rows[index]
        if unknown:
            rows = rows.masked_fill(torch.rand(rows.shape) < unknown, 0)
        return model.items(rows, self.genres[index], self.year[index])

    def histories(self, lists):
        """[B, MAX_EVENTS] rows, and a mask."""
        rows, mask = torch.zeros(len(lists), MAX_EVENTS, dtype=torch.int64), torch.zeros(len(lists), MAX_EVENTS)
        for i, history in enumerate(lists):
            history = history[-MAX_EVENTS:]
            rows[i, :len(history)] = self.rows[[self.position[movie] for movie in history]]
            mask[i, :len(history)] = 1
        return rows, mask


def examples(known, rng):
    """Yields histories, and a movie that the user liked too."""
    for movies in known:
        order = [movies[j] for j in rng.permutation(len(movies))]
        for n in range(1, len(order)):
            yield order[max(0, n - MAX_EVENTS):n], order[n]


def train(movies, known, epochs):
    torch.manual_seed(SEED)
    rng = np.random.default_rng(SEED)
    model = TwoTower(movies.movie_rows, movies.genre_rows)
    optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
    for epoch in range(1, epochs + 1):
        rows, total = list(examples(known, rng)), 0.0
        for batch in torch.tensor(rng.permutation(len(rows))).split(BATCH):
            histories, mask = movies.histories([rows[i][0] for i in batch])
            mask = mask * (torch.rand(mask.shape) >= LEFT_OUT)
            liked = torch.tensor([movies.position[rows[i][1]] for i in batch])
            others = torch.tensor(rng.choice(len(movies.ids), NEGATIVES, replace=False))
            user = model.users(histories, mask)
            own = (user * movies.vectors(model, liked, UNKNOWN)).sum(dim=1, keepdim=True)
            other = user @ movies.vectors(model, others, UNKNOWN).T
            other = other.masked_fill(others[None] == liked[:, None], -10)
            logits = torch.cat([own, other], dim=1) / TEMPERATURE
            loss = torch.nn.functional.cross_entropy(logits, torch.zeros(len(batch), dtype=torch.int64))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(batch)
        print(f"  epoch {epoch:2d}  loss {total / len(rows):.4f}", flush=True)
    return model.eval()


def recaller(model, movies):
    """(event, k) -> ids, exactly, in float32."""
    everything = torch.arange(len(movies.ids))
    with torch.no_grad():
        items = movies.vectors(model, everything)

    def recall(event, k):
        with torch.no_grad():
            scores = items @ model.users(*movies.histories([event.history]))[0]
        scores[[movies.position[movie] for movie in event.seen]] = -10
        return [movies.ids[i] for i in torch.topk(scores, k).indices.tolist()]
    return recall


def golden_lines(model, movies, events, rng):
    """Requests with the trainer's logits."""
    for count, candidates in ((0, 20), (1, 1), (20, GOLDEN_CANDIDATES), (MAX_EVENTS, GOLDEN_CANDIDATES)):
        history = next(e.history for e in events if len(e.history) >= count)[:count]
        index = torch.tensor(rng.choice(len(movies.ids), candidates, replace=False))
        with torch.no_grad():
            user = model.users(*movies.histories([history]))[0]
            logits = (movies.vectors(model, index) @ user / TEMPERATURE).numpy()
        yield {"context": {}, "history": {"movie_id": history},
               "candidates": {"movie_id": [movies.ids[i] for i in index.tolist()]},
               "logits": [float(str(logit)) for logit in logits]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="directory of ml-latest-small")
    parser.add_argument("--out", default=os.path.join(HERE, "model"))
    parser.add_argument("--validate", action="store_true",
                        help="write nothing: train on what comes before the validation part, and measure on that part")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    started = time.time()
    all_movies, histories = read_movies(arguments.data), Histories(read_ratings(arguments.data))
    parts = ["train"] if arguments.validate else ["train", "validation"]
    known = histories.liked_in(parts)
    spec = make_spec(all_movies, [Request(0, None, liked, [], "train") for liked in known])
    movies = Movies(spec, all_movies)
    model = train(movies, known, EPOCHS)
    events = list(histories.held_out("validation" if arguments.validate else "evaluation"))
    item2vec.print_table(item2vec.hit_rates({"popularity": item2vec.popular(known),
                                             "two towers": recaller(model, movies)}, events))
    if not arguments.validate:
        os.makedirs(arguments.out, exist_ok=True)
        write_spec(os.path.join(arguments.out, "model.spec.json"), spec)
        state = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
        safetensors_file.write_safetensors(os.path.join(arguments.out, "model.safetensors"), state, {"format": "pt"})
        lines = golden_lines(model, movies, events, np.random.default_rng(SEED))
        write_lines(os.path.join(arguments.out, "golden.jsonl"), lines)
    print(f"{time.time() - started:.0f} s")


if __name__ == "__main__":
    main()

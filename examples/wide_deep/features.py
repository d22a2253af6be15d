"""The model's spec, and the rows and numbers that a request's features become by it."""

import math

import numpy as np
import torch

from movielens import NO_FAVOURITE, PRIOR_MEAN

MAX_GENRES = 10  # No movie of the data set has more.
HIDDEN_UNITS = [64, 32]


def make_spec(movies, requests):
    """The spec of a model whose vocabularies hold what `requests` hold; every other id is out of the vocabulary."""
    genres = [NO_FAVOURITE] + sorted({genre for movie in movies.values() for genre in movie.genres})
    genre_vocabulary = {"kind": "list", "values": genres, "first_row": 0, "out_of_vocabulary_row": 0}

    def ids(values):
        return {"kind": "list", "values": sorted(values), "first_row": 1, "out_of_vocabulary_row": 0}

    def embedding(table, dimension):
        return {"table": table, "dimension": dimension}

    def affine(subtract, multiply):
        return {"kind": "affine", "subtract": subtract, "multiply": multiply}

    genre_count = len(genres) - 1
    features = [
        {"name": "user_id", "side": "context", "type": "categorical",
         "vocabulary": ids({r.user_id for r in requests}), "embedding": embedding("user_id", 8), "default": 0},
        {"name": "rating_count", "side": "context", "type": "numeric", "dimension": 1,
         "transform": [{"kind": "clip", "min": 0, "max": 5000}, {"kind": "log1p"}, affine(3.5, 0.5)], "default": 0},
        {"name": "mean_rating", "side": "context", "type": "numeric", "dimension": 1,
         "transform": [{"kind": "clip", "min": 0, "max": 5}, affine(PRIOR_MEAN, 2.5)], "default": PRIOR_MEAN},
        {"name": "recent_mean", "side": "context", "type": "numeric", "dimension": 1,
         "transform": [{"kind": "clip", "min": 0, "max": 5}, affine(PRIOR_MEAN, 2.5)], "default": PRIOR_MEAN},
        {"name": "genre_taste", "side": "context", "type": "numeric", "dimension": genre_count,
         "transform": [affine(0, 2)], "default": [0] * genre_count},
        {"name": "favourite_genre", "side": "context", "type": "categorical", "vocabulary": genre_vocabulary,
         "embedding": embedding("genre", 8), "default": NO_FAVOURITE},
        {"name": "movie_id", "side": "candidate", "type": "categorical",
         "vocabulary": ids({m for r in requests for m in r.movie_ids}), "embedding": embedding("movie_id", 16)},
        {"name": "genres", "side": "candidate", "type": "multi_categorical", "max_values": MAX_GENRES,
         "vocabulary": genre_vocabulary, "embedding": embedding("genre", 8), "combiner": "mean"},
        {"name": "year", "side": "candidate", "type": "numeric", "dimension": 1,
         "transform": [{"kind": "clip", "min": 1920, "max": 2020}, affine(1990, 0.05)]},
        {"name": "genre_x_favourite", "type": "crossed", "of": ["genres", "favourite_genre"], "buckets": 0, "seed": 0,
         "combiner": "sum"},
    ]
    return {
        "model": {"name": "movielens-wide-deep", "version": "1", "kind": "wide_deep", "task": "binary"},
        "layout": "handpick",
        "features": features,
        "wide": {"features": ["movie_id", "genre_x_favourite", "mean_rating"]},
        "deep": {"features": ["user_id", "favourite_genre", "rating_count", "mean_rating", "recent_mean", "genre_taste",
                              "movie_id", "genres", "year"],
                 "hidden_units": HIDDEN_UNITS, "activation": "relu", "batch_normalization": True},
        "catalog": {"key": "movie_id"},
    }


def row_count(vocabulary):
    return vocabulary["first_row"] + len(vocabulary["values"])


class Resolver:
    """Turns requests into batches as Handpick's runtime will: vocabularies, transforms, the cross."""

    def __init__(self, spec, movies):
        self._features = {feature["name"]: feature for feature in spec["features"]}
        self._rows = {name: {value: row for row, value in enumerate(feature["vocabulary"]["values"],
                                                                   feature["vocabulary"]["first_row"])}
                      for name, feature in self._features.items() if "vocabulary" in feature}
        self._movies = movies
        self.genre_rows = row_count(self._features["genres"]["vocabulary"])

    def row(self, feature, value):
        return self._rows[feature].get(value, self._features[feature]["vocabulary"]["out_of_vocabulary_row"])

    def number(self, feature, value):
        for step in self._features[feature]["transform"]:
            if step["kind"] == "clip":
                value = min(max(value, step["min"]), step["max"])
            elif step["kind"] == "log1p":
                value = math.log1p(value)
            else:
                value = (value - step["subtract"]) * step["multiply"]
        return value

    def batch(self, requests):
        """One row per candidate of all `requests`, in order; and their labels."""
        pairs = [(r, self._movies[m]) for r in requests for m in r.movie_ids]
        genres = np.zeros((len(pairs), MAX_GENRES), dtype=np.int64)
        mask = np.zeros((len(pairs), MAX_GENRES), dtype=np.float32)
        for i, (_, movie) in enumerate(pairs):
            genres[i, :len(movie.genres)] = [self.row("genres", genre) for genre in movie.genres]
            mask[i, :len(movie.genres)] = 1

        def rows(name, values):
            return torch.tensor([self.row(name, value) for value in values])

        def numbers(name, values):
            values = [value if isinstance(value, list) else [value] for value in values]
            return torch.tensor([[self.number(name, x) for x in value] for value in values], dtype=torch.float32)

        favourite = rows("favourite_genre", [r.known.favourite_genre for r, _ in pairs])
        genres, mask = torch.from_numpy(genres), torch.from_numpy(mask)
        return {
            "user_id": rows("user_id", [r.user_id for r, _ in pairs]),
            **{name: numbers(name, [getattr(r.known, name) for r, _ in pairs])
               for name in ("rating_count", "mean_rating", "recent_mean", "genre_taste")},
            "favourite_genre": favourite,
            "movie_id": rows("movie_id", [m.movie_id for _, m in pairs]),
            "genres": (genres, mask),
            "year": numbers("year", [m.year for _, m in pairs]),
            "genre_x_favourite": (genres * self.genre_rows + favourite.unsqueeze(1), mask),
        }, torch.tensor([label for r in requests for label in r.labels], dtype=torch.float32)


def take(batch, index):
    """Rows of a batch."""
    return {name: tuple(part[index] for part in value) if isinstance(value, tuple) else value[index]
            for name, value in batch.items()}

"""The features that the examples' specs choose from: what movielens.py knows of users and movies."""

from movielens import NO_FAVOURITE, PRIOR_MEAN

MAX_GENRES = 10  # No movie of the data set has more.


class Features:
    """Vocabularies hold what `requests` hold; every other id is out of the vocabulary."""

    def __init__(self, movies, requests):
        genres = [NO_FAVOURITE] + sorted({genre for movie in movies.values() for genre in movie.genres})
        self._genres = {"kind": "list", "values": genres, "first_row": 0, "out_of_vocabulary_row": 0}
        self._users = _ids({r.user_id for r in requests})
        self._movies = _ids({m for r in requests for m in r.movie_ids})

    def user_id(self, dimension):
        return {"name": "user_id", "side": "context", "type": "categorical", "vocabulary": self._users,
                "embedding": _embedding("user_id", dimension), "default": 0}

    def numbers(self):
        """rating_count, mean_rating, recent_mean, genre_taste"""
        mean = {"side": "context", "type": "numeric", "dimension": 1,
                "transform": [{"kind": "clip", "min": 0, "max": 5}, _affine(PRIOR_MEAN, 2.5)], "default": PRIOR_MEAN}
        genre_count = len(self._genres["values"]) - 1
        return [
            {"name": "rating_count", "side": "context", "type": "numeric", "dimension": 1,
             "transform": [{"kind": "clip", "min": 0, "max": 5000}, {"kind": "log1p"}, _affine(3.5, 0.5)],
             "default": 0},
            {"name": "mean_rating", **mean},
            {"name": "recent_mean", **mean},
            {"name": "genre_taste", "side": "context", "type": "numeric", "dimension": genre_count,
             "transform": [_affine(0, 2)], "default": [0] * genre_count},
        ]

    def favourite_genre(self, dimension):
        return {"name": "favourite_genre", "side": "context", "type": "categorical", "vocabulary": self._genres,
                "embedding": _embedding("genre", dimension), "default": NO_FAVOURITE}

    def movie_id(self, dimension, side="candidate"):
        """Of the candidate or of the events, which share a table."""
        return {"name": "movie_id", "side": side, "type": "categorical", "vocabulary": self._movies,
                "embedding": _embedding("movie_id", dimension)}

    def genre(self, dimension, side="candidate"):
        """The main genre, as movie_id()."""
        return {"name": "genre", "side": side, "type": "categorical", "vocabulary": self._genres,
                "embedding": _embedding("genre", dimension)}

    def genres(self, dimension):
        return {"name": "genres", "side": "candidate", "type": "multi_categorical", "max_values": MAX_GENRES,
                "vocabulary": self._genres, "embedding": _embedding("genre", dimension), "combiner": "mean"}

    def year(self):
        return {"name": "year", "side": "candidate", "type": "numeric", "dimension": 1,
                "transform": [{"kind": "clip", "min": 1920, "max": 2020}, _affine(1990, 0.05)]}

    def genre_x_favourite(self):
        return {"name": "genre_x_favourite", "type": "crossed", "of": ["genres", "favourite_genre"], "buckets": 0,
                "seed": 0, "combiner": "sum"}


def _ids(values):
    return {"kind": "list", "values": sorted(values), "first_row": 1, "out_of_vocabulary_row": 0}


def _embedding(table, dimension):
    return {"table": table, "dimension": dimension}


def _affine(subtract, multiply):
    return {"kind": "affine", "subtract": subtract, "multiply": multiply}

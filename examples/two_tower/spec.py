"""The model's spec."""

from model import GENRE_WIDTH, HIDDEN, MOVIE_WIDTH, TEMPERATURE, WIDTH
from movielens import MAX_EVENTS
from movielens_features import Features


def make_spec(movies, requests):
    features = Features(movies, requests)
    return {
        "model": {"name": "movielens-two-tower", "version": "1", "kind": "two_tower", "task": "regression"},
        "layout": "handpick",
        "history": {"max_events": MAX_EVENTS},
        "features": [features.movie_id(MOVIE_WIDTH), features.genres(GENRE_WIDTH), features.year(),
                     features.movie_id(MOVIE_WIDTH, "history")],
        "towers": {"user": {"features": ["history.movie_id"], "hidden_units": [HIDDEN, WIDTH], "activation": "relu",
                            "output_activation": "linear"},
                   "item": {"features": ["candidate.movie_id", "genres", "year"], "hidden_units": [WIDTH],
                            "activation": "linear"},
                   "similarity": "cosine", "temperature": TEMPERATURE},
        "catalog": {"key": "movie_id"},
    }

"""The model's spec."""

from movielens import MAX_EVENTS
from movielens_features import Features

MOVIE_WIDTH, GENRE_WIDTH = 16, 8


def make_spec(movies, requests):
    features = Features(movies, requests)
    return {
        "model": {"name": "movielens-dien", "version": "1", "kind": "dien", "task": "binary"},
        "layout": "handpick",
        "history": {"max_events": MAX_EVENTS},
        "features": [*features.numbers(), features.favourite_genre(GENRE_WIDTH), features.movie_id(MOVIE_WIDTH),
                     features.genre(GENRE_WIDTH), features.genres(GENRE_WIDTH), features.year(),
                     features.movie_id(MOVIE_WIDTH, "history"), features.genre(GENRE_WIDTH, "history")],
        "deep": {"features": ["rating_count", "mean_rating", "recent_mean", "genre_taste", "favourite_genre",
                              "candidate.movie_id", "candidate.genre", "genres", "year"],
                 "hidden_units": [64, 32], "activation": "prelu", "batch_normalization": True},
        "attention": {"query": ["candidate.movie_id", "candidate.genre"], "key": ["history.movie_id", "history.genre"],
                      "hidden_units": [80, 40], "activation": "sigmoid", "softmax": True},
        "evolution": {"cell": "AUGRU"},
        "catalog": {"key": "movie_id"},
    }

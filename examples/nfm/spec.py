"""The model's spec."""

from movielens_features import Features

WIDTH = 16  # Of every field of the interaction.


def make_spec(movies, requests):
    features = Features(movies, requests)
    return {
        "model": {"name": "movielens-nfm", "version": "1", "kind": "nfm", "task": "binary"},
        "layout": "handpick",
        "features": [features.user_id(WIDTH), *features.numbers(), features.favourite_genre(WIDTH),
                     features.movie_id(WIDTH), features.genres(WIDTH), features.year(), features.genre_x_favourite()],
        "wide": {"features": ["movie_id", "genre_x_favourite", "mean_rating"]},
        "deep": {"features": ["user_id", "favourite_genre", "movie_id", "genres", "rating_count", "mean_rating",
                              "recent_mean", "genre_taste", "year"],
                 "hidden_units": [64, 32], "activation": "relu"},
        "catalog": {"key": "movie_id"},
    }

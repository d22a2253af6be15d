"""The model's spec."""

from movielens_features import Features


def make_spec(movies, requests):
    features = Features(movies, requests)
    return {
        "model": {"name": "movielens-wide-deep", "version": "1", "kind": "wide_deep", "task": "binary"},
        "layout": "handpick",
        "features": [features.user_id(8), *features.numbers(), features.favourite_genre(8), features.movie_id(16),
                     features.genres(8), features.year(), features.genre_x_favourite()],
        "wide": {"features": ["movie_id", "genre_x_favourite", "mean_rating"]},
        "deep": {"features": ["user_id", "favourite_genre", "rating_count", "mean_rating", "recent_mean", "genre_taste",
                              "movie_id", "genres", "year"],
                 "hidden_units": [64, 32], "activation": "relu", "batch_normalization": True},
        "catalog": {"key": "movie_id"},
    }

"""The specs: the same features for all families, and what each makes of them."""

from movielens import MAX_EVENTS
from movielens_features import Features

WIDTH = 16  # Of every embedding.
IDS = ["user_id", "favourite_genre", "movie_id", "genres"]
NUMBERS = ["rating_count", "mean_rating", "recent_mean", "genre_taste", "year"]
OF_USER = ["user_id", "favourite_genre", "rating_count", "mean_rating", "recent_mean", "genre_taste"]
WIDE = {"features": ["movie_id", "genre_x_favourite", "mean_rating", "recent_mean", "year"]}
DEEP = {"features": IDS + NUMBERS}
TOWER = {"hidden_units": [64, 32], "activation": "relu"}
# Of models that know a user by what he liked.
LIKED, MOVIE = "history.movie_id", "candidate.movie_id"

# Family -> what its spec has beside the features.
FAMILIES = {
    "lr": {"wide": WIDE},
    "fm": {"wide": WIDE, "deep": {"features": IDS}},
    "ffm": {"wide": WIDE, "deep": {"features": IDS}},
    "afm": {"wide": WIDE, "deep": {"features": IDS}},
    "fnn": {"deep": {**DEEP, **TOWER}},
    "wide_deep": {"wide": WIDE, "deep": {**DEEP, **TOWER}},
    "nfm": {"wide": WIDE, "deep": {**DEEP, **TOWER}},
    "deepfm": {"wide": WIDE, "deep": {**DEEP, **TOWER}},
    "pnn": {"products": {"inner": True}, "deep": {**DEEP, **TOWER}},
    "dcn": {"cross": {"layers": 2, "parameterization": "vector"}, "wide": WIDE, "deep": {**DEEP, **TOWER}},
    "dcn_v2": {"cross": {"layers": 2, "parameterization": "matrix"}, "wide": WIDE, "deep": {**DEEP, **TOWER}},
    "deep_crossing": {"deep": {**DEEP, "hidden_units": [64, 64], "activation": "relu"}},
    "wide_resnet": {"wide": WIDE, "deep": {**DEEP, "hidden_units": [64, 64], "activation": "relu"}},
    "drn": {"value": {"features": OF_USER, **TOWER}, "deep": {**DEEP, **TOWER}},
    "mlr": {"piecewise": {"count": 6, "features": IDS + NUMBERS}},
    "gmf": {"gmf": {"user": LIKED, "item": MOVIE}},
    "ncf_mlp": {"deep": {"features": [LIKED, MOVIE], **TOWER}},
    "neumf": {"gmf": {"user": LIKED, "item": MOVIE}, "deep": {"features": [LIKED, MOVIE], **TOWER}},
    "aneumf": {"gmf": {"user": LIKED, "item": MOVIE}, "deep": {"features": [LIKED, MOVIE], **TOWER},
               "soft_attention": {"over": ["deep"]}},
}
KINDS = {"dcn_v2": "dcn"}  # The kind of a family, where it has another name.


def knows_likes_alone(family):
    """Whether a family knows a user by the movies that he liked, and a movie by its id."""
    return "gmf" in FAMILIES[family] or family == "ncf_mlp"


def make_spec(family, movies, requests):
    features = Features(movies, requests)
    spec = {
        "model": {"name": f"movielens-{family}", "version": "1", "kind": KINDS.get(family, family), "task": "binary"},
        "layout": "handpick",
    }
    if knows_likes_alone(family):
        spec["history"] = {"max_events": MAX_EVENTS}
        liked = {**features.movie_id(WIDTH, side="history"), "combiner": "mean"}
        spec["features"] = [features.movie_id(WIDTH), liked]
    else:
        width = WIDTH * len(IDS) if family == "ffm" else WIDTH  # A vector for each field that it meets.
        spec["features"] = [features.user_id(width), *features.numbers(), features.favourite_genre(width),
                            features.movie_id(width), features.genres(width), features.year(),
                            features.genre_x_favourite()]
    return {**spec, **FAMILIES[family], "catalog": {"key": "movie_id"}}

"""The golden DIN models: one Variant per behaviour of the library that an importer can get wrong."""

import dataclasses

from columns import Dense, History, Length, Sequence, Sparse

MOST = 6  # Events.


@dataclasses.dataclass
class Variant:
    name: str
    columns: list  # In the order of dnn_feature_columns.
    attended: tuple = ("movie_id",)  # history_feature_list.
    attention_units: tuple = (8, 4)
    attention_activation: str = "sigmoid"
    softmax: bool = False
    hidden_units: tuple = (10, 6)
    activation: str = "relu"
    batch_normalization: bool = False
    task: str = "binary"
    weights: str = "safetensors"  # Or "npz", "npz_deflated".
    max_events: int = MOST
    small_variance: bool = False  # The unit's first layer is a thousandth of what it was, and its second undoes that.


def _events(name, size, width, most=MOST, **others):
    return History(name, size, width, most, key="hist_" + name, first=0, **{"table": name, **others})


def _one(most=MOST):
    """A user, a movie, and the movies of the history."""
    return [Sparse("user_id", "context", 30, 4), Sparse("movie_id", "candidate", 50, 6),
            _events("movie_id", 50, 6, most)]


def _two():
    """The same with genres."""
    return [Sparse("user_id", "context", 30, 4), Sparse("movie_id", "candidate", 50, 6),
            Sparse("genre", "candidate", 12, 4), _events("movie_id", 50, 6), _events("genre", 12, 4)]


_BOTH = ("movie_id", "genre")


def all_variants():
    # Each activation of the unit, with softmax and without; towers of each kind beside them.
    variants = [
        Variant("sigmoid", _one()),
        Variant("sigmoid_softmax", _two(), _BOTH, softmax=True, weights="npz"),
        Variant("relu", _two(), _BOTH, attention_activation="relu", activation="sigmoid"),
        Variant("relu_softmax", _one(), attention_activation="relu", softmax=True, activation="prelu",
                batch_normalization=True),
        Variant("prelu", _one(), attention_activation="prelu", activation="prelu", weights="npz"),
        Variant("prelu_softmax", _two(), _BOTH, attention_activation="prelu", softmax=True, activation="sigmoid",
                batch_normalization=True, weights="npz_deflated"),
        Variant("dice", _two(), _BOTH, attention_activation="dice", activation="prelu"),
        Variant("dice_softmax", _one(), attention_activation="dice", softmax=True, batch_normalization=True),
        Variant("linear_unit", _one(), attention_activation="linear", activation="linear"),
    ]
    # Dice adds 1e-8 to the variance, not 1e-5.
    variants.append(Variant("dice_small_variance", _one(), attention_activation="dice", small_variance=True))
    # Depths of the unit.
    variants.append(Variant("unit_depth_1_dice", _two(), _BOTH, attention_units=(9,), attention_activation="dice",
                            hidden_units=(7,)))
    variants.append(Variant("unit_depth_3_softmax", _two(), _BOTH, attention_units=(9, 7, 5), softmax=True,
                            attention_activation="dice", hidden_units=(9, 7, 5), activation="prelu"))
    # The tower's input is grouped by kind; attention comes after the pooled sequences and before the numbers.
    variants.append(Variant(
        "interleaved_kinds",
        [Dense("mood", "context", 2), _events("movie_id", 50, 6), Sequence("tags", "candidate", 15, 3, combiner="sum"),
         Sparse("movie_id", "candidate", 50, 6), Dense("price", "candidate"), Sparse("user_id", "context", 30, 5),
         _events("genre", 12, 4), Sequence("likes", "context", 20, 2, maxlen=4, combiner="mean"),
         Sparse("genre", "candidate", 12, 4), Dense("position", "candidate", 2)],
        _BOTH, activation="prelu", batch_normalization=True, attention_activation="dice"))
    # Sequences that are no history, after it: the first length column of all is what the library attends by.
    variants.append(Variant(
        "pooled_sequences",
        [*_two(), Length("tags_length", "candidate", 5),
         Sequence("tags", "candidate", 15, 3, combiner="mean", length="tags_length"),
         Sequence("likes", "context", 20, 4, maxlen=4, combiner="sum"),
         Sequence("cast", "candidate", 18, 3, maxlen=4, combiner="max", share_empty=0.05)],
        _BOTH, activation="sigmoid", attention_activation="relu", softmax=True))
    # The history's movies a second time, pooled, and tables that columns of all sides share.
    variants.append(Variant(
        "shared_tables",
        [Sparse("last_movie", "context", 50, 6, table="movie_id"), Sparse("movie_id", "candidate", 50, 6),
         Sparse("genre", "candidate", 12, 4, table="genre table"), _events("movie_id", 50, 6),
         _events("genre", 12, 4, table="genre table"),
         Sequence("liked_movies", "context", 50, 6, combiner="mean", table="movie_id"),
         Sequence("genres", "candidate", 12, 4, maxlen=3, combiner="mean", table="genre table")],
        _BOTH, attention_activation="prelu", activation="prelu"))
    variants.append(Variant(
        "own_tables",
        [Sparse("user_id", "context", 30, 4), Sparse("movie_id", "candidate", 50, 6),
         _events("movie_id", 40, 6, table="seen movie")],
        attention_activation="dice", softmax=True))
    # Query and key in different orders: the library pairs movies with genres, and so must we.
    variants.append(Variant(
        "query_and_key_order",
        [Sparse("movie_id", "candidate", 50, 5), Sparse("genre", "candidate", 12, 5), _events("genre", 12, 5),
         _events("movie_id", 50, 5), Sparse("user_id", "context", 30, 4)],
        ("genre", "movie_id"), attention_activation="relu"))
    variants.append(Variant(
        "query_and_key_order_of_different_widths",
        [_events("genre", 12, 3), _events("movie_id", 50, 6), Sparse("movie_id", "candidate", 50, 6),
         Sparse("genre", "candidate", 12, 3)],
        _BOTH, softmax=True, weights="npz"))
    # group_name: embeddings come out group by group, in the tower and in the query.
    variants.append(Variant(
        "groups",
        [Sparse("movie_id", "candidate", 50, 4, group="a"), Sparse("user_id", "context", 30, 5, group="b"),
         Sparse("shop", "candidate", 9, 3, group="b"), Sparse("genre", "candidate", 12, 4, group="a"),
         Dense("age", "context"), Sparse("city", "context", 11, 2, group="a"),
         _events("movie_id", 50, 4), _events("genre", 12, 4), _events("shop", 9, 3)],
        ("movie_id", "genre", "shop"), attention_activation="prelu"))
    variants.append(Variant(
        "groups_in_query_and_key",
        [Sparse("movie_id", "candidate", 50, 4, group="a"), Sparse("genre", "candidate", 12, 4, group="b"),
         Sparse("shop", "candidate", 9, 4, group="a"), _events("genre", 12, 4, group="x"),
         _events("movie_id", 50, 4, group="y"), _events("shop", 9, 4, group="x")],
        ("movie_id", "genre", "shop"), attention_activation="dice", softmax=True))
    # Candidates that nobody has a history of, beside those that are attended.
    variants.append(Variant(
        "many_fields",
        [*(Sparse(f"context_{i}", "context", 10 + i, 2 + i % 4) for i in range(8)), *_two(),
         *(Sparse(f"candidate_{i}", "candidate", 9 + i, 3 + i % 3) for i in range(5)), Dense("age", "context")],
        _BOTH, hidden_units=(20, 10), activation="prelu", batch_normalization=True, attention_activation="sigmoid"))
    variants.append(Variant(
        "candidate_and_history_alone", [Sparse("movie_id", "candidate", 50, 6), _events("movie_id", 50, 6)],
        attention_activation="dice", activation="prelu"))
    variants.append(Variant("regression", [*_two(), Dense("price", "candidate")], _BOTH, task="regression",
                            attention_activation="relu", batch_normalization=True))
    # The shortest histories that there are, and the length that people use.
    variants.append(Variant("one_event", _one(most=1), attention_activation="prelu", softmax=True, max_events=1))
    variants.append(Variant("two_events", _one(most=2), max_events=2))
    variants.append(Variant("fifty_events", _one(most=50), attention_activation="dice", max_events=50))
    variants.append(Variant("fifty_events_softmax", _one(most=50), softmax=True, max_events=50, weights="npz"))
    return variants

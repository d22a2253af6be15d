"""The golden DIEN models: one Variant per behaviour of the library that an importer can get wrong."""

import dataclasses

from columns import Dense, History, NegativeHistory, Sequence, Sparse

MOST = 6  # Events.


@dataclasses.dataclass
class Variant:
    name: str
    columns: list  # In the order of dnn_feature_columns.
    cell: str
    attended: tuple = ("movie_id",)  # history_feature_list.
    attention_units: tuple = (8, 4)
    attention_activation: str = "relu"
    softmax: bool = True
    hidden_units: tuple = (10, 6)
    activation: str = "relu"
    batch_normalization: bool = False
    negative_sampling: bool = False
    unequal_biases: bool = False  # The file's bias_ih is another than its bias_hh.
    task: str = "binary"
    weights: str = "safetensors"  # Or "npz", "npz_deflated".
    max_events: int = MOST


def _events(name, size, width, most=MOST, **others):
    return History(name, size, width, most, key="hist_" + name, first=0, **{"table": name, **others})


def _one(width=6, most=MOST):
    """A user, a movie, and the movies of the history."""
    return [Sparse("user_id", "context", 30, 4), Sparse("movie_id", "candidate", 50, width),
            _events("movie_id", 50, width, most)]


def _two():
    """The same with genres."""
    return [Sparse("user_id", "context", 30, 4), Sparse("movie_id", "candidate", 50, 5),
            Sparse("genre", "candidate", 12, 3), _events("movie_id", 50, 5), _events("genre", 12, 3)]


_BOTH = ("movie_id", "genre")


def _with_negatives(columns):
    return columns + [NegativeHistory(c) for c in columns if isinstance(c, History)]


def all_variants():
    # Each cell, with softmax and without; each activation of the unit; towers of each kind.
    variants = [
        Variant("gru_softmax", _one(), "GRU"),
        Variant("gru", _two(), "GRU", _BOTH, softmax=False, attention_activation="sigmoid", weights="npz"),
        Variant("aigru_softmax", _two(), "AIGRU", _BOTH, attention_activation="dice", activation="prelu"),
        Variant("aigru", _one(), "AIGRU", softmax=False, attention_activation="relu", activation="sigmoid"),
        Variant("agru_softmax", _one(), "AGRU", attention_activation="sigmoid", weights="npz_deflated"),
        Variant("agru", _two(), "AGRU", _BOTH, softmax=False, attention_activation="dice"),
        Variant("augru_softmax", _two(), "AUGRU", _BOTH, attention_activation="sigmoid", activation="prelu"),
        Variant("augru", _one(), "AUGRU", softmax=False, attention_activation="prelu", weights="npz"),
        Variant("gru_dice", _one(), "GRU", softmax=False, attention_activation="dice", activation="sigmoid"),
        Variant("augru_dice_softmax", _one(), "AUGRU", attention_activation="dice", activation="linear"),
    ]
    variants.append(Variant("augru_unit_depth_1", _one(), "AUGRU", attention_units=(9,), hidden_units=(7,)))
    variants.append(Variant("agru_unit_depth_3", _two(), "AGRU", _BOTH, attention_units=(9, 7, 5),
                            attention_activation="dice", hidden_units=(9, 7, 5), activation="prelu"))
    # The auxiliary network and the columns of events that did not happen are the training's alone.
    variants.append(Variant("gru_negative_sampling", _with_negatives(_one(width=5)), "GRU", negative_sampling=True))
    variants.append(Variant("augru_negative_sampling", _with_negatives(_two()), "AUGRU", _BOTH,
                            negative_sampling=True, attention_activation="dice"))
    # bias_ih is another name of bias_hh to the library: of two different vectors it keeps bias_hh.
    variants.append(Variant("augru_unequal_biases", _one(), "AUGRU", unequal_biases=True))
    # The library forgets sequences that are no history; their tables are in the file.
    variants.append(Variant(
        "ignored_sequences",
        [Sequence("tags", "candidate", 15, 3, combiner="sum"), *_two(),
         Sequence("likes", "context", 20, 4, maxlen=4, combiner="mean")],
        "AIGRU", _BOTH))
    # The history's last state comes first, then all ids, then all numbers.
    variants.append(Variant(
        "interleaved_kinds",
        [Dense("mood", "context", 2), _events("movie_id", 50, 5), Sparse("movie_id", "candidate", 50, 5),
         Dense("price", "candidate"), Sparse("user_id", "context", 30, 5), _events("genre", 12, 3),
         Sparse("genre", "candidate", 12, 3), Dense("position", "candidate", 3)],
        "AUGRU", _BOTH, activation="prelu", batch_normalization=True, attention_activation="sigmoid"))
    variants.append(Variant("batch_norm_relu", [*_two(), Dense("age", "context")], "GRU", _BOTH,
                            batch_normalization=True, weights="npz_deflated"))
    variants.append(Variant("batch_norm_sigmoid", _one(), "AGRU", batch_normalization=True, activation="sigmoid",
                            softmax=False, attention_activation="sigmoid"))
    variants.append(Variant(
        "query_and_key_order",
        [Sparse("movie_id", "candidate", 50, 4), Sparse("genre", "candidate", 12, 4), _events("genre", 12, 4),
         _events("movie_id", 50, 4), Sparse("user_id", "context", 30, 4)],
        "AUGRU", ("genre", "movie_id")))
    variants.append(Variant(
        "groups",
        [Sparse("movie_id", "candidate", 50, 4, group="a"), Sparse("user_id", "context", 30, 5, group="b"),
         Sparse("shop", "candidate", 9, 3, group="b"), Sparse("genre", "candidate", 12, 4, group="a"),
         Dense("age", "context"), _events("genre", 12, 4, group="x"), _events("movie_id", 50, 4, group="y"),
         _events("shop", 9, 3, group="x")],
        "AUGRU", ("movie_id", "genre", "shop"), attention_activation="prelu"))
    variants.append(Variant(
        "shared_tables",
        [Sparse("last_movie", "context", 50, 6, table="movie_id"), Sparse("movie_id", "candidate", 50, 6),
         _events("movie_id", 50, 6)],
        "AIGRU", softmax=False, attention_activation="sigmoid"))
    variants.append(Variant(
        "own_tables",
        [Sparse("user_id", "context", 30, 4), Sparse("movie_id", "candidate", 50, 6),
         _events("movie_id", 40, 6, table="seen movie")],
        "AUGRU"))
    variants.append(Variant(
        "candidate_and_history_alone", [Sparse("movie_id", "candidate", 50, 6), _events("movie_id", 50, 6)], "GRU"))
    variants.append(Variant("regression", [*_two(), Dense("price", "candidate")], "AUGRU", _BOTH, task="regression"))
    # The shortest histories that there are, and the length that people use.
    variants.append(Variant("one_event", _one(most=1), "AUGRU", max_events=1))
    variants.append(Variant("two_events", _one(most=2), "GRU", max_events=2))
    variants.append(Variant("fifty_events_gru", _one(most=50), "GRU", max_events=50))
    variants.append(Variant("fifty_events_aigru", _one(most=50), "AIGRU", softmax=False,
                            attention_activation="sigmoid", max_events=50))
    variants.append(Variant("fifty_events_agru", _one(most=50), "AGRU", max_events=50, weights="npz"))
    variants.append(Variant("fifty_events_augru", _one(most=50), "AUGRU", attention_activation="dice", max_events=50))
    return variants

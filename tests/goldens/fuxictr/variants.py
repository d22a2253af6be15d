"""The models that are asked: make_goldens.py."""

import dataclasses

import columns
from columns import Dense, Sequence, Sparse

WIDTH = 4
EVENTS = 6
NEGATIVE = "neg_"


class Events(columns.History):
    """A sequence of the user; ids of 0 are padding and stand anywhere, where the model knows them by themselves."""

    def __init__(self, name, size, table=None, combiner=None, padding=0.25, sequence=None, events=EVENTS):
        """sequence: of a user with several, which keep `events` each."""
        super().__init__(name, size, WIDTH, events, combiner, table)
        self.sequence, self._padding = sequence, padding
        if sequence:
            self.length = f"{sequence}_count"

    def spec(self):
        of = {"sequence": self.sequence} if self.sequence else {}
        return {**super().spec(), **of, "padding_row": 0}

    def draw(self, rng, row, training):
        raw, _ = super().draw(rng, row, training)
        # Sequences that begin alike are padding at the same places; once in a while everywhere.
        places = "__padding__" + self.name.split("_", maxsplit=1)[0]
        if places not in row:
            share = 1.0 if self._padding and rng.random() < 0.15 else self._padding
            row[places] = [rng.random() < share for _ in range(self.maxlen)]
        raw = [0 if is_padding else value for value, is_padding in zip(raw, row[places])]
        return raw, raw + [0] * (self.maxlen - len(raw))


@dataclasses.dataclass
class Variant:
    kind: str
    name: str
    model: str  # The library's class.
    columns: list
    parts: dict  # Sections of the spec.
    arguments: dict = dataclasses.field(default_factory=dict)  # Of the class.
    task: str = "binary"
    weights: str = "safetensors"  # Or "npz", "npz_deflated".
    max_events: int = 0
    sequences: dict = dataclasses.field(default_factory=dict)  # Instead: name -> the most events, of several.
    negatives: list = dataclasses.field(default_factory=list)  # Sequences of which there are negative samples.
    width: int = WIDTH
    gain: float = 1.4


def fields(combiner="mean"):
    """Ids, numbers and pooled sequences of both sides, in no order; a table that two of them share."""
    words = [f"city {i}" for i in range(5)]
    return [Sparse("user_id", "context", 20, WIDTH), Dense("age", "context"),
            Sequence("genres", "candidate", 9, WIDTH, combiner=combiner),
            Sparse("item_id", "candidate", 30, WIDTH), Dense("price", "candidate"),
            # Row 0 pads, and the last row is for what is in no vocabulary.
            Sparse("city", "context", 7, WIDTH, vocabulary={"kind": "list", "values": words, "first_row": 1,
                                                            "out_of_vocabulary_row": 6}),
            Sequence("likes", "context", 9, WIDTH, maxlen=4, combiner=combiner, table="genres")]


def names(columns_of):
    return [column.name for column in columns_of]


def with_history(combiner="mean"):
    """The same with a sequence of events, pooled."""
    own = fields(combiner)
    return own[:4] + [Events("clicks", 30, table="item_id", combiner=combiner)] + own[4:]


def pairs(history, more=()):
    """What DIN and DIEN are asked of: items and categories, and the events that were of them."""
    return [Sparse("user_id", "context", 20, WIDTH), Sparse("item_id", "candidate", 30, WIDTH), *more,
            history("click_items", 30, "item_id"), Sparse("category", "candidate", 8, WIDTH),
            history("click_categories", 8, "category"), Dense("age", "context"),
            Sequence("tags", "candidate", 9, WIDTH)]


def padded(name, size, table):
    return Events(name, size, table)


def unpadded(name, size, table):
    return Events(name, size, table, padding=0.0)


# ---- Kinds ------------------------------------------------------------------------------------------


def linear_and_pairs():
    for kind, model in (("lr", "LR"), ("fm", "FM")):
        for name, own, task, events in (("fuxictr_usual", fields(), "binary", 0),
                                        ("fuxictr_history", with_history("sum"), "regression", EVENTS)):
            parts = {"wide": {"features": names(own)}}
            if kind == "fm":
                parts["deep"] = {"features": names(own)}
            yield Variant(kind, name, model, own, parts, task=task, max_events=events)


def networks():
    """kind, name, class, columns, sections beside `wide` and `deep`, hidden layers of the spec, the class's arguments."""
    plain = {"hidden_units": [8, 6], "activation": "relu"}
    normalised = {"hidden_units": [8, 6], "activation": "prelu", "batch_normalization": True}
    dice = {"hidden_units": [7], "activation": "dice", "batch_normalization": True}
    sigmoid = {"hidden_units": [8, 6, 5], "activation": "sigmoid"}
    classes = {"wide_deep": "WideDeep", "deepfm": "DeepFM", "nfm": "NFM", "pnn": "PNN"}
    for kind, name, own, section, dropout in (
            ("wide_deep", "fuxictr_relu", fields("sum"), plain, 0),
            ("wide_deep", "fuxictr_prelu_batch_norm_dropout", fields(), normalised, 0.2),
            ("wide_deep", "fuxictr_history_dice", with_history(), dice, 0),
            ("deepfm", "fuxictr_relu_dropout", fields(), plain, [0.1, 0]),
            ("deepfm", "fuxictr_history_prelu_batch_norm", with_history(), normalised, 0),
            ("nfm", "fuxictr_sigmoid_dropout", fields(), sigmoid, 0.3),
            ("nfm", "fuxictr_history_dice", with_history("sum"), dice, 0),
            ("pnn", "fuxictr_inner", fields(), plain, 0),
            ("pnn", "fuxictr_history_batch_norm", with_history(), normalised, 0.2)):
        parts = {} if kind == "pnn" else {"wide": {"features": names(own)}}
        parts["deep"] = {"features": names(own), **section}
        if kind == "pnn":
            parts["products"] = {"inner": True}
        library = {"relu": "ReLU", "prelu": "PReLU", "dice": "Dice", "sigmoid": "Sigmoid"}
        arguments = {"hidden_units": section["hidden_units"], "hidden_activations": library[section["activation"]],
                     "batch_norm": section.get("batch_normalization", False), "net_dropout": dropout}
        yield Variant(kind, name, classes[kind], own, parts, arguments, weights="npz" if kind == "pnn" else "safetensors",
                      max_events=EVENTS if own[4].name == "clicks" else 0)


def cross():
    own = fields() + [Dense("picture", "candidate", 3)]
    deep = {"features": names(own), "hidden_units": [8, 6]}
    crossing = {"layers": 2, "parameterization": "matrix"}
    common = {"num_cross_layers": 2}
    yield Variant("dcn", "fuxictr_parallel", "DCNv2", own, {"deep": deep, "cross": crossing},
                  {**common, "model_structure": "parallel", "parallel_dnn_hidden_units": [8, 6]})
    yield Variant("dcn", "fuxictr_crossnet_only", "DCNv2", own,
                  {"deep": {**deep, "hidden_units": []}, "cross": {**crossing, "layers": 3}},
                  {"num_cross_layers": 3, "model_structure": "crossnet_only"}, task="regression", gain=0.9)
    yield Variant("dcn", "fuxictr_stacked_batch_norm", "DCNv2", own,
                  {"deep": {**deep, "batch_normalization": True}, "cross": {**crossing, "structure": "stacked"}},
                  {**common, "model_structure": "stacked", "stacked_dnn_hidden_units": [8, 6], "batch_norm": True}, gain=1.0)
    pooled = with_history()
    yield Variant("dcn", "fuxictr_stacked_parallel", "DCNv2", pooled,
                  {"deep": {"features": names(pooled), "hidden_units": [5], "activation": "dice"},
                   "cross": {**crossing, "structure": "stacked_parallel", "hidden_units": [8, 6]}},
                  {**common, "model_structure": "stacked_parallel", "stacked_dnn_hidden_units": [8, 6],
                   "parallel_dnn_hidden_units": [5], "dnn_activations": "Dice", "net_dropout": 0.1},
                  max_events=EVENTS, gain=1.0)


def attended():
    def variant(name, own, target, sequence, unit, deep, task="binary", **arguments):
        """target, sequence: as the library takes them; a list of several is as many attentions."""
        units = [{"query": list(query) if isinstance(query, tuple) else [query],
                  "key": list(key) if isinstance(key, tuple) else [key], **unit}
                 for query, key in zip(target, sequence)]
        attention = units[0] if len(units) == 1 else [{"name": f"unit {i}", **one} for i, one in enumerate(units)]
        library = {"dice": "Dice", "relu": "ReLU", "prelu": "PReLU", "sigmoid": "Sigmoid"}
        return Variant("din", name, "DIN", own, {"deep": {"features": names(own), **deep}, "attention": attention},
                       {"din_target_field": target, "din_sequence_field": sequence,
                        "attention_hidden_units": unit["hidden_units"],
                        "attention_hidden_activations": library[unit["activation"]],
                        "din_use_softmax": unit["softmax"], "dnn_hidden_units": deep["hidden_units"],
                        "dnn_activations": library[deep["activation"]],
                        "batch_norm": deep.get("batch_normalization", False), **arguments},
                       task, max_events=EVENTS)

    both, keys = ["item_id", "category"], ["click_items", "click_categories"]
    relu = {"hidden_units": [8, 6], "activation": "relu"}
    own = pairs(padded)
    yield variant("fuxictr_dice", own, [tuple(both)], [tuple(keys)],
                  {"hidden_units": [6], "activation": "dice", "softmax": False}, relu)
    yield variant("fuxictr_softmax_batch_norm", own, [tuple(both)], [tuple(keys)],
                  {"hidden_units": [6, 5], "activation": "relu", "softmax": True},
                  {"hidden_units": [8, 6], "activation": "prelu", "batch_normalization": True},
                  attention_dropout=0.1, net_dropout=0.2)
    one = [Sparse("user_id", "context", 20, WIDTH), padded("click_items", 30, "click_items"),
           Sparse("item_id", "candidate", 30, WIDTH, table="click_items"), Dense("picture", "candidate", 3)]
    for softmax in (False, True):
        yield variant("fuxictr_one_sequence" + "_softmax" * softmax, one, ["item_id"], ["click_items"],
                      {"hidden_units": [6], "activation": "sigmoid", "softmax": softmax},
                      {"hidden_units": [7], "activation": "dice"})
    for softmax in (False, True):
        yield variant("fuxictr_two_attentions" + "_softmax" * softmax, own, both, keys,
                      {"hidden_units": [5], "activation": "prelu", "softmax": softmax}, relu)
    more = pairs(padded, [padded("bought_items", 30, "item_id")])
    yield variant("fuxictr_item_twice", more, [tuple(both), "item_id"], [tuple(keys), "bought_items"],
                  {"hidden_units": [5], "activation": "dice", "softmax": True}, relu, "regression")


def evolving():
    both, keys = ["item_id", "category"], ["click_items", "click_categories"]
    own = pairs(unpadded)
    deep = {"features": [name for name in names(own) if name not in keys], "hidden_units": [8, 6]}

    def variant(name, attention, cell, evolution=None, batch_norm=True, **arguments):
        negatives = arguments.pop("negatives", [])
        forms = {"unit": "din_attention", "bilinear": "bilinear_attention", "dot": "dot_attention",
                 "none": "bilinear_attention"}
        return Variant("dien", name, "DIEN", own,
                       {"deep": {**deep, "batch_normalization": batch_norm},
                        "attention": {"query": both, "key": keys, **attention},
                        "evolution": {"cell": cell, **(evolution or {})}},
                       {"dien_target_field": [tuple(both)], "dien_sequence_field": [tuple(keys)],
                        "dien_neg_seq_field": [tuple(NEGATIVE + key for key in negatives)] if negatives else [],
                        "gru_type": cell, "attention_type": forms[attention.get("form", "unit")],
                        "use_attention_softmax": attention.get("softmax", True), "dnn_hidden_units": [8, 6],
                        "batch_norm": batch_norm, **arguments}, max_events=EVENTS, negatives=negatives,
                       # Without a softmax, states grow.
                       gain=1.4 if attention.get("softmax", True) else 1.15)

    bilinear, dot = {"form": "bilinear", "softmax": True}, {"form": "dot", "softmax": True}
    unit = {"hidden_units": [6, 5], "activation": "dice", "softmax": True}
    yield variant("fuxictr_augru_bilinear", bilinear, "AUGRU")
    yield variant("fuxictr_augru_bilinear_no_softmax", {**bilinear, "softmax": False}, "AUGRU", batch_norm=False)
    yield variant("fuxictr_agru_dot", dot, "AGRU", net_dropout=0.1)
    yield variant("fuxictr_augru_unit_sum_pooling", unit, "AUGRU", {"sum_pooling": True}, enable_sum_pooling=True,
                  attention_hidden_units=[6, 5], attention_activation="Dice", attention_dropout=0.1)
    yield variant("fuxictr_gru", {"form": "none"}, "GRU")
    yield variant("fuxictr_gru_sum_pooling", {"form": "none"}, "GRU", {"sum_pooling": True}, batch_norm=False,
                  enable_sum_pooling=True)
    yield variant("fuxictr_agru_sum_pooling", bilinear, "AGRU", {"sum_pooling": True}, enable_sum_pooling=True)
    yield variant("fuxictr_augru_negative_sampling", bilinear, "AUGRU", {"negative_sampling": True}, negatives=keys,
                  aux_loss_alpha=0.5, aux_hidden_units=[5])


SEQUENCES = {"clicks": EVENTS, "purchases": 4}


def several(padding):
    """Clicks and purchases, of which there are fewer and other numbers."""
    def event(name, size, table, sequence):
        return Events(name, size, table, padding=padding, sequence=sequence, events=SEQUENCES[sequence])
    return [Sparse("user_id", "context", 20, WIDTH), Sparse("item_id", "candidate", 30, WIDTH),
            event("bought_items", 30, "item_id", "purchases"), event("click_items", 30, "item_id", "clicks"),
            Sparse("category", "candidate", 8, WIDTH), event("click_categories", 8, "category", "clicks"),
            Dense("age", "context"), Sequence("tags", "candidate", 9, WIDTH)]


def several_sequences():
    targets = [("item_id", "category"), "item_id"]
    sequences = [("click_items", "click_categories"), "bought_items"]
    compared = [{"query": ["item_id", "category"], "key": ["click_items", "click_categories"]},
                {"query": ["item_id"], "key": ["bought_items"]}]

    def units(form):
        return [{"name": f"unit {i}", **own, **form} for i, own in enumerate(compared)]

    own = several(0.25)
    for softmax in (False, True):
        unit = {"hidden_units": [5], "activation": "dice", "softmax": softmax}
        yield Variant("din", "fuxictr_two_sequences" + "_softmax" * softmax, "DIN", own,
                      {"deep": {"features": names(own), "hidden_units": [8, 6], "activation": "relu"}, "attention": units(unit)},
                      {"din_target_field": targets, "din_sequence_field": sequences, "attention_hidden_units": [5],
                       "attention_hidden_activations": "Dice", "din_use_softmax": softmax, "dnn_hidden_units": [8, 6],
                       "dnn_activations": "ReLU", "batch_norm": False}, sequences=SEQUENCES)
    own = several(0.0)  # Padded at the end alone: the library packs what DIEN reads.
    keys = sum((unit["key"] for unit in compared), [])
    deep = {"features": [name for name in names(own) if name not in keys], "hidden_units": [8, 6]}
    unit = {"form": "unit", "hidden_units": [6, 5], "activation": "dice", "softmax": True}
    for name, form, cell, sums in (("bilinear", {"form": "bilinear", "softmax": True}, "AUGRU", False),
                                   ("dot_sum_pooling", {"form": "dot", "softmax": True}, "AGRU", True),
                                   ("unit_sum_pooling", unit, "AUGRU", True), ("gru", {"form": "none"}, "GRU", False)):
        library = {"bilinear": "bilinear_attention", "dot": "dot_attention", "unit": "din_attention", "none": "dot_attention"}
        yield Variant("dien", f"fuxictr_two_sequences_{name}", "DIEN", own,
                      {"deep": {**deep, "batch_normalization": True}, "attention": units(form),
                       "evolution": {"cell": cell, **({"sum_pooling": True} if sums else {})}},
                      {"dien_target_field": targets, "dien_sequence_field": sequences, "dien_neg_seq_field": [],
                       "gru_type": cell, "attention_type": library[form["form"]], "use_attention_softmax": True,
                       "attention_hidden_units": [6, 5], "attention_activation": "Dice", "enable_sum_pooling": sums,
                       "dnn_hidden_units": [8, 6], "batch_norm": True}, sequences=SEQUENCES)


def all_variants():
    yield from linear_and_pairs()
    yield from networks()
    yield from cross()
    yield from attended()
    yield from evolving()
    yield from several_sequences()  # New ones last: a variant's numbers depend on its place.

"""Columns of the golden models: how each looks in a spec, to the trainer, and in a request.

A column draws random values. A value has two faces: what a request says, and the numbers that the trainer's
input matrix gets. They differ where Handpick does work that the trainer leaves to its user: vocabularies,
numeric transforms, padding, crossed ids.

`name` is a column's name in spec and requests, where two sides may have the same; `key` is its name to the trainer.
"""

import math
import struct

import numpy as np

MISSING = object()  # The request leaves the feature out.


class Column:
    """What all columns have."""

    name = side = None
    in_spec = True  # False: the trainer's business alone.

    @property
    def key(self):
        return self.name


class Sparse(Column):
    """SparseFeat: one id a row."""

    def __init__(self, name, side, size, dimension=4, table=None, vocabulary=None, default=None, group=None):
        self.name, self.side, self.size, self.dimension = name, side, size, dimension
        self.table, self.group = table or name, group
        self.vocabulary = vocabulary or {"kind": "identity", "size": size}
        self.default = default

    def spec(self):
        feature = {"name": self.name, "side": self.side, "type": "categorical",
                   "vocabulary": self.vocabulary,
                   "embedding": {"table": self.table, "dimension": self.dimension}}
        if self.default is not None:
            feature["default"] = self.default
        return feature

    def draw(self, rng, row, training):
        del row
        if self.default is not None and not training and rng.random() < 0.3:
            return MISSING, row_of(self.vocabulary, self.default)
        if not training and rng.random() < 0.15:
            raw = raw_id(self.vocabulary, rng.choice([0, self.size - 1]), rng)
        else:
            raw = raw_id(self.vocabulary, rng.integers(self.size), rng)
        return raw, row_of(self.vocabulary, raw)


class Length(Column):
    """The column that a VarLenSparseFeat's length_name names."""

    def __init__(self, name, side, most):
        self.name, self.side, self.most = name, side, most

    def spec(self):
        return {"name": self.name, "side": self.side, "type": "length"}

    def draw(self, rng, row, training):
        del row
        if training:
            length = int(rng.integers(1, self.most + 1))
        else:  # 0, and more than there are positions, happen too.
            length = int(rng.choice([0, self.most, self.most + 3, rng.integers(self.most + 1)]))
        return length, length


class Sequence(Column):
    """VarLenSparseFeat: up to `maxlen` ids a row, pooled."""

    def __init__(self, name, side, size, dimension=4, maxlen=5, combiner="mean", length=None, table=None,
                 vocabulary=None, share_empty=0.15, never_empty=False):
        self.name, self.side, self.size, self.dimension = name, side, size, dimension
        self.maxlen, self.combiner, self.length = maxlen, combiner, length
        self.table = table or name
        self.vocabulary = vocabulary or {"kind": "identity", "size": size}
        self.share_empty, self.never_empty = share_empty, never_empty

    def spec(self):
        feature = {"name": self.name, "side": self.side, "type": "multi_categorical",
                   "max_values": self.maxlen, "vocabulary": self.vocabulary,
                   "embedding": {"table": self.table, "dimension": self.dimension},
                   "combiner": self.combiner}
        if self.length:
            feature["length"] = self.length
        return feature

    def draw(self, rng, row, training):
        exact = self.length and row.get("__exact_lengths__", False)
        if exact:  # The request will leave the length out: as many ids as it says.
            count = row[self.length]
        elif training:
            # At least one id that counts: an empty maximum is -1e9, which no batch normalisation survives.
            count = int(rng.integers(1, self.maxlen + 1))
        elif self.never_empty:
            count = int(rng.integers(2, self.maxlen + 1))
        else:
            count = 0 if rng.random() < self.share_empty else int(rng.integers(1, self.maxlen + 1))
        rows = rng.integers(1, self.size, count)
        if not training and count and rng.random() < 0.4:
            rows[rng.integers(count)] = 0  # Anywhere: in front, in the middle, at the end.
        raw = [raw_id(self.vocabulary, r, rng) for r in rows]
        padded = [row_of(self.vocabulary, value) for value in raw] + [0] * (self.maxlen - count)
        return raw, padded


class Dense(Column):
    """DenseFeat: `dimension` numbers a row."""

    def __init__(self, name, side, dimension=1, transform=None, default=None):
        self.name, self.side, self.dimension = name, side, dimension
        self.transform, self.default = transform or [], default

    def spec(self):
        feature = {"name": self.name, "side": self.side, "type": "numeric", "dimension": self.dimension}
        if self.transform:
            feature["transform"] = self.transform
        if self.default is not None:
            feature["default"] = self.default
        return feature

    def draw(self, rng, row, training):
        del row
        if self.transform:
            raw = [round(float(x), 2) for x in rng.gamma(1.0, 20.0, self.dimension)]
        else:
            raw = [round(float(x), 3) for x in rng.normal(0, 1, self.dimension)]
        if not training and rng.random() < 0.2:
            raw[0] = float(rng.choice([0, 3, -0.5]))
        if self.default is not None and not training and rng.random() < 0.3:
            numbers = [self.default] * self.dimension
            return MISSING, [transformed(self.transform, x) for x in numbers]
        seen = [transformed(self.transform, x) for x in raw]
        return (raw if self.dimension > 1 else raw[0]), (seen if self.dimension > 1 else seen[0])


class Crossed(Column):
    """The combinations of the rows of two columns, first operand slowest.

    The trainer gets ids that its user has combined: for two single ids a SparseFeat; otherwise a
    VarLenSparseFeat of the combinations that count, with their number as its length.
    """

    side = None

    def __init__(self, name, operands, dimension=4, combiner="sum"):
        self.name, self.operands, self.dimension, self.combiner = name, operands, dimension, combiner
        self.table = name
        self.size = operands[0].size * operands[1].size
        self.is_sequence = any(isinstance(o, Sequence) for o in operands)
        self.maxlen = math.prod(getattr(o, "maxlen", 1) for o in operands)
        self.length = name + "_count" if self.is_sequence else None

    def spec(self):
        feature = {"name": self.name, "type": "crossed", "of": [o.name for o in self.operands],
                   "embedding": {"table": self.table, "dimension": self.dimension}}
        if self.is_sequence:
            feature["combiner"] = self.combiner
        return feature

    def draw(self, rng, row, training):
        del rng, training
        counted = []
        for operand in self.operands:
            rows = row[operand.name]
            # A position of a multi-valued operand without a length counts unless it is row 0.
            counted.append([r for r in rows if r != 0] if isinstance(operand, Sequence) else [rows])
        ids = [a * self.operands[1].size + b for a in counted[0] for b in counted[1]]
        if not self.is_sequence:
            return MISSING, ids[0]
        row[self.length] = len(ids)
        return MISSING, ids + [0] * (self.maxlen - len(ids))


class History(Column):
    """One categorical feature of the events; the trainer sees a VarLenSparseFeat with a length.

    All features of the history share the number of events, which is `event_count` to the trainer. Those that are pooled
    name a combiner; those that a model attends to do not.
    """

    side = "history"
    length = "event_count"

    def __init__(self, name, size, dimension, maxlen, combiner=None, table=None, key=None, first=1, group=None):
        """first: the smallest id that is drawn; 0 is an id like any other, and what the trainer's padding is."""
        self.name, self.size, self.dimension, self.maxlen, self.combiner = name, size, dimension, maxlen, combiner
        self.table, self.group = table or name, group
        self._key, self._first = key or name, first

    @property
    def key(self):
        return self._key

    def spec(self):
        feature = {"name": self.name, "side": "history", "type": "categorical",
                   "vocabulary": {"kind": "identity", "size": self.size},
                   "embedding": {"table": self.table, "dimension": self.dimension}}
        if self.combiner:
            feature["combiner"] = self.combiner
            feature["padding_row"] = None  # There is a length, so that row 0 counts as well.
        return feature

    def draw(self, rng, row, training):
        if self.length not in row:
            row[self.length] = int(rng.integers(1 if training else 0, self.maxlen + 1))
        rows = [int(r) for r in rng.integers(self._first, self.size, row[self.length])]
        return rows, rows + [0] * (self.maxlen - len(rows))


class NegativeHistory(Column):
    """Events that did not happen: what the trainer's auxiliary loss compares with. Predictions do not see them."""

    in_spec = False

    def __init__(self, history):
        self.name = "neg_" + history.key
        self.size, self.dimension, self.maxlen, self.table = (history.size, history.dimension, history.maxlen,
                                                              history.table)
        self.combiner, self.length, self.group = None, History.length, history.group

    def draw(self, rng, row, training):
        del training
        count = row[self.length]
        return MISSING, [int(r) for r in rng.integers(0, self.size, count)] + [0] * (self.maxlen - count)


# ---- Vocabularies and transforms ------------------------------------------------------------------


def raw_id(vocabulary, row, rng):
    """An id of a request that means `row`; None stands for one that the vocabulary does not hold."""
    row = int(row)
    kind = vocabulary["kind"]
    if kind == "identity":
        return row
    if kind == "hash":  # Any id will do; seed 0 goes with strings and the others with integers.
        if vocabulary["seed"] == 0:
            return "" if row == 0 else f"key {rng.integers(1000)} \u00e9"
        return int(rng.integers(-2**40, 2**40))
    first = vocabulary.get("first_row", 0)
    values = vocabulary["values"]
    if first <= row < first + len(values):
        return values[row - first]
    return "unheard of" if isinstance(values[0], str) else 987654321  # Out of the vocabulary.


def row_of(vocabulary, raw):
    """The row that an id resolves into."""
    kind = vocabulary["kind"]
    if kind == "identity":
        return raw
    if kind == "hash":
        import xxhash  # pylint: disable=import-outside-toplevel
        content = raw.encode() if isinstance(raw, str) else struct.pack("<q", raw)
        hashed = xxhash.xxh64_intdigest(content, vocabulary.get("seed", 0))
        return vocabulary.get("first_row", 0) + hashed % vocabulary["buckets"]
    if raw in vocabulary["values"]:
        return vocabulary.get("first_row", 0) + vocabulary["values"].index(raw)
    return vocabulary["out_of_vocabulary_row"]


def transformed(steps, x):
    """A number after the steps of a spec's `transform`, in double precision."""
    for step in steps:
        if step["kind"] == "clip":
            x = min(max(x, step["min"]), step["max"])
        elif step["kind"] == "log1p":
            x = math.log1p(x)
        elif step["kind"] == "affine":
            x = (x - step["subtract"]) * step["multiply"]
        else:
            raise ValueError(f"unknown transform {step['kind']}")
    return x


def random_rows(columns, count, rng, training, given_context=None, exact_lengths=False):
    """Draws rows of all columns.

    Args:
        columns: in an order in which lengths come before their sequences and operands before crosses.
        given_context: (raw, seen) of columns, by their keys, that are the same in all rows.
    Returns:
        raw: list of key -> value of a request; seen: list of key -> numbers of the trainer.
    """
    raws, seens = [], []
    for _ in range(count):
        raw, seen = {}, {}
        if given_context:
            raw.update(given_context[0])
            seen.update(given_context[1])
        if exact_lengths:
            seen["__exact_lengths__"] = True
        for column in columns:
            if column.key in raw:
                continue
            value, numbers = column.draw(rng, seen, training)
            if exact_lengths and isinstance(column, Length):
                numbers = min(numbers, column.most)
                value = MISSING
            raw[column.key], seen[column.key] = value, numbers
        seen.pop("__exact_lengths__", None)
        raws.append(raw)
        seens.append(seen)
    return raws, seens


def to_matrix_columns(seens):
    """Rows -> key -> array, as the library takes them."""
    return {name: np.array([row[name] for row in seens], dtype=np.float32) for name in seens[0]}

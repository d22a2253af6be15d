"""What a trainer's model reads -> features of a spec, and rows of it -> requests."""

import dataclasses
import typing

import numpy as np

from . import rows as rows_of
from .command import Error

ID, IDS, NUMBERS = "one id", "several ids", "numbers"


@dataclasses.dataclass(frozen=True)
class Column:
    """One of a model's inputs."""

    name: str
    kind: str  # ID, IDS, NUMBERS.
    width: int = 1  # How many ids or numbers a row has.
    table: typing.Optional[str] = None  # Of ids: the name of their embeddings.
    combiner: typing.Optional[str] = None  # Of several ids.
    length: typing.Optional[str] = None  # The input that says how many of them count.
    group: typing.Optional[str] = None  # Of DeepCTR's group_name.

    def same(self, other):
        """Whether both read the same numbers from the same table; combiners may differ."""
        return dataclasses.replace(self, combiner=None, group=None) == dataclasses.replace(other, combiner=None, group=None)


def of_deepctr(column):
    """A feature column of DeepCTR or DeepCTR-Torch, whose columns have the same attributes."""
    kind = type(column).__name__
    if kind == "SparseFeat":
        return Column(column.name, ID, 1, column.embedding_name, group=column.group_name)
    if kind == "VarLenSparseFeat":
        return Column(column.name, IDS, column.maxlen, column.embedding_name, column.combiner, column.length_name,
                      column.group_name)
    if kind == "DenseFeat":
        return Column(column.name, NUMBERS, column.dimension)
    raise Error(f"feature columns: {column!r} is no SparseFeat, VarLenSparseFeat or DenseFeat")


def in_groups(columns):
    """The order in which DeepCTR joins embeddings: by group_name, groups by their first column."""
    groups = {}
    for column in columns:
        groups.setdefault(column.group, []).append(column)
    return [column for group in groups.values() for column in group]


def ids_in_groups(columns):
    """Single ids come out group by group; the rest in the order of the columns."""
    regrouped = iter(in_groups([c for c in columns if c.kind == ID]))
    return [next(regrouped) if c.kind == ID else c for c in columns]


@dataclasses.dataclass
class Roles:
    """What columns do not tell: which describe the candidate, and which are the user's events."""

    candidate: set
    history: dict = dataclasses.field(default_factory=dict)  # Column -> its name in requests.
    attended: set = dataclasses.field(default_factory=set)  # Of the history, those that no pooling makes one of.
    sequences: dict = dataclasses.field(default_factory=dict)  # Column -> the name of its sequence; none: all are of one.
    # Where a model attends to events, what says which positions of a row are some: an input that counts them,
    events: typing.Optional[str] = None
    # or {column: ids of the row} -> positions.
    positions: typing.Optional[typing.Callable] = None


class Features:
    """The features of a spec that columns make."""

    def __init__(self, columns, roles, table):
        """columns: in the order that the spec gets, a name any number of times. table: its name -> its shape."""
        self.roles = roles
        self._columns = {}
        for column in columns:
            known = self._columns.setdefault(column.name, column)
            if not known.same(column):
                raise Error(f"feature columns: '{column.name}' is two: {known} and {column}")
        self._check_roles()
        self._table = table
        # By length: the sides that need it as a feature.
        self._lengths = {}
        for column in self._columns.values():
            if column.kind == IDS and column.name not in roles.history and column.length is not None:
                sides = self._lengths.setdefault(column.length, [])
                if self.side(column) not in sides:
                    sides.append(self.side(column))

    def _check_roles(self):
        names = ", ".join(self._columns)
        for name in sorted(self.roles.candidate):
            if name not in self._columns:
                raise Error(f"candidate: there is no column '{name}'; the model has {names}")
        for name in self.roles.history:
            if name not in self._columns:
                raise Error(f"history: there is no column '{name}'; the model has {names}")
            if self._columns[name].kind != IDS:
                raise Error(f"history: '{name}' has {self._columns[name].kind} a row, and no sequence of events")
            if name in self.roles.candidate:
                raise Error(f"'{name}' can be of the candidate or of the history, not both")
            if self.roles.sequences and name not in self.roles.sequences:
                raise Error(f"history: say which sequence '{name}' is of; there are "
                            + ", ".join(dict.fromkeys(self.roles.sequences.values())))
        if not any(name in self.roles.candidate for name in self._columns):
            raise Error("candidate: say which columns describe the item, candidate=[...]; the others are of the user. "
                        f"The model has {names}")

    def side(self, column):
        if column.name in self.roles.history:
            return "history"
        return "candidate" if column.name in self.roles.candidate else "context"

    def name(self, column):
        """In requests."""
        return self.roles.history.get(column.name, column.name)

    def reference(self, column):
        """In a spec's parts: with its side where two sides have the name."""
        name = self.name(column)
        alike = [c for c in self._columns.values() if self.name(c) == name]
        return name if len(alike) == 1 else f"{self.side(column)}.{name}"

    def references(self, columns):
        return [self.reference(column) for column in columns]

    def uses(self, columns):
        """References, with a combiner where it is not the feature's own."""
        used = []
        for column in columns:
            reference = self.reference(column)
            own = self._columns[column.name].combiner
            used.append(reference if column.combiner == own else {"feature": reference, "combiner": column.combiner})
        return used

    def history_columns(self):
        return [c for c in self._columns.values() if c.name in self.roles.history]

    def _pooled_history(self):
        return [c for c in self.history_columns() if c.name not in self.roles.attended]

    def _sequence(self, column):
        return self.roles.sequences.get(column.name)

    def sequences(self):
        """Name -> columns; of a history that is one, the name is None."""
        found = {}
        for column in self.history_columns():
            found.setdefault(self._sequence(column), []).append(column)
        return found

    def history_spec(self, max_events):
        """What the spec says of the history.

        Args:
            max_events: how many events an app keeps, of all sequences or by their names; None: what columns have room for.
        """
        found = self.sequences()
        if isinstance(max_events, dict):
            for name in max_events:
                if name not in found:
                    raise Error(f"max_events: there is no sequence '{name}'; there are {', '.join(map(str, found))}")
        most = {name: (max_events.get(name) if isinstance(max_events, dict) else max_events) or self.most_events(name)
                for name in found}
        if None in most:
            return {"history": {"max_events": most[None]}}
        return {"sequences": [{"name": name, "max_events": own} for name, own in most.items()]} if most else {}

    def spec(self):
        """The spec's `features`."""
        features = []
        for length, sides in self._lengths.items():
            features += [{"name": length, "side": side, "type": "length"} for side in sides]
        return features + [self._feature(column) for column in self._columns.values()]

    def _feature(self, column):
        head = {"name": self.name(column), "side": self.side(column)}
        if column.kind == NUMBERS:
            return {**head, "type": "numeric", "dimension": int(column.width)}
        size, dimension = self._table(column.table)
        embedding = {"table": column.table}
        if dimension is not None:
            embedding["dimension"] = int(dimension)
        many = column.kind == IDS and column.name not in self.roles.history
        feature = {**head, "type": "multi_categorical" if many else "categorical",
                   "vocabulary": {"kind": "identity", "size": int(size)}, "embedding": embedding}
        if column.kind == IDS and column.name not in self.roles.attended:
            feature["combiner"] = column.combiner
        if many:
            feature["max_values"] = int(column.width)
            if column.length is not None:
                feature["length"] = column.length
        elif column.name not in self.roles.attended and column.length is not None:
            feature["padding_row"] = None  # Row 0 counts as well.
        if column.name in self.roles.sequences:
            feature["sequence"] = self.roles.sequences[column.name]
        return feature

    def most_events(self, sequence=None):
        """How many the columns of a sequence have room for."""
        columns = self.sequences().get(sequence, [])
        most = {c.width for c in columns}
        if len(most) > 1:
            raise Error("history: its columns must have one length, or be of several sequences (history={...}); they have " +
                        ", ".join(f"'{c.name}' {c.width}" for c in columns))
        return most.pop() if most else 0

    # ---- Requests -----------------------------------------------------------------------------------

    def requests(self, rows):
        """Neighbouring rows of one user -> one request.

        Args:
            rows: name -> array, as rows.columns_of() gives it.
        Returns:
            (request without logits, its rows as a slice) of each.
        """
        read = {column.name: self._read(rows, column) for column in self._columns.values()}
        lengths = {length: rows_of.ids(rows, length, 1)[:, 0] for length in self._length_names()}
        total = rows_of.count(rows)
        shared = [read[c.name] for c in self._columns.values() if self.side(c) != "candidate"]
        shared += [own[:, None] for length, own in lengths.items() if self._lengths.get(length) != ["candidate"]]
        differs = np.zeros(total - 1, bool)
        for array in shared:
            differs |= (array[1:] != array[:-1]).any(axis=1)
        # A row whose user is another than that of the row before begins a request.
        starts = [0] + [int(row) + 1 for row in np.flatnonzero(differs)]
        return [(self._request(read, lengths, first, end), slice(first, end))
                for first, end in zip(starts, starts[1:] + [total])]

    def _length_names(self):
        names = [*self._lengths, *(c.length for c in self._pooled_history() if c.length is not None)]
        return list(dict.fromkeys(names + ([self.roles.events] if self.roles.events is not None else [])))

    @staticmethod
    def _read(rows, column):
        read = rows_of.numbers if column.kind == NUMBERS else rows_of.ids
        return read(rows, column.name, column.width)

    def _request(self, read, lengths, first, end):
        request = {"context": {}, "history": {}, "candidates": {}}
        if not self.roles.history:
            del request["history"]
        events = {name: self._events(read, lengths, first, name, columns) for name, columns in self.sequences().items()}
        for length, sides in self._lengths.items():
            if "context" in sides:
                request["context"][length] = int(lengths[length][first])
            if "candidate" in sides:
                request["candidates"][length] = [int(n) for n in lengths[length][first:end]]
        for column in self._columns.values():
            side, name = self.side(column), self.name(column)
            if side == "history":
                request["history"][name] = [int(i) for i in read[column.name][first, events[self._sequence(column)]]]
            elif side == "context":
                request["context"][name] = self._value(column, read, lengths, first)
            else:
                request["candidates"][name] = [self._value(column, read, lengths, row) for row in range(first, end)]
        return request

    @staticmethod
    def _value(column, read, lengths, row):
        own = read[column.name][row]
        if column.kind == NUMBERS:
            values = [rows_of.number(x) for x in own]
            return values if column.width > 1 else values[0]
        if column.kind == ID:
            return int(own[0])
        # What follows counts for nothing: row 0, or beyond the length.
        kept = _filled(own) if column.length is None else min(int(lengths[column.length][row]), len(own))
        return [int(i) for i in own[:kept]]

    def _events(self, read, lengths, row, sequence, columns):
        """The positions of a sequence's columns that are events."""
        if self.roles.positions is not None:
            return self.roles.positions({c.name: read[c.name][row] for c in columns})
        most = self.most_events(sequence)
        pooled = [c for c in columns if c.name not in self.roles.attended]
        counts = {c.length: int(lengths[c.length][row]) for c in pooled if c.length is not None}
        if self.roles.events is not None and len(pooled) < len(columns):
            # Beyond the last position the trainer sees nothing.
            counts[self.roles.events] = min(int(lengths[self.roles.events][row]), most)
        whose = f"row {row}" if sequence is None else f"'{sequence}': row {row}"
        if len(set(counts.values())) > 1:
            raise Error(f"history: {whose} has different numbers of events: " +
                        ", ".join(f"{name} {own}" for name, own in counts.items()))
        padded = {c.name: _filled(read[c.name][row]) for c in pooled if c.length is None}
        events = next(iter(counts.values())) if counts else max(padded.values())
        if events > most:
            raise Error(f"history: {whose} has {events} events, and its columns room for {most}")
        for name, own in padded.items():
            if own > events:
                raise Error(f"history: '{name}' has {own} events in row {row}, where others have {events}")
        return list(range(events))


def _filled(own):
    """Up to the last id that is not 0."""
    used = np.flatnonzero(own)
    return int(used[-1]) + 1 if len(used) else 0

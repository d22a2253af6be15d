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
    # Where a model attends to events, what says which positions of a row are some: an input that counts them,
    events: typing.Optional[str] = None
    # or {column: ids of the row}, of one sequence -> positions.
    positions: typing.Optional[typing.Callable] = None
    # Which columns of the history are of the same events: by the caller, a sequence's name -> columns,
    sequences: dict = dataclasses.field(default_factory=dict)
    # and by the model, lists of columns.
    together: list = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Sequence:
    """Columns of the history that have an id of each of the same events."""

    name: str
    columns: list
    is_attended: bool  # The model attends to some of them.

    def most_events(self):
        """How many the columns have room for."""
        if len({c.width for c in self.columns}) > 1:
            raise Error(f"history: columns of the same events must have one length; those of '{self.name}' have " +
                        ", ".join(f"'{c.name}' {c.width}" for c in self.columns))
        return int(self.columns[0].width)


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
        self.sequences = self._sequences()
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
        if not any(name in self.roles.candidate for name in self._columns):
            raise Error("candidate: say which columns describe the item, candidate=[...]; the others are of the user. "
                        f"The model has {names}")

    # ---- Sequences of events ----

    def _sequences(self):
        """Columns that the caller says to be of the same events; that the model attends to together; and of the others
        those that one input counts."""
        history = {c.name: c for c in self.history_columns()}
        placed, sequences = set(), []

        def add(name, names):
            own = [history[n] for n in history if n in names]
            placed.update(names)
            sequences.append(Sequence(name or self.name(own[0]), own, any(n in self.roles.attended for n in names)))

        for name, names in self.roles.sequences.items():
            for column in names:
                if column not in history:
                    raise Error(f"sequences: there is no column '{column}' of the history for '{name}'; it has "
                                f"{', '.join(history) or 'none'}")
                if column in placed:
                    raise Error(f"sequences: '{column}' is in '{name}' and in another one")
            add(name, set(names))
        for names in _joined([set(own) for own in self.roles.together]):
            if names - placed:
                add(None, names - placed)
        for column in history.values():
            if column.name not in placed:
                alike = [s for s in sequences if self._counts_alike(s, column)]
                pooled = [s for s in alike if not s.is_attended]
                if not pooled and len(alike) != 1:  # None, or any of several that the model attends to.
                    add(None, {column.name})
                else:
                    (pooled or alike)[0].columns.append(column)
        return sequences

    def _counts_alike(self, sequence, column):
        """Whether a column that is pooled may be of the sequence's events."""
        if sequence.name in self.roles.sequences or sequence.columns[0].width != column.width:
            return False
        counters = {c.length for c in sequence.columns} - {None}
        if sequence.is_attended and self.roles.events is not None:
            counters = {self.roles.events}
        # Without a length, ids that are not 0 count.
        return column.length is None or column.length in counters

    def histories(self, most):
        """The spec's `history` or `sequences`. most: events that an app keeps, of all or by sequence; None: all."""
        given = most if isinstance(most, dict) else {s.name: most for s in self.sequences if most}
        strange = set(given) - {s.name for s in self.sequences}
        if strange:
            raise Error(f"max_events: there is no sequence '{min(strange)}'; there are "
                        f"{', '.join(s.name for s in self.sequences) or 'none'}")
        most = [{"name": s.name, "max_events": given.get(s.name) or s.most_events()} for s in self.sequences]
        if len(most) < 2:
            return {"history": {"max_events": own["max_events"]} for own in most}
        return {"sequences": most}

    def _sequence_of(self, column):
        return next(s for s in self.sequences if column in s.columns)

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

    def _pooled(self, columns):
        return [c for c in columns if c.name not in self.roles.attended]

    def spec(self):
        """The spec's `features`."""
        features = []
        for length, sides in self._lengths.items():
            features += [{"name": length, "side": side, "type": "length"} for side in sides]
        return features + [self._feature(column) for column in self._columns.values()]

    def _feature(self, column):
        head = {"name": self.name(column), "side": self.side(column)}
        if len(self.sequences) > 1 and column.name in self.roles.history:
            head["sequence"] = self._sequence_of(column).name
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
        return feature

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
        names = [*self._lengths, *(c.length for c in self._pooled(self.history_columns()) if c.length is not None)]
        return list(dict.fromkeys(names + ([self.roles.events] if self.roles.events is not None else [])))

    @staticmethod
    def _read(rows, column):
        read = rows_of.numbers if column.kind == NUMBERS else rows_of.ids
        return read(rows, column.name, column.width)

    def _request(self, read, lengths, first, end):
        request = {"context": {}, "history": {}, "candidates": {}}
        if not self.roles.history:
            del request["history"]
        events = {c.name: own for s in self.sequences for own in [self._events(s, read, lengths, first)] for c in s.columns}
        for length, sides in self._lengths.items():
            if "context" in sides:
                request["context"][length] = int(lengths[length][first])
            if "candidate" in sides:
                request["candidates"][length] = [int(n) for n in lengths[length][first:end]]
        for column in self._columns.values():
            side, name = self.side(column), self.name(column)
            if side == "history":
                request["history"][name] = [int(i) for i in read[column.name][first, events[column.name]]]
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

    def _events(self, sequence, read, lengths, row):
        """The positions of a sequence that are events."""
        if self.roles.positions is not None and sequence.is_attended:
            return self.roles.positions({c.name: read[c.name][row] for c in sequence.columns})
        most = sequence.most_events()
        pooled = self._pooled(sequence.columns)
        counts = {c.length: int(lengths[c.length][row]) for c in pooled if c.length is not None}
        if self.roles.events is not None and sequence.is_attended:
            # Beyond the last position the trainer sees nothing.
            counts[self.roles.events] = min(int(lengths[self.roles.events][row]), most)
        if len(set(counts.values())) > 1:
            raise Error(f"history: row {row} has different numbers of events: " +
                        ", ".join(f"{name} {own}" for name, own in counts.items()) + _HINT)
        padded = {c.name: _filled(read[c.name][row]) for c in pooled if c.length is None}
        events = next(iter(counts.values())) if counts else max(padded.values())
        if events > most:
            raise Error(f"history: row {row} has {events} events, and its columns room for {most}")
        for name, own in padded.items():
            if own > events:
                raise Error(f"history: '{name}' has {own} events in row {row}, where others have {events}" + _HINT)
        return list(range(events))


_HINT = "; say which columns are of the same events: sequences={name: columns}"


def _joined(groups):
    """Sets, those that share something joined."""
    joined = []
    for group in groups:
        sharing = [own for own in joined if own & group]
        joined = [own for own in joined if not own & group] + [group.union(*sharing)]
    return joined


def _filled(own):
    """Up to the last id that is not 0."""
    used = np.flatnonzero(own)
    return int(used[-1]) + 1 if len(used) else 0

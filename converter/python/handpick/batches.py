"""NumPy arrays as columns of the C API. What has the right type already is not copied."""

import ctypes as c

import numpy as np

from . import c_api
from .command import Error


class Ragged:
    """Values of a feature of several ids: row i has values[splits[i]:splits[i + 1]]."""

    def __init__(self, values, splits):
        self.values = values
        self.splits = splits

    @classmethod
    def of(cls, rows):
        """From a list of lists."""
        splits = np.zeros(len(rows) + 1, np.uint32)
        np.cumsum([len(row) for row in rows], out=splits[1:])
        return cls([value for row in rows for value in row], splits)


def strings(values):
    """(array of hp_string, what it points into) of text."""
    encoded = [value if isinstance(value, bytes) else str(value).encode("utf-8") for value in values]
    joined = c.create_string_buffer(b"".join(encoded), sum(map(len, encoded)) + 1)
    table = np.zeros(len(encoded), np.dtype([("data", np.uintp), ("size", np.uintp)]))
    sizes = np.array([len(one) for one in encoded], np.uintp)
    table["size"] = sizes
    table["data"] = c.addressof(joined) + np.concatenate([np.zeros(1, np.uintp), np.cumsum(sizes, dtype=np.uintp)])[:-1]
    return table, joined


def is_text(values):
    if isinstance(values, np.ndarray):
        if values.dtype.kind != "O":
            return values.dtype.kind in "US"
        values = values.ravel()[:1]
    return len(values) > 0 and isinstance(values[0], (str, bytes))


def integers(what, values):
    array = np.asarray(values)
    if array.size == 0:
        array = array.astype(np.int64)
    if array.dtype.kind not in "iu" or (array.dtype.kind == "u" and array.size and array.max() > np.iinfo(np.int64).max):
        raise Error(f"{what}: ids are 64-bit integers or text, and these are {array.dtype}")
    return np.ascontiguousarray(array, np.int64)


class Batch:
    """A struct hp_batch and all that it points into.

    Args:
        features: name -> FeatureInfo of one side, each with its `number`.
        values: name -> values, one entry a row: a sequence of ids or text; numbers [rows] or [rows, dimension]; of a feature of
            several ids a Ragged, or a list of lists.
        one_row: the values are those of one row, and stand for themselves: 3.5, "Drama", [3, 5] of a feature of several ids.
        rows: how many, where there is no value.
    """

    def __init__(self, features, values, one_row=False, rows=0):
        self._kept = []
        counts = {}
        columns = []
        for name, given in values.items():
            feature = features.get(name)
            if feature is None:
                raise Error(f"no feature '{name}'; there are: {', '.join(sorted(features))}")
            column, count = self._column(feature, [given] if one_row else given)
            columns.append(column)
            counts[name] = count
        if len(set(counts.values())) > 1:
            raise Error("one entry a row, but " + ", ".join(f"'{name}' has {count}" for name, count in counts.items()))
        self.rows = next(iter(counts.values())) if counts else (1 if one_row else rows)
        self._columns = (c_api.Column * len(columns))(*columns)
        self.struct = c_api.fresh(c_api.Batch)
        self.struct.column_size = c.sizeof(c_api.Column)
        self.struct.columns = self._columns
        self.struct.column_count = len(columns)
        self.struct.row_count = self.rows

    def _keep(self, array):
        self._kept.append(array)
        return array.ctypes.data

    def _column(self, feature, values):
        column = c_api.Column(feature=feature.number)
        if feature.type == "numeric":
            numbers = np.ascontiguousarray(values, np.float32)
            count = len(numbers)
            if numbers.size != count * feature.dimension:
                raise Error(f"'{feature.name}': {feature.dimension} numbers a row, and the shape is {numbers.shape}")
            column.type, column.numbers = c_api.FLOAT32, self._keep(numbers)
            return column, count
        if feature.type == "multi_categorical":
            ragged = values if isinstance(values, Ragged) else Ragged.of(values)
            splits = np.ascontiguousarray(ragged.splits, np.uint32)
            if splits.ndim != 1 or not splits.size or splits[-1] != len(ragged.values):
                raise Error(f"'{feature.name}': splits end at the number of values, {len(ragged.values)}")
            column.row_splits = self._keep(splits)
            values, count = ragged.values, len(splits) - 1
        else:
            count = len(values)
        if is_text(values) or (count == 0 and not feature.value_types & c_api.INT64):
            table, joined = strings(values)
            self._kept.append(joined)
            column.type, column.strings = c_api.STRING, self._keep(table)
        else:
            column.type, column.integers = c_api.INT64, self._keep(integers(f"'{feature.name}'", values))
        return column, count

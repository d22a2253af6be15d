"""Rows, as a trainer reads them: a name -> a column of as many entries as there are rows."""

import numpy as np

from .command import Error


def columns_of(rows):
    """Any form of rows -> name -> array: a dict of columns, a DataFrame, or a list of dicts.

    Raises:
        Error: columns of different lengths, none, or of anything but numbers.
    """
    if isinstance(rows, (list, tuple)):
        names = list(rows[0]) if rows else []
        rows = {name: [row.get(name) for row in rows] for name in names}
    columns = {str(name): _array(str(name), rows[name]) for name in rows.keys()}
    counts = {len(column) for column in columns.values()}
    if len(counts) > 1:
        raise Error("rows: the columns have different numbers of rows: " +
                    ", ".join(f"'{name}' {len(column)}" for name, column in columns.items()))
    if not columns or counts == {0}:
        raise Error("rows: there is no row")
    return columns


def _array(name, values):
    try:
        array = values if isinstance(values, np.ndarray) and values.dtype != object else np.array(list(values))
    except ValueError as error:  # Of rows of different lengths.
        raise Error(f"rows: column '{name}': pad its rows to one length ({error})") from error
    if array.dtype.kind not in "biuf":
        raise Error(f"rows: column '{name}' has no numbers, but {array.dtype}: the trainer's own ids and numbers are needed")
    return array


def count(columns):
    return len(next(iter(columns.values())))


def matrix(columns, name, width):
    """A column as [rows, width]."""
    if name not in columns:
        raise Error(f"rows: there is no column '{name}'; there are {', '.join(sorted(columns))}")
    array = columns[name]
    if array.ndim == 1:
        array = array[:, None]
    if array.ndim != 2 or array.shape[1] != width:
        raise Error(f"rows: column '{name}' has the shape {columns[name].shape}; the model reads {width} numbers a row")
    return array


def ids(columns, name, width):
    """A column of ids as int64 [rows, width]."""
    array = matrix(columns, name, width)
    whole = array.astype(np.int64)
    if not np.array_equal(whole, array):
        row, position = np.argwhere(whole != array)[0]
        raise Error(f"rows: column '{name}': row {row} has {array[row, position]}, which is no id")
    return whole


def numbers(columns, name, width):
    """A column of numbers as float32 [rows, width], which is what a request's numbers are."""
    return matrix(columns, name, width).astype(np.float32)


def number(value):
    """The shortest digits that give a float32 back."""
    return float(str(np.float32(value)))

"""What is told of a model, whatever its library."""

import dataclasses
import typing

import numpy as np

from . import rows as rows_of


@dataclasses.dataclass
class Described:
    spec: dict
    tensors: dict  # Name -> NumPy array.
    # (rows, goldens) -> all requests, and what the model says of the first `goldens`: an array each, or one by output.
    ask: typing.Callable
    notes: list = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Options:
    """What no model tells. See export()."""

    name: typing.Optional[str] = None
    version: str = "1"
    candidate: tuple = ()
    history: dict = dataclasses.field(default_factory=dict)  # Column -> its name in requests.
    max_events: object = None
    rank_by: object = None
    sequences: dict = dataclasses.field(default_factory=dict)  # Name -> columns.


def from_rows(requests_of, logits_of):
    """`ask` of a model that reads rows.

    Args:
        requests_of: rows -> (request, its rows as a slice) of each.
        logits_of: rows -> array, or by output.
    """
    def ask(rows, goldens):
        rows = rows_of.columns_of(rows)
        requests = requests_of(rows)
        chosen = requests[:goldens]
        if not chosen:
            return [request for request, _ in requests], []
        asked = {name: column[:chosen[-1][1].stop] for name, column in rows.items()}
        said = logits_of(asked)
        answers = [{name: own[part] for name, own in said.items()} if isinstance(said, dict) else said[part]
                   for _, part in chosen]
        return [request for request, _ in requests], answers
    return ask


def golden(request, logits):
    """A request with what its model says."""
    if isinstance(logits, dict):
        return {**request, "outputs": {name: _numbers(own) for name, own in logits.items()}}
    return {**request, "logits": _numbers(logits)}


def _numbers(logits):
    return [rows_of.number(x) for x in np.reshape(logits, -1)]

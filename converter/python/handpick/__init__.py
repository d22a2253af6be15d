"""Handpick: from a trained recommender in memory to a bundle for the phone.

    files = handpick.export(model, None, rows, "exported", candidate=["movie_id", "genre"])
    handpick.convert(files.spec, files.weights, "ranker.hpk", golden=files.golden)
    handpick.rank("ranker.hpk", files.requests, top_k=10)

and the runtime that a phone has: `runtime`.
"""

from .batches import Ragged
from .command import Error, binary, convert, inspect, rank, score
from .export import Exported, export
from .runtime import Model, Overlay, Session, any_of, in_range, none_of
from .safetensors import write_safetensors

__all__ = [
    "Error", "Exported", "Model", "Overlay", "Ragged", "Session", "any_of", "binary", "convert", "export", "in_range", "inspect", "none_of",
    "rank", "score", "write_safetensors",
]

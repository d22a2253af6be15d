"""Handpick: from a trained recommender in memory to a bundle for the phone.

    files = handpick.export(model, None, rows, "exported", candidate=["movie_id", "genre"])
    handpick.convert(files.spec, files.weights, "ranker.hpk", golden=files.golden)
    handpick.rank("ranker.hpk", files.requests, top_k=10)
"""

from .command import Error, binary, convert, inspect, rank, score
from .export import Exported, export
from .safetensors import write_safetensors

__all__ = ["Error", "Exported", "binary", "convert", "export", "inspect", "rank", "score", "write_safetensors"]

"""The golden models of DeepCTR-Torch in tests/goldens, as a helper for their library meets them."""

import importlib.util
import os
import sys

import numpy as np

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..")
GOLDENS = os.path.join(ROOT, "tests", "goldens")
KINDS = ("wide_deep", "lr", "nfm", "deepfm", "fm", "pnn", "afm", "dcn", "mlr", "din", "dien", "shared_bottom", "mmoe", "esmm")

sys.path.insert(0, os.path.join(GOLDENS, "common"))

from columns import Crossed, Dense, History, Length, NegativeHistory, Sequence, Sparse, random_rows  # noqa: E402


def load(kind, name="variants"):
    """A module of a folder; several folders have one of the same name."""
    path = os.path.join(GOLDENS, kind, name + ".py")
    found = importlib.util.spec_from_file_location(f"{kind}_{name}", path)
    module = importlib.util.module_from_spec(found)
    sys.modules[found.name] = module  # Dataclasses look their module up.
    found.loader.exec_module(module)
    return module


def of_library(kind):
    """The variants of a kind that the library itself made."""
    return [variant for variant in load(kind).all_variants()
            if getattr(variant, "layout", "deepctr-torch") == "deepctr-torch" and not getattr(variant, "own", False) and
            roles(variant)["candidate"]]  # Nothing can be ranked by a model that reads no candidate.


def stem(kind, variant):
    return os.path.join(GOLDENS, kind, variant.name)


def is_plain(variant):
    """Whether the trainer saw the ids and numbers of the requests: no vocabularies, no transforms, no crosses."""
    return not any(isinstance(c, Crossed) or getattr(c, "vocabulary", {"kind": "identity"})["kind"] != "identity" or
                   getattr(c, "transform", None) or getattr(c, "default", None) is not None for c in variant.columns)


def roles(variant):
    """The arguments of export() that no model tells."""
    # Crossed columns have ids of the candidate in them, and lengths go with their sequences.
    candidate = [c.key for c in variant.columns if c.side == "candidate" and not isinstance(c, Length) or
                 isinstance(c, Crossed)]
    used = used_keys(variant)
    history = {c.key: c.name for c in variant.columns if isinstance(c, History) and c.key in used}
    return {"candidate": [key for key in candidate if key in used], "history": history,
            "max_events": variant.max_events or None, "name": variant.name, "rank_by": getattr(variant, "rank_by", None)}


def used_keys(variant):
    """Those of the columns that the library's model is built with and reads."""
    lists = [getattr(variant, name) for name in ("wide", "deep", "region", "bias") if hasattr(variant, name)]
    if not lists:
        ignored = Sequence if hasattr(variant, "cell") else ()  # DIEN reads no other sequences.
        return {c.key for c in variant.columns if not isinstance(c, (NegativeHistory, ignored))}
    return {entry[0] if isinstance(entry, tuple) else entry for entries in lists for entry in entries}


def rows(variant, rng, users=12, candidates=3):
    """What a library's model is asked: a few users, and candidates of each."""
    shared = [c for c in variant.columns if c.side in ("context", "history")]
    drawn = []
    for _ in range(users):
        raws, seens = random_rows(shared, 1, rng, False)
        drawn += random_rows(variant.columns, candidates, rng, False, (raws[0], seens[0]))[1]
    return {key: np.array([np.reshape(row[key], -1) for row in drawn], np.float32) for key in drawn[0]}


__all__ = ["Crossed", "Dense", "History", "KINDS", "Length", "NegativeHistory", "ROOT", "Sequence", "Sparse", "is_plain",
           "load", "of_library", "roles", "rows", "stem", "used_keys"]

"""From a live model to the files that `handpick convert` takes."""

import json
import os
import typing
import warnings

import numpy as np

from . import deepctr, deepctr_torch, fuxictr, mapping, torch_models
from .command import Error, plain
from .described import Options, golden
from .safetensors import write_safetensors


class Exported(typing.NamedTuple):
    """Paths of what export() wrote."""

    spec: str
    weights: str
    golden: typing.Optional[str]  # None: nothing could be asked.
    requests: str


def export(model, feature_columns, rows, directory, *, candidate=(), history=(), sequences=None, name=None, version="1",
           max_events=None, rank_by=None, goldens=64, spec=None, names=None, predict=None, ignore=()):
    """Writes spec.json, weights.safetensors, golden.jsonl and requests.jsonl from a model in memory.

    Args:
        model: a model of DeepCTR-Torch, FuxiCTR (PyTorch) or DeepCTR (TensorFlow); or, with `spec`, any torch.nn.Module.
        feature_columns: None, but for DeepCTR, whose models do not hold theirs: (linear, dnn), or one list alone.
        rows: what the model is asked, as its library takes it: a dict of columns, a DataFrame, or a list of dicts.
            Neighbouring rows that differ in columns of the candidate alone become one request. With `spec`: a list
            of requests.
        directory: a folder, which is made.
        candidate: names of the columns that describe the item; all others are of the user. Those that DIN and DIEN
            compare the history with are so anyway.
        history: names of sequences that are the user's events, one id an event; or name -> name in requests. Those
            that DIN and DIEN attend to are so anyway. In requests, a name is without "hist_". Other sequences stay
            features of several ids.
        sequences: of a user with several kinds of events, name -> its columns, which are of the history then. Default: of
            FuxiCTR's DIN and DIEN, columns that are attended to together; of others, those that one length counts.
        name, version: of the model, for the app's logs. Default: the class, "1".
        max_events: how many events an app keeps; of several sequences each, or by name. Default: as many as the columns
            have room for.
        rank_by: of a model with several outputs, as in a spec.
        goldens: how many requests, the first ones, are kept with what the model says of them.
        spec: the spec of a model of no such library: its kind, features and sections (schema/model_spec.schema.json).
        names: with `spec`: tensor of layout handpick -> name in the state_dict, as in a spec's `layout.names`.
        predict: with `spec`: request -> its candidates' logits, or these by output. Default: no goldens.
        ignore: with `spec`: how names begin of tensors that no prediction needs.
    Returns:
        The paths, as Exported.
    Raises:
        Error: what cannot be told from the model, or is not in the converter, by name.
    """
    model = torch_models.unwrapped(model)
    if spec is not None:
        described = mapping.describe(model, spec, names, predict, ignore)
    else:
        sequences = {str(own): list(columns) for own, columns in (sequences or {}).items()}
        history = {**_history([column for columns in sequences.values() for column in columns]), **_history(history)}
        options = Options(name, version, tuple(candidate), history, max_events, rank_by, sequences)
        described = _adapter(model).describe(model, feature_columns, options)
    for note in described.notes:
        warnings.warn(note, stacklevel=2)
    requests, answers = described.ask(rows, goldens)
    if _say_one_thing(answers):
        warnings.warn("the model says the same of every golden request, so that they prove nothing", stacklevel=2)
    return _write(os.fspath(directory), described, requests, answers)


def _adapter(model):
    for adapter in (deepctr_torch, fuxictr, deepctr):
        if adapter.library_class(model) is not None:
            return adapter
    raise Error(f"{type(model).__module__}.{type(model).__name__} is no model of DeepCTR-Torch, FuxiCTR or DeepCTR: "
                "give its spec, and the names of its tensors")


def _say_one_thing(answers):
    values = [np.reshape(own, -1) for answer in answers for own in (answer.values() if isinstance(answer, dict) else [answer])]
    joined = np.concatenate(values) if values else np.zeros(0)
    return len(joined) > 1 and bool((joined == joined[0]).all())


def _history(history):
    if isinstance(history, dict):
        return dict(history)
    return {name: name[len("hist_"):] if name.startswith("hist_") else name for name in history}


def _write(directory, described, requests, answers):
    os.makedirs(directory, exist_ok=True)
    files = Exported(*(os.path.join(directory, name)
                       for name in ("spec.json", "weights.safetensors", "golden.jsonl", "requests.jsonl")))
    _write_text(files.spec, _pretty(described.spec))
    write_safetensors(files.weights, described.tensors, {"format": "pt"})
    _write_text(files.requests, "".join(map(_line, requests)))
    if not answers:
        return files._replace(golden=None)
    goldens = [golden(request, logits) for request, logits in zip(requests, answers)]
    for i, own in enumerate(goldens):
        said = own.get("outputs", {"logits": own.get("logits")})
        if not all(np.isfinite(numbers).all() for numbers in said.values()):
            raise Error(f"golden request {i + 1}: what the model says of it is not finite")
    _write_text(files.golden, "".join(map(_line, goldens)))
    return files


def _line(request):
    return json.dumps(request, separators=(",", ":"), ensure_ascii=False, default=plain) + "\n"


def _pretty(spec):
    """JSON with a feature a line."""
    parts = []
    for key, value in spec.items():
        text = json.dumps(value, ensure_ascii=False)
        if key == "features":
            text = "[\n" + ",\n".join("    " + json.dumps(feature, ensure_ascii=False) for feature in value) + "\n  ]"
        parts.append(f"  {json.dumps(key)}: {text}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _write_text(path, text):
    """Whole or not at all."""
    with open(path + ".tmp", "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(path + ".tmp", path)

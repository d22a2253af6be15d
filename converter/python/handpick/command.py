"""Calls the `handpick` command."""

import json
import os
import shutil
import subprocess
import sys
import tempfile

import numpy as np


class Error(RuntimeError):
    """What the command or this package says when it cannot do what it was asked."""


def _own_binary():
    """The one inside this package; None in a checkout."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "bin", "handpick")
    return path if os.path.isfile(path) else None


def binary():
    """The path of the command: of HANDPICK_BINARY, of this package, or from PATH."""
    named = os.environ.get("HANDPICK_BINARY")
    if named:
        if not os.path.isfile(named):
            raise Error(f"HANDPICK_BINARY: there is no file '{named}'")
        return named
    found = _own_binary() or shutil.which("handpick")
    if not found:
        raise Error("there is no handpick command: install the wheel, or name one in HANDPICK_BINARY or on PATH")
    return found


def main():
    """The console script: the command itself."""
    own = _own_binary()  # From PATH this script would find itself.
    if not own:
        sys.exit("handpick: this installation is without the command; converter/python/build_wheel.sh makes one with it")
    os.execv(own, [own, *sys.argv[1:]])


def convert(spec, weights, out, **flags):
    """Makes a bundle: `handpick convert`.

    Args:
        spec: path of the spec, or the spec as a dict.
        weights: path of the weights; None for a model without.
        out: path of the bundle to make.
        **flags: those of the command: golden="golden.jsonl", precision="int8", evaluation=["a.jsonl", "b.jsonl"].
    Returns:
        The report: what was measured, sizes, and under "notes" what the command had to say beside it.
    """
    with tempfile.TemporaryDirectory() as folder:
        if isinstance(spec, dict):
            spec = _write(os.path.join(folder, "spec.json"), json.dumps(spec, default=plain))
        report = flags.pop("report", None) or os.path.join(folder, "report.json")
        given = {"spec": spec, "weights": weights, "out": out, "report": report, **flags}
        _, notes = _run("convert", given)
        with open(report, encoding="utf-8") as file:
            return {**json.load(file), "notes": notes}


def score(bundle, requests, **flags):
    """Scores the candidates of requests: `handpick score`.

    Args:
        requests: path of a file of requests, or a list of them as dicts.
        **flags: those of the command: reference=True.
    Returns:
        For each request {"logits": array, "scores": array}; of a model with several outputs {"outputs": {name: array},
        "scores": {name: array}}.
    """
    return [_arrays(line) for line in _lines("score", bundle, requests, flags)]


def rank(bundle, requests, **flags):
    """Names the best candidates of requests: `handpick rank`.

    Args:
        requests: as in score().
        **flags: those of the command: top_k=10, output="cvr".
    Returns:
        For each request a list of dicts, the best candidate first: index, score, logit; id, if the bundle has a catalog;
        outputs, if it has several.
    """
    return [line["ranked"] for line in _lines("rank", bundle, requests, flags)]


def inspect(file, **flags):
    """What `handpick inspect --json` says of a file, as a dict."""
    said, _ = _run("inspect", {"json": True, **flags}, [file])
    return json.loads(said)


def _lines(command, bundle, requests, flags):
    given = {"bundle": bundle, "requests": requests, **flags}
    content = None
    if not isinstance(requests, (str, os.PathLike)):
        given["requests"] = "-"
        content = "".join(json.dumps(request, default=plain) + "\n" for request in requests)
    said, _ = _run(command, given, content=content)
    return [json.loads(line) for line in said.splitlines()]


def _run(command, flags, positional=(), content=None):
    """Returns the standard output, and the notes."""
    arguments = [binary(), command, *map(os.fspath, positional)]
    for name, value in flags.items():
        if value is None or value is False:
            continue
        flag = "--" + name.replace("_", "-")
        if value is True:
            arguments.append(flag)
        elif isinstance(value, (list, tuple)):
            arguments += [flag, ",".join(str(os.fspath(v) if isinstance(v, os.PathLike) else v) for v in value)]
        else:
            arguments += [flag, str(value)]
    # Without a file of requests the command must not wait for the caller's own input.
    source = {"stdin": subprocess.DEVNULL} if content is None else {"input": content}
    done = subprocess.run(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", check=False, **source)
    mark = f"handpick {command}: note: "
    said = done.stderr.splitlines()
    if done.returncode != 0:
        message = "\n".join(line for line in said if not line.startswith(mark)).strip()
        raise Error(message or f"handpick {command}: ended with status {done.returncode}")
    return done.stdout, [line[len(mark):] for line in said if line.startswith(mark)]


def _write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def plain(value):
    """NumPy's numbers and arrays, for JSON."""
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    raise TypeError(f"a {type(value).__name__} is no part of a request or a spec: {value!r}")


def _arrays(line):
    return {key: {name: np.array(own) for name, own in value.items()} if isinstance(value, dict) else np.array(value)
            for key, value in line.items()}

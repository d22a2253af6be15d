"""Imports the DeepCTR-Torch library from PYTHONPATH without the packages that it uses for its callbacks only.

The library imports TensorFlow for Keras' callbacks, tqdm for a progress bar and requests for a check for newer
versions. None of them takes part in a prediction, so small stand-ins take their place when they are not installed.
"""

import importlib.util
import sys
import types


class _Callback:
    """What the library's fit() calls on a callback."""

    model = None

    def __init__(self, *unused_args, **unused_kwargs):
        pass

    def set_model(self, model):
        self.model = model

    def on_train_begin(self, logs=None):
        pass

    def on_train_end(self, logs=None):
        pass

    def on_epoch_begin(self, epoch, logs=None):
        pass

    def on_epoch_end(self, epoch, logs=None):
        pass


class _Progress:
    """tqdm without the bar."""

    def __init__(self, iterable, **unused_kwargs):
        self._iterable = iterable

    def __enter__(self):
        return self

    def __iter__(self):
        return iter(self._iterable)

    def __exit__(self, *unused):
        return False

    def close(self):
        pass


def _module(name, **members):
    module = types.ModuleType(name)
    vars(module).update(members)
    sys.modules[name] = module
    return module


def _is_missing(name):
    return importlib.util.find_spec(name) is None


def load():
    """Returns the package `deepctr_torch`."""
    if _is_missing("tensorflow"):
        for name in ("tensorflow", "tensorflow.python", "tensorflow.python.keras"):
            _module(name)
        kinds = {kind: type(kind, (_Callback,), {})
                 for kind in ("CallbackList", "EarlyStopping", "ModelCheckpoint", "History")}
        _module("tensorflow.python.keras.callbacks", **kinds)
    if _is_missing("tqdm"):
        _module("tqdm", tqdm=_Progress)
    # Only asks the network for a newer version.
    _module("deepctr_torch.utils", check_version=lambda version: None)
    try:
        import deepctr_torch  # pylint: disable=import-outside-toplevel
    except ModuleNotFoundError as error:
        raise SystemExit(f"{error}: put a checkout of DeepCTR-Torch 0.2.9 on PYTHONPATH") from error
    return deepctr_torch

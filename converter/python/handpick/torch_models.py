"""What models of PyTorch have in common. PyTorch itself is the caller's: nothing here imports it."""

import contextlib

import numpy as np

from .command import Error

_ACTIVATIONS = {"ReLU": "relu", "Sigmoid": "sigmoid", "Tanh": "tanh", "Identity": "linear", "PReLU": "prelu", "Dice": "dice"}
_WRAPPERS = {"DataParallel": "module", "DistributedDataParallel": "module", "OptimizedModule": "_orig_mod"}


def unwrapped(model):
    """The model within PyTorch's wrappers."""
    while type(model).__name__ in _WRAPPERS:
        model = getattr(model, _WRAPPERS[type(model).__name__])
    return model


def tensors_of(model):
    """The state_dict as NumPy arrays, which share its memory where they can."""
    return {name: _array(tensor) for name, tensor in model.state_dict().items()}


def _array(tensor):
    if isinstance(tensor, np.ndarray):
        return tensor
    tensor = tensor.detach().cpu()
    if str(tensor.dtype) == "torch.bfloat16":  # NumPy has none; float32 holds each of its numbers.
        tensor = tensor.float()
    return tensor.numpy()


def activation(module, where, dice_epsilon):
    """The name that a spec has for an activation."""
    name = _ACTIVATIONS.get(type(module).__name__)
    if name is None:
        raise Error(f"{where}: the converter has no activation {type(module).__name__}; it has {', '.join(_ACTIVATIONS)}")
    if name == "dice":
        check_epsilon(module.bn, dice_epsilon, f"{where}.bn")
    return name


def check_epsilon(normalisation, expected, where):
    if normalisation.eps != expected:
        raise Error(f"{where}: adds {normalisation.eps} to the variance; the library, and its layout, add {expected}")


@contextlib.contextmanager
def evaluation(model):
    """The model as it predicts; as it was afterwards."""
    was = {module: module.training for module in model.modules()}
    model.eval()
    try:
        yield
    finally:
        for module, training in was.items():
            module.training = training

"""Any model whose kind the converter knows, its tensors having names of their own."""

import numpy as np

from . import torch_models
from .command import Error
from .described import Described

_NOT_READ = (".num_batches_tracked",)


def describe(model, spec, names, predict, ignore):
    """model: a torch.nn.Module, or its state_dict. spec, names, predict, ignore: as export() has them."""
    tensors = torch_models.tensors_of(model)
    missing = [own for own in map(_name, (names or {}).values()) if "<" not in own and own not in tensors]
    if missing:
        raise Error(f"names: the model has no tensor '{missing[0]}'; it has {', '.join(sorted(tensors))}")
    spec = dict(spec)
    if names:
        spec["layout"] = {"names": names}
    kept = {name: tensor for name, tensor in tensors.items()
            if not name.endswith(_NOT_READ) and not name.startswith(tuple(ignore))}

    def ask(rows, goldens):
        requests = list(rows)
        return requests, [_arrays(predict(request)) for request in requests[:goldens]] if predict else []
    return Described(spec, kept, ask)


def _name(entry):
    return entry["name"] if isinstance(entry, dict) else entry


def _arrays(said):
    if isinstance(said, dict):
        return {name: _arrays(own) for name, own in said.items()}
    if hasattr(said, "detach"):  # A tensor of PyTorch.
        said = said.detach().cpu().numpy()
    return np.asarray(said)

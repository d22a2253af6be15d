"""Writes files/: checkpoints as PyTorch and h5py write them, small, with numbers that the tests know.

    python3 make_files.py    # PyTorch 1.13, h5py 3.7
"""

import argparse
import collections
import os

import h5py
import numpy as np
import torch

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "files")


def path_of(name):
    return os.path.join(FOLDER, name)


def state_dict():
    counted = torch.arange(24, dtype=torch.float32)
    state = collections.OrderedDict()
    state["matrix"] = counted[:6].reshape(2, 3)
    state["shared"] = counted[6:10]
    state["transposed"] = counted[10:16].reshape(2, 3).t()
    state["step"] = counted[16:24].reshape(2, 4)[:, ::2]
    state["repeated"] = torch.tensor([[1.5], [2.5]]).expand(2, 3)
    state["parameter"] = torch.nn.Parameter(torch.tensor([0.5, -0.25]))
    state["scalar"] = torch.tensor(7, dtype=torch.int64)
    state["empty"] = torch.zeros(0, 4)
    state["f64"] = torch.tensor([0.1, -3], dtype=torch.float64)
    state["f16"] = torch.tensor([1, -2, 65504], dtype=torch.float16)
    state["bf16"] = torch.tensor([1, -0.15625], dtype=torch.bfloat16)
    for name in ["int32", "int16", "int8"]:
        state[name] = torch.tensor([-5, 6], dtype=getattr(torch, name))
    state["uint8"] = torch.tensor([250], dtype=torch.uint8)
    state["bool"] = torch.tensor([True, False])
    return state


def write_torch():
    torch.save(state_dict(), path_of("zip.pt"))
    torch.save(state_dict(), path_of("plain.pt"), _use_new_zipfile_serialization=False)
    model = torch.nn.Sequential(torch.nn.Linear(2, 1))
    with torch.no_grad():
        model[0].weight.copy_(torch.tensor([[1.0, 2.0]]))
        model[0].bias.copy_(torch.tensor([3.0]))
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    with torch.no_grad():
        model[0].weight.copy_(torch.tensor([[1.0, 2.0]]))
        model[0].bias.copy_(torch.tensor([3.0]))
    torch.save({"epoch": 3, "args": argparse.Namespace(rate=0.1), "best": np.float64(0.5),
                "state_dict": torch.nn.DataParallel(model).state_dict(), "optimizer": optimizer.state_dict()},
               path_of("checkpoint.pt"))
    torch.save(model, path_of("whole.pt"))
    torch.save({"model": model, "epoch": 1}, path_of("whole_inside.pt"))
    torch.jit.save(torch.jit.script(model), path_of("script.pt"))


def layer(group, name, tensors):
    """As Keras 2 has it: the layer's group, and in it the names of the weights, with slashes."""
    own = group.create_group(name)
    own.attrs["weight_names"] = [tensor.encode() for tensor in tensors]
    for tensor, value in tensors.items():
        own.create_dataset(tensor, data=value)


def layers(group):
    group.attrs["layer_names"] = [b"dense", b"embedding"]
    layer(group, "dense", {"dense/kernel:0": np.array([[1, 2], [3, 4]], np.float32),
                           "dense/bias:0": np.array([0.5, -0.5], np.float32)})
    layer(group, "embedding", {"embedding/embeddings:0": np.arange(6, dtype=np.float64).reshape(3, 2)})


def write_hdf5():
    with h5py.File(path_of("weights.h5"), "w") as file:
        layers(file)
    with h5py.File(path_of("model.h5"), "w") as file:
        layers(file.create_group("model_weights"))
        layer(file, "optimizer_weights", {"iteration:0": np.int64(7)})
    with h5py.File(path_of("keras1.h5"), "w") as file:
        layer(file, "prediction", {"prediction_W": np.array([[1], [2]], np.float32)})
    with h5py.File(path_of("types.h5"), "w") as file:
        file.create_dataset("big", data=np.array([1.5, -2], ">f4"))
        file.create_dataset("half", data=np.array([1, -2], "<f2"))
        file.create_dataset("bool", data=np.array([True, False]))
        file.create_dataset("unsigned", data=np.array([2**32 + 1], "<u8"))
        file.create_dataset("integer", data=np.array([-(2**53) - 1], "<i8"))
        file.create_dataset("text", data=np.array([b"ab", b"cd"]))
        file.create_dataset("packed", data=np.arange(100, dtype=np.float32), chunks=(10,), compression="gzip")
        file.create_dataset("empty", data=np.zeros((0, 3), np.float32))
    with h5py.File(path_of("external_link.h5"), "w") as file:
        file["x"] = h5py.ExternalLink("weights.h5", "/dense")
    with h5py.File(path_of("soft_link.h5"), "w") as file:
        file["x"] = h5py.SoftLink("/y")
    with h5py.File(path_of("external_data.h5"), "w") as file:
        file.create_dataset("x", (2,), "<f4", external=[("elsewhere.bin", 0, 8)])
    with h5py.File(path_of("virtual.h5"), "w", libver="v110") as file:
        layout = h5py.VirtualLayout((2,), "<f4")
        layout[:] = h5py.VirtualSource("weights.h5", "dense/dense/bias:0", (2,))
        file.create_virtual_dataset("x", layout)
    with h5py.File(path_of("loop.h5"), "w") as file:
        file.create_group("a")["b"] = file["/"]
    with h5py.File(path_of("claims.h5"), "w") as file:
        file.create_dataset("x", (1 << 40,), "<f4")
    with h5py.File(path_of("claims_chunked.h5"), "w") as file:
        file.create_dataset("x", (1 << 40,), "<f4", chunks=(1 << 20,), compression="gzip")


if __name__ == "__main__":
    os.makedirs(FOLDER, exist_ok=True)
    write_torch()
    write_hdf5()

"""Writes and reads .safetensors files: 8 bytes of header length, a JSON header, the raw tensors.

Small enough to read in a minute, so that the training scripts need nothing but numpy.
"""

import json
import os
import struct

import numpy as np

_TYPE_NAMES = {"float32": "F32", "float64": "F64", "float16": "F16", "int64": "I64", "int32": "I32"}


def write_safetensors(path, tensors, metadata=None):
    """Writes `tensors` (name -> numpy array), in the order of their names, under a temporary name first.

    Args:
        path: file to make or replace.
        tensors: arrays of float16/32/64 or int32/64; scalars have the shape ().
        metadata: name -> string, kept in the header.
    """
    header = {"__metadata__": metadata} if metadata else {}
    offset = 0
    blobs = []
    for name in sorted(tensors):
        array = np.asarray(tensors[name])
        blob = array.astype(array.dtype.newbyteorder("<")).tobytes()  # Row-major, whatever the strides.
        header[name] = {"dtype": _TYPE_NAMES[array.dtype.name], "shape": list(array.shape),
                        "data_offsets": [offset, offset + len(blob)]}
        offset += len(blob)
        blobs.append(blob)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # The format's own rule: the data starts at a multiple of 8.
    temporary = path + ".tmp"
    with open(temporary, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for blob in blobs:
            file.write(blob)
    os.replace(temporary, path)


def read_safetensors(path):
    """Returns name -> numpy array."""
    with open(path, "rb") as file:
        content = file.read()
    (length,) = struct.unpack_from("<Q", content)
    header = json.loads(content[8:8 + length])
    header.pop("__metadata__", None)
    names = {short: name for name, short in _TYPE_NAMES.items()}
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        data = np.frombuffer(content[8 + length + begin:8 + length + end],
                             dtype=np.dtype(names[entry["dtype"]]).newbyteorder("<"))
        tensors[name] = data.reshape(entry["shape"])
    return tensors

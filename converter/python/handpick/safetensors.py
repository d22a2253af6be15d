"""Writes .safetensors: 8 bytes of header length, a JSON header, the numbers of the tensors."""

import json
import os
import struct

import numpy as np

from .command import Error

# By the name that NumPy has for them.
TYPES = {"float64": "F64", "float32": "F32", "float16": "F16", "int64": "I64", "int32": "I32", "int16": "I16",
         "int8": "I8", "uint8": "U8", "bool": "BOOL"}


def write_safetensors(path, tensors, metadata=None):
    """Writes `tensors`, in the order of their names; the file is there whole or not at all.

    Args:
        path: file to make or replace.
        tensors: name -> NumPy array.
        metadata: name -> string, kept in the header.
    """
    header = {"__metadata__": metadata} if metadata else {}
    offset = 0
    for name in sorted(tensors):
        array = np.asarray(tensors[name])
        if array.dtype.name not in TYPES:
            raise Error(f"tensor '{name}': numbers of type {array.dtype.name}; known are {', '.join(TYPES)}")
        header[name] = {"dtype": TYPES[array.dtype.name], "shape": list(array.shape),
                        "data_offsets": [offset, offset + array.nbytes]}
        offset += array.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # The format's own rule: the data starts at a multiple of 8.
    temporary = f"{os.fspath(path)}.tmp"
    with open(temporary, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for name in sorted(tensors):
            array = np.asarray(tensors[name])
            # Neither copies what is contiguous and little-endian already.
            file.write(np.ascontiguousarray(array, array.dtype.newbyteorder("<")).data.cast("B") if array.size else b"")
    os.replace(temporary, path)

"""Writes and reads .safetensors files: 8 bytes of header length, a JSON header, the raw tensors.

Small enough to read in a minute, so that the training scripts need nothing but numpy. The writer is that of the Python
package.
"""

import json
import os
import struct
import sys

import numpy as np

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "converter", "python"))

from handpick.safetensors import TYPES, write_safetensors  # noqa: E402, F401


def read_safetensors(path):
    """Returns name -> numpy array."""
    with open(path, "rb") as file:
        content = file.read()
    (length,) = struct.unpack_from("<Q", content)
    header = json.loads(content[8:8 + length])
    header.pop("__metadata__", None)
    names = {short: name for name, short in TYPES.items()}
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        data = np.frombuffer(content[8 + length + begin:8 + length + end],
                             dtype=np.dtype(names[entry["dtype"]]).newbyteorder("<"))
        tensors[name] = data.reshape(entry["shape"])
    return tensors

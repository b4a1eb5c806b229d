"""The bytes of a model file."""

import hashlib
import json

import numpy as np


__all__ = ["read"]


#: Types of numbers, by their names in the header.
TYPES = {"I8": "int8", "I16": "int16", "I64": "int64"}


def read(data):
    """Graph and tensors of a file, after its digest was compared."""
    size = int.from_bytes(data[:8], "little")
    header, values = json.loads(data[8 : 8 + size]), data[8 + size :]
    text = header.pop("__metadata__")["addend"]
    graph = text[text.index('"graph":') + 8 : -1]
    digest, tensors = hashlib.sha256(graph.encode()), {}
    for name in sorted(header):
        begin, end = header[name]["data_offsets"]
        dtype, shape = TYPES[header[name]["dtype"]], header[name]["shape"]
        sizes = "x".join(map(str, shape))
        digest.update(f"\n{name} {dtype} {sizes}\n".encode() + values[begin:end])
        tensors[name] = np.frombuffer(values[begin:end], f"<{dtype[0]}{int(dtype[3:]) // 8}")
        tensors[name] = tensors[name].reshape(shape).astype(np.int64)
    assert digest.hexdigest() == json.loads(text)["digest"]
    return json.loads(graph), tensors

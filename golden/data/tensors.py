"""The safetensors container: tensors by name and one text, read within limits.

It is read here, because the library takes the sizes that a header claims for granted, headers of
100 MB included, and knows types that NumPy does not.
"""

import math
from pathlib import Path

import numpy as np

from golden.data.description import parse_json
from golden.data.limits import MAX_ARRAY, MAX_JSON, MAX_LAYERS
from golden.data.reading import InputError, open_regular
from golden.errors import ModelError


__all__ = ["read_tensors"]


#: Types by the container's names.
_TYPES = {"I8": np.dtype("int8"), "I16": np.dtype("<i2"), "I64": np.dtype("<i8")}

#: A layer has at most weights, thresholds and a bias.
_MAX_TENSORS = 3 * MAX_LAYERS
_MAX_AXES = 8

_TRUNCATED = "the file is truncated or no safetensors file"


def read_tensors(path: Path | str, key: str) -> tuple[str, dict[str, np.ndarray]]:
    """A text of the file's metadata, and all tensors.

    Parameters
    ----------
    path : str or Path
    key : str
        Name of the text.

    Returns
    -------
    text : str
    tensors : dict of str to array
        int8, int16 and int64.

    Raises
    ------
    OSError
        If the file cannot be read.
    ModelError
        If it is no such container, is not complete, or has no such text.
    """
    with open_regular(path) as file:
        end = file.seek(0, 2)
        file.seek(0)
        length = int.from_bytes(file.read(8), "little")
        start = 8 + length
        if end < 8 or start > end:
            raise ModelError(_TRUNCATED)
        if length > MAX_JSON:
            raise ModelError(f"the header must have at most {MAX_JSON} bytes, not {length}")
        try:
            entries = parse_json(file.read(length), "the header")
        except InputError as error:
            raise ModelError(f"{_TRUNCATED} ({error})") from error
        metadata = entries.pop("__metadata__", None)
        text = metadata.get(key) if isinstance(metadata, dict) else None
        # Looked at first, since a foreign file may be large and of other types.
        if not isinstance(text, str):
            raise ModelError(f"the safetensors file holds no Addend model (metadata key {key!r})")
        layout = _layout(entries, end - start)
        return text, {name: _values(file, *place) for name, place in layout.items()}


def _layout(entries, size):
    """Type and shape of every tensor, in the order in which they fill the file without a gap."""
    if len(entries) > _MAX_TENSORS:
        raise ModelError(f"the file must hold at most {_MAX_TENSORS} tensors, not {len(entries)}")
    places = {name: _place(name, entry) for name, entry in entries.items()}
    at, layout = 0, {}
    for name, (begin, end, dtype, shape) in sorted(places.items(), key=lambda item: item[1][:2]):
        if begin != at:
            raise ModelError(_TRUNCATED)
        at, layout[name] = end, (dtype, shape)
    if at != size:
        raise ModelError(_TRUNCATED)
    return layout


def _place(name, entry):
    try:
        dtype, shape, (begin, end) = entry["dtype"], entry["shape"], entry["data_offsets"]
        whole = isinstance(shape, list) and all(type(n) is int for n in (begin, end, *shape))
    except (TypeError, KeyError, ValueError) as error:
        raise ModelError(_TRUNCATED) from error
    if not whole or min(begin, *shape, 0) < 0:
        raise ModelError(_TRUNCATED)
    if not isinstance(dtype, str) or dtype not in _TYPES:
        raise ModelError("the file must hold int8, int16 and int64 tensors only")
    size = math.prod(shape) * _TYPES[dtype].itemsize
    if len(shape) > _MAX_AXES or max(shape, default=0) > MAX_ARRAY or size > MAX_ARRAY:
        raise ModelError(
            f"the tensor {name} must have at most {MAX_ARRAY} bytes and {_MAX_AXES} "
            f"axes, not shape {shape}"
        )
    if end - begin != size:
        raise ModelError(_TRUNCATED)
    return begin, end, _TYPES[dtype], tuple(shape)


def _values(file, dtype, shape):
    values = np.empty(shape, dtype)
    if file.readinto(values.reshape(-1).view(np.uint8)) != values.nbytes:
        raise ModelError(_TRUNCATED)
    return values.astype(dtype.newbyteorder("="), copy=False)

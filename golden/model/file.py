"""The model file: safetensors with one metadata key, ``addend`` (docs/format.md)."""

import hashlib
import json
from pathlib import Path

import numpy as np
import safetensors.numpy

from golden.data.atomic import replacing
from golden.data.description import parse_json
from golden.data.reading import InputError, printable
from golden.data.tensors import read_tensors
from golden.errors import ModelError
from golden.model.graph import from_graph, to_graph
from golden.model.integer_model import IntegerModel
from golden.model.rules import validate
from golden.model.upgrade import upgraded


__all__ = ["VERSION", "load", "save"]


#: Newest version of the format, (major, minor), and the newest minor of each older major version.
VERSION = (2, 0)
OLDER = {1: 2}

KEY = "addend"
FORMAT = "addend-integer-model"


def save(model: IntegerModel, path: Path | str) -> None:
    """Write a model file, whole or not at all; the same model gives the same bytes.

    Parameters
    ----------
    model : IntegerModel
        Checked first; widths are derived if it has none.
    path : str or Path

    Raises
    ------
    ModelError
        If the model breaks a rule, or the file cannot be written; the message names the file.
    """
    try:
        validate(model)
        graph, tensors = to_graph(model)
        graph = json.dumps(graph, separators=(",", ":"), sort_keys=True, allow_nan=False)
        # What cannot be read again is not written.
        parse_json(graph, "the graph")
        header = {
            "format": FORMAT,
            "version": "{}.{}".format(*VERSION),
            "digest": _digest(graph, tensors),
        }
        # The graph comes last, so that readers in any language find the bytes that were digested.
        header = json.dumps(header, separators=(",", ":"))[:-1] + f',"graph":{graph}}}'
        data = safetensors.numpy.save(tensors, metadata={KEY: header})
        with replacing(path) as file:
            file.write(data)
    except OSError as error:
        raise ModelError(f"{path}: the model cannot be written ({error.strerror})") from error
    except (ModelError, TypeError, ValueError) as error:
        raise ModelError(f"{path}: {error}") from error


def load(path: Path | str) -> IntegerModel:
    """Read and check a model file.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    IntegerModel

    Raises
    ------
    ModelError
        If the file is missing, truncated, foreign, corrupt or of a newer version, or if its model
        breaks a rule. One sentence that names the file, and layer and rule where there are any.
    """
    try:
        header, tensors = read_tensors(path, KEY)
        text, digest, major = _open_header(header)
        _check_digest(digest, text, tensors)
        graph = _parse(text)
        if major == 1:
            graph = upgraded(graph, tensors)
        model = from_graph(graph, tensors)
        validate(model)
    except FileNotFoundError as error:
        raise ModelError(f"{path}: there is no such file") from error
    except OSError as error:
        raise ModelError(f"{path}: the model cannot be read ({error.strerror})") from error
    except MemoryError as error:
        raise ModelError(f"{path}: the model is too large for the memory") from error
    except (ModelError, InputError) as error:
        raise ModelError(f"{path}: {printable(error, 500)}") from error
    return model


def _open_header(header):
    """Text of the graph, digest and major version, after format and version are known as ours."""
    try:
        fields = parse_json(header, "it")
        is_ours = fields["format"] == FORMAT and isinstance(fields["digest"], str)
        version = tuple(int(part) for part in fields["version"].split("."))
        start = header.index('"graph":') + len('"graph":')
    except InputError as error:
        raise ModelError(f"the header of the model is corrupt ({error})") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError("the header of the model is corrupt") from error
    if not is_ours or len(version) != 2 or min(version) < 0:
        raise ModelError(f"the format must be {FORMAT} with a version like 2.0")
    newest = (version[0], OLDER[version[0]]) if version[0] in OLDER else VERSION
    if version > newest:
        raise ModelError(
            f"format version {fields['version']} is newer than "
            f"{newest[0]}.{newest[1]}, the newest that this Addend reads"
        )
    if version[0] != newest[0]:
        raise ModelError(
            f"format version {fields['version']} must have major version 1 or {VERSION[0]}"
        )
    return header[start:-1], fields["digest"], version[0]


def _parse(text):
    try:
        return parse_json(text, "it")
    except InputError as error:
        raise ModelError(f"the graph must be the last field of the header ({error})") from error


def _check_digest(digest, graph, tensors):
    if digest != _digest(graph, tensors):
        raise ModelError("the file is corrupt, since its digest does not match its content")


def _digest(graph, tensors):
    """SHA-256 over the graph's text and then every tensor in the order of names."""
    digest = hashlib.sha256(graph.encode())
    for name in sorted(tensors):
        tensor = np.ascontiguousarray(tensors[name])
        little = tensor.astype(tensor.dtype.newbyteorder("<"))
        shape = "x".join(str(size) for size in tensor.shape)
        digest.update(f"\n{name} {tensor.dtype.name} {shape}\n".encode())
        digest.update(little.tobytes())
    return digest.hexdigest()

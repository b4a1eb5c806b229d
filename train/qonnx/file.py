"""A QONNX file as plain values: nodes, constants, and where pictures come in."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from golden.data.limits import MAX_ARRAY
from golden.data.reading import printable, read_regular
from train.graph import GraphError
from train.qonnx.names import place


__all__ = ["File", "Operation", "QonnxError", "ShapeError", "load"]


class QonnxError(ValueError):
    """A file that is not read at all, told in one sentence."""


class ShapeError(QonnxError, GraphError):
    """A file whose network takes no pictures of one shape."""


@dataclass(frozen=True)
class Operation:
    """A node of the file.

    Parameters
    ----------
    kind : str
    place : Place
    inputs : tuple of str
        Names of tensors; empty where an optional one is left out.
    outputs : tuple of str
    attributes : dict
        Texts as ``str``, tensors as arrays.
    """

    kind: str
    place: object
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict


@dataclass(frozen=True)
class File:
    """A graph whose only unknown is one picture.

    Parameters
    ----------
    name : str
    source : str
        Tensor that the picture comes in.
    shape : tuple of int
        Of the picture, without the axis of pictures.
    batch : int
        Pictures that the file was written for, 1 if any number.
    operations : tuple of Operation
    constants : dict of str to array
    outputs : tuple of str
    shapes : dict of str to tuple of int
        Of tensors whose shape the file tells, without the axis of pictures.
    """

    name: str
    source: str
    shape: tuple[int, ...]
    batch: int
    operations: tuple[Operation, ...]
    constants: dict
    outputs: tuple[str, ...]
    shapes: dict = field(default_factory=dict)


def load(path):
    """Read a file.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    File

    Raises
    ------
    QonnxError
    """
    onnx = _onnx()
    path = Path(path)
    model = _decoded(onnx, path)
    graph = model.graph
    held = {_text(tensor.name) for tensor in graph.initializer}
    source, batch, shape = _source(path, graph, held)
    constants = {_text(tensor.name): _array(onnx, path, tensor) for tensor in graph.initializer}
    shapes = {}
    for value in graph.value_info:
        lengths = _lengths(value)
        if lengths and all(lengths[1:]):
            shapes[_text(value.name)] = lengths[1:]
    return File(
        name=path.stem,
        source=source,
        shape=shape,
        batch=batch,
        operations=tuple(
            _operation(onnx, path, node, number) for number, node in enumerate(graph.node)
        ),
        constants=constants,
        outputs=tuple(_text(value.name) for value in graph.output),
        shapes=shapes,
    )


def _onnx():
    """The package, which is asked for when a file is read."""
    try:
        import onnx
        import onnx.external_data_helper
        import onnx.numpy_helper
    except ImportError as error:
        raise QonnxError(
            "reading a QONNX file needs the package onnx: pip install addend[onnx]"
        ) from error
    return onnx


def _decoded(onnx, path):
    try:
        data = read_regular(path, MAX_ARRAY)
    except OSError as error:
        reason = error.strerror or str(error)
        raise QonnxError(f"{path}: cannot be read ({reason.lower()})") from error
    try:
        model = onnx.load_model_from_string(data)
    # The decoder's exceptions differ between the versions of protobuf.
    except Exception as error:
        raise QonnxError(f"{path}: is no ONNX file") from error
    if not model.ir_version or not model.graph.node:
        raise QonnxError(f"{path}: is no ONNX file, or one without a network")
    try:
        onnx.external_data_helper.load_external_data_for_model(model, str(path.parent))
    # Missing files, and paths that lead out of the folder.
    except Exception as error:
        raise QonnxError(
            f"{path}: keeps numbers in another file that is not there or cannot be read "
            f"({printable(str(error).splitlines()[0], 200)}): put it beside the ONNX file"
        ) from error
    return model


def _source(path, graph, held):
    """Name, number of pictures and shape of the one input that is no constant."""
    found = [value for value in graph.input if _text(value.name) not in held]
    if len(found) != 1:
        names = ", ".join(printable(_text(value.name), 40) for value in found) or "none"
        raise ShapeError(f"{path}: must have one input that is a picture, not {names}")
    (value,) = found
    batch, *shape = _lengths(value) or (0,)
    written = f"{printable(_text(value.name), 40)} ({_written(value)})"
    if len(shape) not in (1, 3):
        raise ShapeError(
            f"{path}: the input {written} must have the axes of pictures, channels, rows and "
            "columns, or of pictures and features"
        )
    if not all(shape):
        raise ShapeError(
            f"{path}: the input {written} must have a fixed shape behind the axis of pictures: "
            "export with the shape of one picture"
        )
    return _text(value.name), batch or 1, tuple(shape)


def _lengths(value):
    """Lengths of a tensor's axes, 0 where one is free; none if nobody knows them."""
    if not value.type.tensor_type.HasField("shape"):
        return ()
    return tuple(max(0, axis.dim_value) for axis in value.type.tensor_type.shape.dim)


def _written(value):
    axes = value.type.tensor_type.shape.dim
    return (
        "x".join(_text(axis.dim_param) or str(axis.dim_value or "?") for axis in axes) or "no axes"
    )


def _array(onnx, path, tensor):
    """A constant; floats in float64, which has them all."""
    try:
        array = onnx.numpy_helper.to_array(tensor)
    # Damaged tensors raise whatever NumPy raises.
    except Exception as error:
        raise QonnxError(
            f"{path}: the constant {printable(_text(tensor.name), 80)} is damaged"
        ) from error
    if array.dtype.kind == "f":
        if not np.isfinite(array).all():
            raise QonnxError(
                f"{path}: the constant {printable(_text(tensor.name), 80)} holds what is no number"
            )
        return array.astype(np.float64)
    return array


def _text(value):
    """A name, which is bytes where the file holds no text."""
    return value.decode(errors="replace") if isinstance(value, bytes) else value


def _operation(onnx, path, node, number):
    """A node without the file's own types."""
    attributes = {}
    for entry in node.attribute:
        value = onnx.helper.get_attribute_value(entry)
        if isinstance(value, bytes):
            value = _text(value)
        elif isinstance(value, onnx.TensorProto):
            value = _array(onnx, path, value)
        attributes[_text(entry.name)] = value
    scopes = next(
        (
            _text(entry.value)
            for entry in node.metadata_props
            if entry.key == "pkg.torch.onnx.name_scopes"
        ),
        "",
    )
    kind, domain = _text(node.op_type), _text(node.domain)
    own = domain.split(".")[-1]
    if domain not in ("", "ai.onnx") and own not in ("general", "onnx", "brevitas"):
        # Channels-last convolutions have the name of the standard's.
        kind = f"{own} {kind}"
    return Operation(
        kind=printable(kind, 60),
        place=place(_text(node.op_type), printable(_text(node.name), 200), scopes, number),
        inputs=tuple(map(_text, node.input)),
        outputs=tuple(map(_text, node.output)),
        attributes=attributes,
    )

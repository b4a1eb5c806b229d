"""Views: the same values on other axes. They are followed, and become no nodes."""

from dataclasses import replace
from math import prod

import numpy as np

from train.graph.layout import Layout, LayoutError
from train.qonnx.constants import FLOATS, Fixed
from train.qonnx.unfit import Unfit


__all__ = ["cast", "flatten", "reshape", "same", "shape_of", "squeeze", "transpose", "unsqueeze"]


def same(reader, operation):
    """What hands on what it reads."""
    reader.keep(operation, _found(reader, operation)[0])


def cast(reader, operation):
    """``Cast`` that leaves all numbers as they are."""
    (found,) = _found(reader, operation)
    if operation.attributes["to"] not in FLOATS:
        raise Unfit("rounds numbers to another type", "leave them float32")
    reader.keep(operation, found)


def reshape(reader, operation):
    """``Reshape``."""
    found, shape = _found(reader, operation)
    if not isinstance(shape, Fixed):
        raise Unfit("has a shape that is computed from the picture", "export a fixed shape")
    lengths = shape.integers()
    before = (reader.file.batch, *found.layout.shape)
    if not operation.attributes.get("allowzero", 0):
        lengths = [
            length if length or place >= len(before) else before[place]
            for place, length in enumerate(lengths)
        ]
    _keep(reader, operation, found, _reshaped(found.layout, lengths, reader.file.batch))


def flatten(reader, operation):
    """``Flatten`` of all axes behind that of pictures."""
    (found,) = _found(reader, operation)
    axes = len(found.layout.axes) + 1
    if operation.attributes.get("axis", 1) % axes != 1:
        raise Unfit("mixes pictures", "flatten from axis 1")
    _keep(reader, operation, found, found.layout.reshape((prod(found.layout.shape),)))


def transpose(reader, operation):
    """``Transpose`` that leaves the axis of pictures the first."""
    (found,) = _found(reader, operation)
    order = operation.attributes.get("perm") or range(len(found.layout.axes), -1, -1)
    if order[0] != 0:
        raise Unfit("moves the axis of pictures", "keep it the first")
    _keep(reader, operation, found, found.layout.permute([index - 1 for index in order[1:]]))


def squeeze(reader, operation):
    """``Squeeze``."""
    found, *more = _found(reader, operation)
    rank = len(found.layout.axes) + 1
    axes = more[0].integers() if more else operation.attributes.get("axes")
    if axes is None or 0 in (gone := {axis % rank for axis in axes}):
        raise Unfit("takes the axis of pictures away", "squeeze axes behind it")
    axes = [axis for place, axis in enumerate(found.layout.axes, 1) if place not in gone]
    _keep(reader, operation, found, Layout(tuple(axes)))


def unsqueeze(reader, operation):
    """``Unsqueeze``."""
    found, *more = _found(reader, operation)
    axes = more[0].integers() if more else operation.attributes["axes"]
    rank = len(found.layout.axes) + 1 + len(axes)
    places = sorted(axis % rank for axis in axes)
    if 0 in places:
        raise Unfit("moves the axis of pictures", "keep it the first")
    shape = list(found.layout.shape)
    for place in places:
        shape.insert(place - 1, 1)
    _keep(reader, operation, found, found.layout.reshape(shape))


def shape_of(reader, operation):
    """``Shape``, which is a constant."""
    (found,) = _found(reader, operation)
    lengths = np.array([reader.file.batch, *found.layout.shape], np.int64)
    first, last = (operation.attributes.get(name) for name in ("start", "end"))
    reader.keep(operation, Fixed(lengths[first:last]))


def _found(reader, operation):
    """Inputs, of which the first is no constant."""
    found = reader.inputs(operation)
    if isinstance(found[0], Fixed) or found[0] is None:
        raise Unfit("views a constant together with a map", "export it again")
    return found


def _keep(reader, operation, found, layout):
    reader.keep(operation, replace(found, layout=layout))


def _reshaped(layout, lengths, batch):
    """Layout after a reshape of all axes, that of pictures first; -1 stands for what is left."""
    first, *rest = lengths
    if rest.count(-1) + (first == -1) > 1 or any(length < -1 for length in lengths):
        raise Unfit("has a shape that nobody knows", "write at most one length as -1")
    total = prod(layout.shape)
    if -1 in rest:
        others = prod(length for length in rest if length != -1)
        rest = [total // max(1, others) if length == -1 else length for length in rest]
    if first not in (batch, 1, -1):
        raise Unfit("mixes pictures", "keep their axis the first")
    try:
        return layout.reshape(rest)
    except LayoutError as error:
        raise Unfit(
            str(error),
            "keep pictures, channels and positions apart",
        ) from error

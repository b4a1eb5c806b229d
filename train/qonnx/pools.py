"""Means and largest values over windows and whole maps."""

from dataclasses import replace

from train.graph import Largest, Mean, Pool
from train.graph.layout import Layout
from train.qonnx.channels import is_map
from train.qonnx.constants import Constant
from train.qonnx.unfit import Unfit
from train.qonnx.windows import Windows


__all__ = ["average", "global_average", "largest", "reduce_mean"]


def largest(reader, operation):
    """``MaxPool``; a ReLU may as well be behind it."""
    (found,) = reader.inputs(operation)
    value = reader.value(operation, found)
    windows = _windows(reader, operation, value)
    channels = reader.size(value)[0]
    reader.add(
        operation,
        Largest,
        value,
        size=(channels, *windows.outputs),
        kernel=windows.kernel,
        stride=windows.stride,
        padding=windows.pads,
    )
    reader.keep(operation, replace(reader.known[operation.outputs[0]], relu=value.relu))


def average(reader, operation):
    """``AveragePool`` without padding."""
    (found,) = reader.inputs(operation)
    value = reader.map(operation, found)
    windows = _windows(reader, operation, value)
    channels, *size = reader.size(value)
    if any(windows.pads):
        raise Unfit("averages padding, too", "average whole windows")
    if windows.kernel == tuple(size):
        reader.add(operation, Mean, value, size=(channels, 1, 1))
        return
    reader.add(
        operation,
        Pool,
        value,
        size=(channels, *windows.outputs),
        kernel=windows.kernel,
        stride=windows.stride,
    )


def _windows(reader, operation, value):
    channels, *size = reader.size(value)
    if not is_map(value.layout, (channels, *size)):
        raise Unfit(
            "walks along other axes than rows and columns",
            "hand on (pictures, channels, rows, columns)",
        )
    windows = Windows.of(operation, None, tuple(size))
    if windows.dilation != (1, 1):
        raise Unfit("leaves out positions within its windows", "set dilations to 1")
    return windows


def global_average(reader, operation):
    """``GlobalAveragePool``."""
    (found,) = reader.inputs(operation)
    value = reader.map(operation, found)
    axes = range(2, len(value.layout.axes) + 1)
    _mean(reader, operation, value, list(axes), True)


def reduce_mean(reader, operation):
    """``ReduceMean`` over all positions; its axes are an attribute or an input."""
    found, *more = reader.inputs(operation)
    value = reader.map(operation, found)
    axes = operation.attributes.get("axes", ())
    if more and more[0] is not None:
        if not isinstance(more[0], Constant):
            raise Unfit("has axes that are computed from the picture", "export fixed axes")
        axes = more[0].integers()
    if not axes and operation.attributes.get("noop_with_empty_axes", 0):
        reader.keep(operation, value)
        return
    _mean(reader, operation, value, list(axes), bool(operation.attributes.get("keepdims", 1)))


def _mean(reader, operation, value, axes, keep):
    rank = len(value.layout.axes) + 1
    gone = {axis % rank for axis in axes}
    atoms = [
        {atom.name for atom in axis if atom.length != 1 and place in gone}
        for place, axis in enumerate(value.layout.axes, 1)
    ]
    left = [
        {atom.name for atom in axis if atom.length != 1 and place not in gone}
        for place, axis in enumerate(value.layout.axes, 1)
    ]
    if 0 in gone or not gone or "c" in set().union(*atoms) or set().union(*left) - {"c"}:
        raise Unfit("is not over all positions", "average all positions of each channel")
    channels = reader.size(value)[0]
    axes = [
        () if place in gone else axis
        for place, axis in enumerate(value.layout.axes, 1)
        if keep or place not in gone
    ]
    reader.add(operation, Mean, value, size=(channels, 1, 1), layout=Layout(tuple(axes)))

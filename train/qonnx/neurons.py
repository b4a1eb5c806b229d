"""Quantisers and thresholds: the neurons of a file."""

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import numpy as np

from train.graph import Add, Firing, Largest, Neuron, Ties
from train.qonnx.channels import is_channels
from train.qonnx.constants import Constant
from train.qonnx.factors import shift
from train.qonnx.quantiser import Quantiser
from train.qonnx.reader import Bytes
from train.qonnx.unfit import Unfit


__all__ = ["multi_threshold", "quant", "relu"]


#: Stands for a threshold that every potential reaches.
_ALWAYS = Fraction(-(2**100))


def relu(reader, operation):
    """``Relu``, which the quantiser behind it absorbs."""
    (found,) = reader.inputs(operation)
    value = reader.value(operation, found)
    reader.keep(operation, replace(value, relu=not reader.nonnegative(value)))


def quant(reader, operation):
    """``Quant`` or ``IntQuant`` of a map, of the pictures or of a constant."""
    found, *parameters = reader.inputs(operation)
    quantiser = Quantiser.of(operation, *parameters)
    if isinstance(found, Constant):
        return reader.keep(operation, quantiser.constant(found))
    if isinstance(found, Bytes):
        pixels = reader.settle(found, quantiser)
        if pixels is not None:
            return reader.keep(operation, pixels)
    value = reader.value(operation, found)
    if _keeps(reader, value, quantiser):
        return reader.keep(operation, value)
    firing = quantiser.firing(reader.nonnegative(value))
    return _fire(reader, operation, value, firing)


def _keeps(reader, value, quantiser):
    """Whether a quantiser changes nothing of counts, such as one behind a max pool."""
    node = reader.node(value.node)
    while isinstance(node, Largest):
        node = reader.node(node.inputs[0])
    return (
        isinstance(node, Neuron)
        and not quantiser.zero
        and node.firing.unit == quantiser.step
        and node.firing.levels <= quantiser.most
    )


def multi_threshold(reader, operation):
    """``MultiThreshold``: how many thresholds of its channel a number reaches."""
    found, thresholds = reader.inputs(operation)
    value = reader.value(operation, found)
    if not isinstance(thresholds, Constant) or thresholds.values.ndim != 2:
        raise Unfit("has thresholds that are no table of constants", "export (channels, D)")
    rows, levels = thresholds.values.shape
    channels = reader.size(value)[0]
    last = operation.attributes.get("data_layout", "NCHW") in ("NHWC", "NWC")
    axis = value.layout.axes[-1 if last else 0]
    if rows not in (1, channels) or (rows > 1 and not is_channels(axis, channels)):
        raise Unfit(
            f"has thresholds of {rows} channels for an axis that is not that of {channels}",
            "use a row for each channel, or one for all",
        )
    if not 1 <= levels <= 255:
        raise Unfit(f"counts to {levels}", "use at most 255 thresholds (15 run in hardware)")
    if operation.attributes.get("out_bias", 0.0):
        raise Unfit("hands on signed numbers, and spikes are none or some", "let out_bias be 0")
    unit = Fraction(operation.attributes.get("out_scale", 1.0))
    if unit <= 0:
        raise Unfit(f"has out_scale {float(unit):g}", "use one above 0")
    ladder = [
        [Fraction(threshold) for threshold in row] for row in np.sort(thresholds.values, 1).tolist()
    ]
    if value.relu:
        ladder = [[level if level > 0 else _ALWAYS for level in row] for row in ladder]
    firing = _even(reader, value, ladder, levels, unit)
    if firing is None:
        firing = Firing(levels, unit=unit, ladder=tuple(map(tuple, ladder)))
    return _fire(reader, operation, value, firing)


def _even(reader, value, ladder, levels, unit):
    """The neuron of evenly spaced thresholds behind a sum, whose shifts a summand takes.

    A stream has no thresholds of its own: they follow from its fraction bits.
    """
    if not isinstance(reader.node(value.node), Add) or levels < 2:
        return None
    step = ladder[0][1] - ladder[0][0]
    if step <= 0 or any(high - low != step for row in ladder for low, high in pairwise(row)):
        return None
    shifts = [step / 2 - row[0] for row in ladder]
    shifts *= reader.size(value)[0] if len(shifts) == 1 else 1
    if any(shifts):
        summands = reader.summands[value.node] if value.alone else ()
        if not any(shift(reader, summand, shifts) for summand in summands):
            return None
    return Firing(levels, Ties.HALF_UP, 1 / step, unit)


def _fire(reader, operation, value, firing):
    size = reader.node(value.node).size
    reader.add(operation, Neuron, value, size=size, layout=value.layout, firing=firing)

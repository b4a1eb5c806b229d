"""Exact ranges: which values each tensor of a model can take, and how many bits hold them.

The intervals follow from weights and biases alone, so they hold for every image. A count is 0..D
whatever its thresholds. Because zero lies in every operator's interval, and partial sums add a
subset of the same terms, the accumulator stays inside it at every step, in any order of additions
and in both spike codes.
"""

from dataclasses import dataclass, field
from math import prod

import numpy as np

from golden.model import (
    PIXELS,
    AnalogHead,
    Conv,
    KeyValue,
    Logits,
    ModelError,
    Query,
    TokenSum,
    Write,
)
from golden.shapes import shapes


__all__ = [
    "MAX_WIDTH", "Ranges", "analyse", "conv_interval", "kv_width", "saturate", "width", "widths",
]


#: Widest potential or stream, in bits, that a model may need; int64 then holds every sum.
MAX_WIDTH = 48


@dataclass(frozen=True)
class Ranges:
    """Least and largest value, per layer and channel.

    Every value is a pair of int64 arrays of shape (channels,), keyed by the layer's name; for
    ``kv`` the arrays have one entry per head. ``logits`` is the pair of the last layer.
    """

    potential: dict[str, tuple] = field(default_factory=dict)
    stream: dict[str, tuple] = field(default_factory=dict)
    kv: dict[str, tuple] = field(default_factory=dict)
    logits: tuple | None = None


def width(low, high):
    """Bits of a two's complement number that holds every integer of ``low``..``high``.

    >>> width(-8, 7), width(0, 7), width(0, 8), width(0, 0)
    (4, 4, 5, 1)
    """
    low, high = int(np.min(low)), int(np.max(high))
    return 1 + max((~low if low < 0 else 0).bit_length(), high.bit_length() if high > 0 else 0)


def kv_width(high):
    """Bits of an entry of the attention memory, which is never negative and has no sign bit.

    >>> kv_width(196 * 4**2)
    12
    """
    return max(1, int(np.max(high)).bit_length())


def saturate(thresholds, low, high):
    """Thresholds limited to ``low`` (always fires) .. ``high + 1`` (never fires), per channel.

    Parameters
    ----------
    thresholds : array of Python integers or int64, shape (channels, D)
    low, high : int64 arrays, shape (channels,)
        The potential's interval.

    Returns
    -------
    int64 array, shape (channels, D)
    """
    low, high = np.asarray(low)[:, np.newaxis], np.asarray(high)[:, np.newaxis]
    return np.minimum(np.maximum(thresholds, low), high + 1).astype(np.int64)


def conv_interval(layer, max_count):
    """Least and largest potential of every channel of a convolution.

    The bounds are attained: every input at its largest where the weight is positive, or where it
    is negative.

    Parameters
    ----------
    layer : Conv
        Its drain is not looked at.
    max_count : int
        D; pixels go to 255.

    Returns
    -------
    low, high : int64 arrays, shape (out_channels,)
    """
    largest = 255 if layer.source == PIXELS else max_count
    weight = layer.weight.reshape(len(layer.weight), -1).astype(np.int64)
    low = largest * np.minimum(weight, 0).sum(axis=1)
    high = largest * np.maximum(weight, 0).sum(axis=1)
    return low, high


def analyse(model):
    """Intervals of every potential, stream, attention memory and logit.

    Parameters
    ----------
    model : IntegerModel

    Returns
    -------
    Ranges

    Raises
    ------
    ModelError
        If the graph does not fit together, or a value would need more than `MAX_WIDTH` bits.
    """
    known = shapes(model)
    ranges = Ranges()
    logits = None
    count = model.max_count
    for layer in model.layers:
        match layer:
            case Conv():
                low, high = conv_interval(layer, count)
            case KeyValue():
                _, *map_size = known[layer.keys]
                high = np.full(layer.heads, int(np.prod(map_size)) * count**2)
                ranges.kv[layer.name] = np.zeros_like(high), high
                continue
            case Query():
                heads, dk, dv = known[layer.key_values]
                memory = int(ranges.kv[layer.key_values][1].max())
                high = np.full(heads * dv, dk * count * memory)
                low = np.zeros_like(high)
            case TokenSum():
                low, high = _summed(layer, known, ranges)
            case AnalogHead():
                low, high = _weighted(layer.weight, *_summed(layer, known, ranges))
        _limit(layer, low, high)
        low, high = low.astype(np.int64), high.astype(np.int64)
        ranges.potential[layer.name] = low, high
        match layer.drain:
            case Write():
                ranges.stream[layer.name] = _stream(layer, low, high, ranges)
            case Logits():
                logits = _shifted(layer, low, high)
    return Ranges(ranges.potential, ranges.stream, ranges.kv, logits)


def widths(model):
    """Bits that every layer's accumulator, stream, attention memory and logits need.

    Returns
    -------
    dict of str to dict of str to int
        Per layer: ``potential``, ``stream`` and ``logits`` in two's complement, ``kv`` without a
        sign bit; a layer has the entries that apply to it.
    """
    ranges = analyse(model)
    result = {layer.name: {} for layer in model.layers}
    for name, interval in ranges.potential.items():
        result[name]["potential"] = width(*interval)
    for name, interval in ranges.stream.items():
        result[name]["stream"] = width(*interval)
    for name, (_, high) in ranges.kv.items():
        result[name]["kv"] = kv_width(high)
    result[model.layers[-1].name]["logits"] = width(*ranges.logits)
    return result


def _summed(layer, known, ranges):
    """Interval of a stream's sum over its positions, in Python integers: int64 may be too small."""
    _, *map_size = known[layer.source]
    source = layer.source.removesuffix(".stream")
    return (prod(map_size) * bound.astype(object) for bound in ranges.stream[source])


def _weighted(weight, low, high):
    """Interval of ``weight @ values``, which are Python integers already."""
    weight = weight.astype(object)
    ends = weight * low, weight * high
    return np.minimum(*ends).sum(axis=1), np.maximum(*ends).sum(axis=1)


def _stream(layer, low, high, ranges):
    """Interval of a stream version; channels add up one by one."""
    low, high = _shifted(layer, low, high)
    if layer.drain.previous is not None:
        before = ranges.stream[layer.drain.previous.removesuffix(".stream")]
        low, high = low + before[0], high + before[1]
        _limit(layer, low, high)
    return low, high


def _shifted(layer, low, high):
    """Interval behind a drain's shift and bias."""
    drain = layer.drain
    # Python integers, since a large shift could leave int64 before it is refused.
    low, high = ([(int(value) << drain.shift) + int(bias)
                  for value, bias in zip(bound, drain.bias, strict=True)] for bound in (low, high))
    _limit(layer, low, high)
    return np.array(low, np.int64), np.array(high, np.int64)


def _limit(layer, low, high):
    needed = width(low, high)
    if needed > MAX_WIDTH:
        raise ModelError(f"Layer {layer.name}: values must fit {MAX_WIDTH} bits, not need {needed}")

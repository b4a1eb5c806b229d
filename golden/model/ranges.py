"""Exact ranges: which values each tensor of a model can take, and how many bits hold them.

The intervals follow from weights and biases alone, so they hold for every image. A count is 0..D
whatever its thresholds. Because zero lies in every operator's interval, and partial sums add a
subset of the same terms, the accumulator stays inside it at every step, in any order of additions
and in both spike codes.
"""

from dataclasses import dataclass, field

import numpy as np

from golden.interval import kv_width, require_width, width
from golden.model.shapes import shapes


__all__ = ["Ranges", "analyse", "widths"]


@dataclass(frozen=True)
class Ranges:
    """Least and largest value, per layer and channel.

    Every value is a pair of int64 arrays of shape (channels,), keyed by the layer's name; for
    ``kv`` the arrays have one entry per head.
    """

    potential: dict[str, tuple] = field(default_factory=dict)
    stream: dict[str, tuple] = field(default_factory=dict)
    kv: dict[str, tuple] = field(default_factory=dict)
    outputs: dict[str, tuple] = field(default_factory=dict)

    @property
    def logits(self):
        """The pair of the layer that emits logits."""
        (interval,) = self.outputs.values()
        return interval


@dataclass(frozen=True)
class Facts:
    """What operators are told about the model that they are in.

    Parameters
    ----------
    model : IntegerModel
    known : dict of str to tuple of int
        Shapes of all tensors.
    ranges : Ranges
        Of earlier layers at least.
    fraction_bits : dict of str to int
        Of the stream versions that were seen so far.
    """

    model: object
    known: dict
    ranges: Ranges = field(default_factory=Ranges)
    fraction_bits: dict = field(default_factory=dict)


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
    facts = Facts(model, shapes(model))
    ranges = facts.ranges
    for layer in model.layers:
        low, high = layer.interval(facts)
        if layer.drain is None:
            ranges.kv[layer.name] = low, high
            continue
        require_width(layer, low, high)
        low, high = low.astype(np.int64), high.astype(np.int64)
        ranges.potential[layer.name] = low, high
        layer.drain.record(layer, low, high, ranges)
    return ranges


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
    for noun, found in (("potential", ranges.potential), ("stream", ranges.stream),
                        ("logits", ranges.outputs)):
        for name, interval in found.items():
            result[name][noun] = width(*interval)
    for name, (_, high) in ranges.kv.items():
        result[name]["kv"] = kv_width(high)
    return result

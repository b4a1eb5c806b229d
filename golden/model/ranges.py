"""Exact ranges: which values each tensor of a model can take, and how many bits hold them.

The intervals follow from weights and biases alone, so they hold for every image. A count is 0..D
whatever its thresholds. A membrane may or may not fire, so its interval grows with every step until
it repeats. Because zero lies in every operator's interval, and partial sums add a
subset of the same terms, the accumulator stays inside it at every step, in any order of additions
and in all spike codes.
"""

from dataclasses import dataclass, field

from golden.interval import kv_width, width
from golden.model.shapes import tensor_infos


__all__ = ["Ranges", "analyse", "widths"]


@dataclass(frozen=True)
class Ranges:
    """Least and largest value, per layer and channel.

    Every value is a pair of int64 arrays of shape (channels,), keyed by the layer's name; for
    ``memory`` the arrays have one entry per head. ``fired`` is what thresholds are compared with,
    ``state`` has membranes and states one behind the other, and ``carried`` is what a state is
    when a layer is done, and the thresholds that fired there, by the state's name.
    """

    potential: dict[str, tuple] = field(default_factory=dict)
    stream: dict[str, tuple] = field(default_factory=dict)
    memory: dict[str, tuple] = field(default_factory=dict)
    outputs: dict[str, tuple] = field(default_factory=dict)
    fired: dict[str, tuple] = field(default_factory=dict)
    state: dict[str, tuple] = field(default_factory=dict)
    carried: dict[str, tuple] = field(default_factory=dict)

    @property
    def logits(self):
        """The pair of the first layer that has an output."""
        return next(iter(self.outputs.values()))


@dataclass(frozen=True)
class Facts:
    """What operators are told about the model that they are in.

    Parameters
    ----------
    known : dict of str to TensorInfo
        Of all tensors.
    ranges : Ranges
        Of earlier layers at least.
    """

    known: dict
    ranges: Ranges = field(default_factory=Ranges)


def analyse(model):
    """Intervals of every potential, stream, state, attention memory and output.

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
    facts = Facts(tensor_infos(model))
    for layer in model.layers:
        layer.record(*layer.interval(facts), facts)
    return facts.ranges


def widths(model):
    """Bits that every layer's accumulator, stream, state, attention memory and output need.

    Returns
    -------
    dict of str to dict of str to int
        Per layer: ``potential``, ``stream``, ``state`` and ``output`` in two's complement,
        ``memory`` without a sign bit; a layer has the entries that apply to it.
    """
    ranges = analyse(model)
    result = {layer.name: {} for layer in model.layers}
    for noun, found in (("potential", ranges.potential), ("stream", ranges.stream),
                        ("state", ranges.state), ("output", ranges.outputs)):
        for name, interval in found.items():
            result[name][noun] = width(*interval)
    for name, (_, high) in ranges.memory.items():
        result[name]["memory"] = kv_width(high)
    return result

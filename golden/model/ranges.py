"""Exact ranges: which values each tensor of a model can take, and how many bits hold them.

The intervals follow from weights and biases alone, so they hold for every image. A count is 0..D
whatever its thresholds. A membrane may or may not fire, so its interval grows with every step until
it repeats. Because zero lies in every operator's interval, and partial sums add a
subset of the same terms, the accumulator stays inside it at every step, in any order of additions
and in all spike codes.
"""

from golden.interval import kv_width, width
from golden.model.integer_model import IntegerModel
from golden.model.shapes import tensor_infos
from golden.ops.facts import Facts, Ranges


__all__ = ["analyse", "widths"]


def analyse(model: IntegerModel) -> Ranges:
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


def widths(model: IntegerModel) -> dict[str, dict[str, int]]:
    """Bits that every layer's accumulator, stream, state, attention memory and output need.

    Returns
    -------
    dict of str to dict of str to int
        Per layer: ``potential``, ``stream``, ``state`` and ``output`` in two's complement,
        ``memory`` without a sign bit; a layer has the entries that apply to it.
    """
    ranges = analyse(model)
    result: dict[str, dict[str, int]] = {layer.name: {} for layer in model.layers}
    for noun, found in (
        ("potential", ranges.potential),
        ("stream", ranges.stream),
        ("state", ranges.state),
        ("output", ranges.outputs),
    ):
        for name, interval in found.items():
            result[name][noun] = width(*interval)
    for name, (_, high) in ranges.memory.items():
        result[name]["memory"] = kv_width(high)
    return result

"""Attentions, masks and sums that are drawn: what reads more than one map, or no spikes."""

from golden import Axis, KeyValue, Mask, Query, Sum
from golden.ops.heads import OVER, sets_of
from golden.tensor_info import TensorInfo

from .convolutions import branch, dense


__all__ = ["add_attention", "add_mask", "add_sum"]


def add_attention(sketch):
    """Queries, keys and values of their own or of other layers, and both passes."""
    source = sketch.pick(sketch.inputs())
    axes = sketch.axes(sketch.info(source).size)
    heads = int(sketch.rng.choice([1, 2, 3, 4, 5, 7]))
    widths = [heads * int(sketch.rng.integers(1, 5)) for _ in range(2)]
    keys = branch(sketch, source, axes, widths[0])
    if keys is None:
        return
    info = sketch.info(keys)
    like = sketch.counts(
        lambda other: (
            (other.size, other.steps) == (info.size, info.steps) and other.channels % heads == 0
        )
    )
    values = branch(sketch, source, axes, widths[1]) if sketch.chance(0.85) else None
    if values is None or not _alike(sketch, values, keys):
        values = sketch.one_of(like)
    over = sketch.one_of(OVER) if "sets" in sketch.features else "space"
    memories = [_memory(sketch, keys, values, heads, over)]
    if sketch.chance(0.1):
        others = [
            other
            for other in (1, heads, 2)
            if all(sketch.info(name).channels % other == 0 for name in (keys, values))
        ]
        memories.append(_memory(sketch, keys, values, sketch.one_of(others), over))
    if sketch.chance(0.3):
        # Something else reads the values.
        dense(sketch, [values])
    if sketch.chance(0.1):
        axes = sketch.axes(sketch.info(source).size)
    queries = branch(sketch, source, axes, widths[0]) if sketch.chance(0.85) else None
    fitting = sketch.counts(
        lambda other: (
            other.channels == info.channels and sets_of(other, over) == sets_of(info, over)
        )
    )
    if queries not in fitting:
        queries = sketch.one_of(fitting)
    for memory in filter(None, memories):
        _query(sketch, queries, memory, over)


def add_mask(sketch):
    """Counts behind a gate that is made of them, or of another map of their size."""
    values = sketch.pick(sketch.counts())
    info = sketch.info(values)
    if sketch.chance(0.6):
        heads = [part for part in range(1, info.channels + 1) if info.channels % part == 0]
        layer = sketch.conv([values], sketch.one_of(heads[1:-1] or heads), (Axis(1), Axis(1)))
        sketch.fire(layer, sketch.map_of(layer))
    gate = sketch.pick(
        sketch.counts(
            lambda other: (
                (other.size, other.steps) == (info.size, info.steps)
                and info.channels % other.channels == 0
            )
        )
    )
    layer = Mask(sketch.next_name(), gate, values, sketch.info(gate).channels, None)
    _finish(sketch, layer, TensorInfo("counts", info.channels, info.size, info.steps))


def add_sum(sketch, source=None):
    """Sum of a stream over its positions, or over its steps."""
    source = source or sketch.pick(sketch.streams)
    over = sketch.one_of(OVER) if "sets" in sketch.features else "space"
    layer = Sum(sketch.next_name(), source, None, over)
    info, stream = sketch.summed(layer)
    if sketch.has("epilogues", 0.3):
        sketch.write(layer, info)
    else:
        sketch.fire(layer, info, stream)


def _alike(sketch, name, other):
    one, two = sketch.info(name), sketch.info(other)
    return (one.size, one.steps) == (two.size, two.steps)


def _memory(sketch, keys, values, heads, over):
    """Adds the first pass; the name of the memory, or of the counts that are fired from it."""
    layer = KeyValue(f"{sketch.next_name()}.kv", keys, values, heads, over)
    (info,) = layer.outputs(sketch.facts.known).values()
    return sketch.fire(layer, info) if sketch.has("sets", 0.7) else sketch.append(layer)


def _query(sketch, queries, memory, over):
    """Adds the second pass over a memory."""
    heads, _, dv = sketch.info(memory).shape
    layer = Query(sketch.next_name(), queries, memory, heads, None, over)
    info = sketch.info(queries)
    _finish(sketch, layer, TensorInfo("counts", heads * dv, info.size, info.steps))


def _finish(sketch, layer, info):
    """Adds a layer that fires, or that writes a stream of its own."""
    if sketch.has("epilogues", 0.3):
        sketch.write(layer, info)
    else:
        sketch.fire(layer, info)

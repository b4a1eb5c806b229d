"""Convolutions, maxima and constants that are drawn, with what is behind them."""

from math import prod

from golden import Constant, Max, Sum
from golden.names import stream_name

from .geometry import odd_axes, squares
from .values import random_weights


__all__ = [
    "add_constant",
    "add_fire",
    "add_groups",
    "add_max",
    "add_stream",
    "branch",
    "continue_stream",
    "dense",
]


def add_fire(sketch):
    """A convolution that mixes all channels of its sources, and fires."""
    dense(sketch, _sources(sketch))


def add_stream(sketch):
    """A convolution that starts a stream."""
    layer, info = _dense(sketch, _sources(sketch))
    sketch.write(layer, info)


def dense(sketch, sources):
    """Counts of a convolution that mixes all channels; None where they would be too large."""
    return sketch.fire(*_dense(sketch, sources))


def add_groups(sketch):
    """A depthwise convolution, or one of other groups."""
    source = sketch.pick(sketch.inputs())
    info = sketch.info(source)
    outputs, groups = info.channels, info.channels
    if sketch.has("groups", 0.7):
        parts = [part for part in range(1, info.channels + 1) if info.channels % part == 0]
        # Those between 1 and the channels, where there are any.
        groups = sketch.one_of(parts[1:-1] or parts)
        outputs = groups * int(sketch.rng.integers(1, max(2, 24 // groups)))
    layer = sketch.conv([source], outputs, sketch.axes(info.size), groups=groups)
    if sketch.chance(0.25):
        sketch.write(layer, sketch.map_of(layer))
    else:
        sketch.fire(layer, sketch.map_of(layer))


def continue_stream(sketch, *sources):
    """A write onto any version of any stream, from any map that axes bring to its size."""
    previous = sketch.pick(sketch.streams)
    stream = sketch.info(previous)
    found = {
        source: found
        for source in sources or sketch.inputs()
        if (found := _onto(sketch, sketch.info(source), stream))
    }
    if not found:
        return
    source = sketch.pick(list(found))
    channels = sketch.info(source).channels
    depthwise = stream.channels > 1 and channels == stream.channels and sketch.chance(0.3)
    layer = sketch.conv(
        [source], stream.channels, sketch.one_of(found[source]), groups=channels if depthwise else 1
    )
    info = sketch.map_of(layer)
    if info.steps == stream.steps:
        sketch.write(layer, info, previous)


def add_max(sketch):
    """Largest counts of windows."""
    source = sketch.pick(sketch.counts())
    sketch.append(Max(sketch.next_name(), source, sketch.axes(sketch.info(source).size)))


def add_constant(sketch):
    """Weights that fire, begin a stream, or are added to every step of one."""
    previous = sketch.pick(sketch.streams) if sketch.streams and sketch.chance(0.8) else None
    like = sketch.info(previous or sketch.pick(sketch.inputs()))
    shape = like.shape if previous else (int(sketch.rng.integers(1, 6)), *like.size)
    bits = sketch.one_of(sketch.bits)
    weight = random_weights(sketch.rng, shape, bits)
    layer = Constant(sketch.next_name(), weight, bits, None)
    info = sketch.info(previous) if previous else sketch.map_of(layer)
    if previous or sketch.chance(0.4):
        sketch.write(layer, info, previous)
    else:
        sketch.fire(layer, info)


def branch(sketch, source, axes, channels):
    """Counts of a convolution, or those of a write, whose stream is summed sometimes."""
    if sketch.chance(0.25):
        layer = sketch.conv([source], channels, axes)
        counts = sketch.write(layer, sketch.map_of(layer))
        if counts is not None and sketch.chance(0.6):
            summed = Sum(sketch.next_name(), stream_name(layer), None)
            sketch.fire(summed, *sketch.summed(summed))
        if counts is not None and sketch.info(counts).kind == "counts":
            return counts
    layer = sketch.conv([source], channels, axes)
    return sketch.fire(layer, sketch.map_of(layer))


def _sources(sketch):
    """One map, or several of the same size that are read one behind the other."""
    first = sketch.pick(sketch.inputs())
    if not sketch.has("sources", 0.6):
        return [first]
    info = sketch.info(first)
    like = [
        name
        for name in sketch.inputs()
        if (sketch.info(name).size, sketch.info(name).steps) == (info.size, info.steps)
    ]
    others = [name for name in like if name != first]
    if others and sketch.chance(0.8):
        like = others
    return [first, *(sketch.pick(like) for _ in range(sketch.rng.integers(1, 3)))]


def _dense(sketch, sources):
    """A convolution without its epilogue, and the info of its map."""
    axes = sketch.axes(size := sketch.info(sources[0]).size)
    positions = prod(axis.length(length) for axis, length in zip(axes, size, strict=True))
    layer = sketch.conv(sources, sketch.channels(positions), axes)
    return layer, sketch.map_of(layer)


def _onto(sketch, info, stream):
    """Axes that bring a map to the size of a stream."""
    if info.steps != stream.steps:
        return []
    if sketch.has("axes", 0.4):
        pair = tuple(
            odd_axes(sketch.rng, length, lambda out, wanted=wanted: out == wanted)
            for length, wanted in zip(info.size, stream.size, strict=True)
        )
        if None not in pair:
            return [pair]
    return squares(info.size, lambda out: out == stream.size)

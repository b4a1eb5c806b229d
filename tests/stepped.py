"""A model of several steps with every operator, and what it computes in loops over products."""

from dataclasses import replace
from itertools import product

import numpy as np

from golden import (
    PIXELS,
    Axis,
    Constant,
    Conv,
    Fire,
    Input,
    IntegerModel,
    KeyValue,
    Leak,
    LeakKind,
    Mask,
    Max,
    Membrane,
    Neuron,
    Output,
    Query,
    Reset,
    Rounding,
    Sum,
    Write,
    stream_thresholds,
    validate,
)
from golden.model.ranges import widths
from golden.model.shapes import tensor_infos


__all__ = ["SIZE", "STEPS", "expected", "stepped"]


STEPS, SIZE = 3, (4, 3)

#: Axes of a pointwise convolution.
POINT = (Axis(1), Axis(1))


def weights(seed, *shape, bits=4):
    limit = 2 ** (bits - 1) - 1
    drawn = np.random.default_rng(seed).integers(-limit, limit + 1, shape)
    return drawn.astype(np.int8 if bits <= 8 else np.int16)


def ladder(*thresholds):
    return Neuron(np.array([thresholds]), Rounding.HALF_UP)


def conv(name, sources, channels, inputs, epilogue, *, axes=POINT, groups=1, bits=4, time="each"):
    kernel = [axis.kernel for axis in axes]
    weight = weights(len(name), channels, inputs // groups, *kernel, bits=bits)
    return Conv(name, sources, weight, bits, axes, groups, epilogue, time)


def output(channels, name):
    return Output(np.arange(channels, dtype=np.int64), 0.5, 1, name)


def stepped():
    """Every operator once at least; three steps until sums over time."""
    leaky = Membrane((Leak(LeakKind.SHIFT, 1),), Reset.ZERO)
    whole = Membrane((Leak(LeakKind.SHIFT, 2),), Reset.SUBTRACT, 9, sticky=True)
    even = Neuron(stream_thresholds(9, 3, Rounding.HALF_EVEN), Rounding.HALF_EVEN, whole)
    bias = np.array([5, -40, 3, 700])
    layers = (
        conv(
            "stem",
            (PIXELS,),
            4,
            2,
            Write(None, 1, bias, 9, even),
            axes=(Axis(3, before=2), Axis(2, after=1)),
        ),
        conv(
            "q",
            ("stem.counts",),
            4,
            4,
            Fire(Neuron(np.array([[2], [1], [3], [0]]), Rounding.HALF_UP, leaky)),
        ),
        conv(
            "k",
            ("stem.counts",),
            4,
            4,
            Fire(Neuron.uniform(2, 2), 1, np.array([0, 1, -2, 9])),
            groups=2,
        ),
        conv("v", ("stem.counts", "k.counts"), 6, 8, Fire(ladder(-3, 4)), bits=11),
        KeyValue("space.kv", "k.counts", "v.counts", 2),
        Query("space", "q.counts", "space.kv", 2, Fire(ladder(1, 9))),
        KeyValue("time.kv", "k.counts", "v.counts", 2, "time"),
        Query("time", "q.counts", "time.kv", 2, Fire(ladder(2, 5)), "time"),
        KeyValue(
            "both.kv",
            "k.counts",
            "v.counts",
            2,
            "both",
            Fire(Neuron(np.array([[20, 40], [30, 50]]), Rounding.HALF_UP)),
        ),
        Query("both", "q.counts", "both.kv.counts", 2, Fire(ladder(1, 2)), "both"),
        conv("gate", ("v.counts",), 3, 6, Fire(ladder(-1, 3))),
        Mask("mask", "gate.counts", "v.counts", 3, Fire(ladder(1, 2, 4))),
        Max("pool", "v.counts", (Axis(2, 2), Axis(3, 1, 1, 1))),
        conv(
            "up",
            ("pool.counts",),
            4,
            6,
            Write("stem.stream", 0, -bias, 9, None, "max"),
            axes=(Axis(1, upsample=2), Axis(1)),
        ),
        Constant(
            "code",
            weights(7, 4, *SIZE, bits=9),
            9,
            Write("up.stream", 2, bias, 9, replace(even, membrane=None)),
        ),
        Sum(
            "late",
            "code.stream",
            Fire(Neuron(stream_thresholds(9, 2, Rounding.HALF_UP, STEPS), Rounding.HALF_UP)),
            "time",
        ),
        Sum("all", "code.stream", output(4, "totals"), "both"),
        conv(
            "map",
            ("code.counts", "mask.counts"),
            2,
            10,
            output(2, "map"),
            axes=(Axis(2, 2, 1, 1, transposed=True), Axis(2, 1, 0, 0, 2)),
        ),
        conv("head", ("late.counts",), 5, 4, output(5, "logits"), axes=(Axis(4), Axis(3))),
        conv("rate", ("both.counts",), 2, 6, output(2, "rate"), time="sum"),
    )
    model = IntegerModel("steps", Input((*SIZE, 1), STEPS, 9), layers)
    validate(model)
    return replace(model, widths=widths(model))


def potential(layer, tensors, known):
    """Potentials in Python's integers, one product after the other; (samples, steps, ...)."""
    return LOOPS[type(layer)](layer, tensors, known)


def conv_loop(layer, tensors, known):
    source = np.concatenate([tensors[name] for name in layer.sources], axis=2)
    samples, steps, channels, *size = source.shape
    lengths = [axis.length(side) for axis, side in zip(layer.axes, size, strict=True)]
    result = np.zeros((samples, steps, layer.channels, *lengths), np.int64)
    width = channels // layer.groups
    for out, y, x in np.ndindex(layer.channels, *lengths):
        first = out // (layer.channels // layer.groups) * width
        for (i, row), (j, column), channel in product(
            layer.axes[0].pairs(y, size[0]), layer.axes[1].pairs(x, size[1]), range(width)
        ):
            result[:, :, out, y, x] += (
                int(layer.weight[out, channel, i, j]) * source[:, :, first + channel, row, column]
            )
    return result.sum(axis=1, keepdims=True) if layer.time == "sum" else result


def set_of(layer, step, y, x):
    return {"space": step, "time": y * SIZE[1] + x, "both": 0}[layer.over]


def key_value_loop(layer, tensors, known):
    keys, values = tensors[layer.keys], tensors[layer.values]
    dk, dv = keys.shape[2] // layer.heads, values.shape[2] // layer.heads
    sets = {"space": STEPS, "time": SIZE[0] * SIZE[1], "both": 1}[layer.over]
    result = np.zeros((len(keys), sets, layer.heads, dk, dv), np.int64)
    for step, y, x, head, i, j in np.ndindex(STEPS, *SIZE, layer.heads, dk, dv):
        result[:, set_of(layer, step, y, x), head, i, j] += (
            keys[:, step, head * dk + i, y, x] * values[:, step, head * dv + j, y, x]
        )
    return result


def query_loop(layer, tensors, known):
    queries, memory = tensors[layer.queries], tensors[layer.memory]
    _, _, heads, dk, dv = memory.shape
    result = np.zeros((len(queries), STEPS, heads * dv, *SIZE), np.int64)
    for step, y, x, head, i, j in np.ndindex(STEPS, *SIZE, heads, dk, dv):
        result[:, step, head * dv + j, y, x] += (
            queries[:, step, head * dk + i, y, x] * memory[:, set_of(layer, step, y, x), head, i, j]
        )
    return result


def mask_loop(layer, tensors, known):
    gate, values = tensors[layer.gate], tensors[layer.values]
    width = values.shape[2] // layer.heads
    return np.stack(
        [
            values[:, :, channel] * gate[:, :, channel // width]
            for channel in range(values.shape[2])
        ],
        axis=2,
    )


def max_loop(layer, tensors, known):
    source = tensors[layer.source]
    result = np.zeros((*source.shape[:2], *known[f"{layer.name}.counts"].shape), np.int64)
    for y, x in np.ndindex(*result.shape[3:]):
        for (_, row), (_, column) in product(
            layer.axes[0].pairs(y, SIZE[0]), layer.axes[1].pairs(x, SIZE[1])
        ):
            result[..., y, x] = np.maximum(result[..., y, x], source[..., row, column])
    return result


def constant_loop(layer, tensors, known):
    return np.zeros((5, STEPS, 1, 1, 1), np.int64) + layer.weight


def sum_loop(layer, tensors, known):
    stream = tensors[layer.source]
    if layer.over == "time":
        return sum(stream[:, step : step + 1] for step in range(STEPS))
    return stream.reshape(5, STEPS, 4, -1).sum(axis=(1, 3)).reshape(5, 1, 4, 1, 1)


LOOPS = {
    Conv: conv_loop,
    KeyValue: key_value_loop,
    Query: query_loop,
    Mask: mask_loop,
    Max: max_loop,
    Constant: constant_loop,
    Sum: sum_loop,
}


def fired(neuron, values):
    """Counts of every neuron by itself."""
    counts = np.zeros_like(values)
    for sample, channel, y, x in np.ndindex(len(values), *values.shape[2:]):
        state, lost, membrane = 0, 0, neuron.membrane
        for step in range(values.shape[1]):
            value, ladder = int(values[sample, step, channel, y, x]), neuron.ladder
            if membrane is not None:
                shift = membrane.leak[0].shift
                lost |= state % 2**shift != 0
                value += state >> shift
            row = ladder[channel if len(ladder) > 1 else 0].tolist()
            sticky = membrane is not None and membrane.sticky and lost
            count = sum(
                value + (1 if sticky and index % 2 == 0 else 0) >= threshold
                for index, threshold in enumerate(row)
            )
            counts[sample, step, channel, y, x] = count
            if membrane is not None:
                state = value
                if membrane.reset is Reset.ZERO and count:
                    state = lost = 0
                elif membrane.reset is Reset.SUBTRACT:
                    state = value - count * 2**membrane.unit
    return counts


def expected(model, frames):
    pixels = np.moveaxis(frames.astype(np.int64), -1, 2)
    tensors = {PIXELS: np.concatenate([pixels, np.full_like(pixels, 9)], axis=2)}
    known = tensor_infos(model)
    for layer in model.layers:
        name, epilogue = layer.name, layer.epilogue
        value = potential(layer, tensors, known)
        if epilogue is None:
            tensors[f"{name}.counts" if isinstance(layer, Max) else name] = value
            continue
        value = value * 2**epilogue.shift
        if epilogue.bias is not None:
            value = value + epilogue.bias[:, None, None]
        if isinstance(epilogue, Output):
            tensors[epilogue.name] = value
            continue
        if isinstance(epilogue, Write):
            if epilogue.previous is not None:
                join = {"add": np.add, "max": np.maximum}[epilogue.combine]
                value = join(value, tensors[epilogue.previous])
            tensors[f"{name}.stream"] = value
        if epilogue.neuron is not None:
            tensors[f"{name}.counts"] = fired(epilogue.neuron, value)
    return tensors

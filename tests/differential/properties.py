"""What is unusual about a model: the properties that a run of random models must have met."""

from itertools import pairwise

import numpy as np

from golden import (
    PIXELS,
    AnalogHead,
    Conv,
    Fire,
    KeyValue,
    Output,
    Query,
    Rounding,
    Sum,
    Write,
)
from golden.model.ranges import analyse
from golden.model.shapes import last_readers
from golden.names import counts_name, stream_name


__all__ = ["GOLDEN_ONLY", "PROPERTIES", "properties"]


#: Every name that `properties` may return.
PROPERTIES = (
    *(f"D = {count}" for count in range(1, 16)),
    *(f"weights of {bits} bits" for bits in range(2, 9)),
    "images that are not square", "constant pixels", "one layer", "outputs that nobody reads",
    "odd channels", "maps of 1x1", "kernel larger than the map", "even kernel",
    "stride larger than the kernel", "depthwise", "depthwise with a stride",
    "pixels read more than once", "logits of several positions", "weights all zero",
    "weights all extreme", "thresholds on ties", "thresholds equal", "thresholds never reached",
    "thresholds always reached", "thresholds shared by channels", "half-up", "half-even",
    "several streams", "interleaved streams", "interleaved streams of other sizes",
    "branching stream", "joined streams", "two summed streams", "no token sum",
    "shift up to the limit", "attention", "many heads", "one token", "several attentions",
    "values read by a convolution", "counts summed and keys",
    "keys that are values", "queries of another map", "two memories before their queries",
    "values with two head counts", "values of a write, query or sum", "depthwise head",
    "logits over 32 bits", "analog head",
)

#: Those that hardware refuses.
GOLDEN_ONLY = ("logits over 32 bits", "analog head")


def properties(model, tensors):
    """Names of what a model has, of `PROPERTIES`.

    Parameters
    ----------
    model : IntegerModel
    tensors : dict of str to int64 array
        Trace of a run.

    Returns
    -------
    set of str
    """
    parts = (_whole(model, tensors), _convolutions(model, tensors), _neurons(model, tensors),
             _streams(model, tensors), _attention(model, tensors), _heads(model, tensors))
    return {name for part in parts for name, present in part.items() if present}


def _whole(model, tensors):
    height, width, _ = model.image_shape
    last = last_readers(model)
    made = {name for layer in model.layers[:-1]
            for name in (counts_name(layer), stream_name(layer), layer.name) if name in tensors}
    unread = [layer for layer in model.layers[:-1] if not
              {counts_name(layer), stream_name(layer), layer.name} & set(last)]
    maps = [values.shape for name, values in tensors.items() if name.endswith(".counts")]
    of_sums = {counts_name(layer) for layer in model.layers if isinstance(layer, Sum)}
    return {
        f"D = {model.max_count}": True,
        "images that are not square": height != width,
        "constant pixels": model.pixel_constant > 0,
        "one layer": len(model.layers) == 1,
        "outputs that nobody reads": made and unread,
        "odd channels": any(shape[1] % 2 and shape[1] > 1 for shape in maps),
        "maps of 1x1": any(tensors[name].shape[2:] == (1, 1)
                           for name in {*last} - of_sums if name.endswith(".counts")),
        "no token sum": not any(isinstance(layer, Sum) for layer in model.layers),
    }


def _convolutions(model, tensors):
    found = {}
    convolutions = [layer for layer in model.layers if isinstance(layer, Conv)]
    for layer in convolutions:
        size, kernel = tensors[layer.source].shape[2:], layer.weight.shape[2]
        extreme = np.abs(layer.weight.astype(int)) == 2 ** (layer.weight_bits - 1) - 1
        for name, present in {
            f"weights of {layer.weight_bits} bits": True,
            "kernel larger than the map": kernel > min(size),
            "even kernel": kernel % 2 == 0,
            "stride larger than the kernel": layer.axes[0].stride > kernel and max(size) > 1,
            "depthwise": layer.depthwise,
            "depthwise with a stride": layer.depthwise and layer.axes[0].stride > 1,
            "weights all zero": not layer.weight.any(),
            "weights all extreme": extreme.all() and layer.weight_bits > 2 and extreme.size > 4,
        }.items():
            found[name] = found.get(name) or present
    found["pixels read more than once"] = sum(
        layer.source == PIXELS for layer in convolutions) > 1
    return found


def _neurons(model, tensors):
    found = {}
    ranges = analyse(model).potential
    for layer in model.layers:
        neuron = layer.epilogue and layer.epilogue.neuron
        if neuron is not None:
            found["half-up"] = found.get("half-up") or neuron.rounding is Rounding.HALF_UP
            found["half-even"] = found.get("half-even") or neuron.rounding is Rounding.HALF_EVEN
        if not isinstance(layer.epilogue, Fire) or isinstance(layer, Sum):
            continue
        ladder = neuron.thresholds
        low, high = ranges[layer.name]
        if len(ladder) == 1:
            low, high = low.min(keepdims=True), high.max(keepdims=True)
        *_, potentials = layer.potentials(tensors, max_count=model.max_count)
        ties = [(potentials[:, channel] == ladder[channel % len(ladder), step]).any()
                for channel, step in np.ndindex(potentials.shape[1], ladder.shape[1])]
        for name, present in {
            "thresholds on ties": any(ties),
            "thresholds equal": (ladder.shape[1] > 1) & (ladder[:, :1] == ladder).all(axis=1).any(),
            "thresholds never reached": (high - ladder.T < 0).any(),
            "thresholds always reached": (low - ladder.T >= 0).any(),
            "thresholds shared by channels": len(ladder) < potentials.shape[1],
        }.items():
            found[name] = found.get(name) or present
    return found


def _streams(model, tensors):
    """Lines of versions: a line is named by the write that began it."""
    line, newest, last = {}, {}, last_readers(model)
    found, begins, ends, sizes = {}, {}, {}, {}
    for index, layer in enumerate(model.layers):
        if not isinstance(layer, Conv) or not isinstance(layer.epilogue, Write):
            continue
        name, previous = stream_name(layer), layer.epilogue.previous
        line[name] = line.get(previous, name)
        found["branching stream"] = found.get("branching stream") or (
            previous is not None and newest[line[previous]] != previous)
        source = layer.source.removesuffix("counts") + "stream"
        found["joined streams"] = found.get("joined streams") or (
            previous is not None and line.get(source, line[previous]) != line[previous])
        newest[line[name]] = name
        begins.setdefault(line[name], index)
        ends[line[name]] = max(ends.get(line[name], 0), last.get(name, index))
        sizes[line[name]] = tensors[name].shape[1:]
        found["shift up to the limit"] = found.get("shift up to the limit") or _at_limit(
            model.widths[layer.name]["stream"], layer.epilogue.shift)
    summed = {layer.source for layer in model.layers if isinstance(layer, Sum)}
    pairs = [(one, other) for one in begins for other in begins
             if begins[one] < begins[other] < ends[one] and other != one]
    return found | {
        "several streams": len(begins) > 1,
        "interleaved streams": pairs,
        "interleaved streams of other sizes": any(sizes[one] != sizes[two] for one, two in pairs),
        "two summed streams": len(summed) > 1,
    }


def _at_limit(bits, shift):
    """Whether a shift is the largest that a format or a width of 48 bits allows, or near it."""
    return shift == 32 or (shift > 4 and bits >= 44)


def _attention(model, tensors):
    memories = [layer for layer in model.layers if isinstance(layer, KeyValue)]
    queries = [layer for layer in model.layers if isinstance(layer, Query)]
    by_name = {layer.name: layer for layer in memories}
    heads_of = {}
    for layer in memories:
        heads_of.setdefault(layer.values, set()).add(layer.heads)
    maker = {counts_name(layer): layer for layer in model.layers}
    read = {layer.source for layer in model.layers if isinstance(layer, Conv)}
    summed = {layer.source.removesuffix("stream") + "counts"
              for layer in model.layers if isinstance(layer, Sum)}
    kinds = [layer for layer in model.layers if isinstance(layer, KeyValue | Query)]
    return {
        "attention": queries,
        "many heads": any(layer.heads > 2 for layer in queries),
        "one token": any(tensors[layer.keys].shape[2:] == (1, 1) for layer in memories),
        "several attentions": len(queries) > 1,
        "values read by a convolution": read & set(heads_of),
        "counts summed and keys": summed & {layer.keys for layer in memories},
        "keys that are values": {layer.keys for layer in memories} & set(heads_of),
        "queries of another map": any(
            tensors[layer.queries].shape[2:] != tensors[by_name[layer.memory].keys].shape[2:]
            for layer in queries),
        "two memories before their queries": any(
            isinstance(one, KeyValue) and isinstance(other, KeyValue)
            for one, other in pairwise(kinds)),
        "values with two head counts": any(len(heads) > 1 for heads in heads_of.values()),
        "values of a write, query or sum": any(
            not isinstance(maker[name], Conv) or isinstance(maker[name].epilogue, Write)
            for name in heads_of),
    }


def _heads(model, tensors):
    head = model.layers[-1]
    spikes = isinstance(head, Conv)
    size = tensors[head.reads[0]].shape[2:]
    return {
        "analog head": isinstance(head, AnalogHead),
        "depthwise head": spikes and head.depthwise,
        "logits of several positions": spikes and size != (1, 1) and head.weight.shape[2] > 1,
        "logits over 32 bits": model.widths[head.name]["output"] > 32,
        "shift up to the limit": isinstance(head.epilogue, Output) and head.epilogue.shift == 32,
    }

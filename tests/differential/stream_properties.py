"""Properties of streams: lines of versions, named by the write that began each."""

from golden import Constant, Query, Sum, Write
from golden.model.shapes import last_readers
from golden.names import stream_name


__all__ = ["GOLDEN_ONLY", "NAMES", "find"]


GOLDEN_ONLY = ("larger of two streams", "stream of a query", "stream of sums")

NAMES = (
    "several streams",
    "interleaved streams",
    "interleaved streams of other sizes",
    "branching stream",
    "joined streams",
    "two summed streams",
    "shift up to the limit",
    "stream without a neuron",
    "stream of a constant",
    *GOLDEN_ONLY,
)


def find(model, tensors, infos):
    """Yields names, and whether the model has that; see `properties.properties`."""
    line, newest, last = {}, {}, last_readers(model)
    begins, ends, sizes = {}, {}, {}
    for index, layer in enumerate(model.layers):
        epilogue = layer.epilogue
        if not isinstance(epilogue, Write):
            continue
        name, previous = stream_name(layer), epilogue.previous
        line[name] = line.get(previous, name)
        yield "larger of two streams", epilogue.combine == "max"
        yield "stream without a neuron", epilogue.neuron is None
        yield "stream of a query", isinstance(layer, Query)
        yield "stream of a constant", isinstance(layer, Constant)
        yield "stream of sums", isinstance(layer, Sum)
        yield "shift up to the limit", _at_limit(model.widths[layer.name]["stream"], epilogue.shift)
        if previous is not None:
            yield "branching stream", newest[line[previous]] != previous
            sources = {
                line.get(source.removesuffix("counts") + "stream", line[previous])
                for source in layer.reads
            }
            yield "joined streams", bool(sources - {line[previous]})
        newest[line[name]] = name
        begins.setdefault(line[name], index)
        ends[line[name]] = max(ends.get(line[name], 0), last.get(name, index))
        sizes[line[name]] = infos[name].shape
    pairs = [
        (one, other)
        for one in begins
        for other in begins
        if begins[one] < begins[other] < ends[one] and other != one
    ]
    yield "several streams", len(begins) > 1
    yield "interleaved streams", pairs
    yield "interleaved streams of other sizes", any(sizes[one] != sizes[two] for one, two in pairs)
    yield (
        "two summed streams",
        len({layer.source for layer in model.layers if isinstance(layer, Sum)}) > 1,
    )


def _at_limit(bits, shift):
    """Whether a shift is the largest that a format or a width of 48 bits allows, or near it."""
    return shift == 32 or (shift > 4 and bits >= 44)

"""Properties of the whole network: its input, its counts, and who reads what."""

from itertools import pairwise

from golden import PIXELS, Constant, Conv, Max, Sum
from golden.model.shapes import last_readers
from golden.names import counts_name, stream_name


__all__ = ["GOLDEN_ONLY", "NAMES", "find"]


GOLDEN_ONLY = ("D over 15",)

NAMES = (
    *(f"D = {count}" for count in range(1, 16)),
    "images that are not square",
    "constant pixels",
    "one layer",
    "outputs that nobody reads",
    "odd channels",
    "maps of 1x1",
    "pixels read more than once",
    "no token sum",
    "max",
    "max with padding",
    "constant",
    "several D",
    "a larger D than those before",
    *GOLDEN_ONLY,
)


def find(model, tensors, infos):
    """Yields names, and whether the model has that; see `properties.properties`."""
    height, width, _ = model.image_shape
    last, inner = (
        last_readers(model),
        [
            layer
            for layer in model.layers
            if infos.get(counts_name(layer)) or stream_name(layer) in infos or layer.name in infos
        ],
    )
    yield (
        "outputs that nobody reads",
        any(
            not {counts_name(layer), stream_name(layer), layer.name} & set(last) for layer in inner
        ),
    )
    counts = {name: info for name, info in infos.items() if info.kind == "counts"}
    of_sums = {counts_name(layer) for layer in model.layers if isinstance(layer, Sum)}
    yield f"D = {model.max_count}", model.max_count <= 15
    yield "images that are not square", height != width
    yield "constant pixels", model.pixel_constant > 0
    yield "one layer", len(model.layers) == 1
    yield "odd channels", any(info.channels % 2 and info.channels > 1 for info in counts.values())
    yield (
        "maps of 1x1",
        any(infos[name].size == (1, 1) for name in {*last} - of_sums if name in counts),
    )
    yield (
        "pixels read more than once",
        sum(PIXELS in layer.reads for layer in model.layers if isinstance(layer, Conv)) > 1,
    )
    yield "no token sum", not of_sums
    largest = [info.levels for info in counts.values()]
    yield "several D", len({*largest}) > 1
    yield "D over 15", any(levels > 15 for levels in largest)
    yield "a larger D than those before", any(one < two for one, two in pairwise(largest))
    for layer in model.layers:
        if isinstance(layer, Max):
            yield "max", True
            yield "max with padding", any(axis.before or axis.after for axis in layer.axes)
        yield "constant", isinstance(layer, Constant)

"""Properties of attention: heads, sets, and who else reads keys, values and queries."""

from itertools import pairwise

from golden import Conv, KeyValue, Mask, Query, Sum, Write
from golden.names import counts_name, memory_name


__all__ = ["GOLDEN_ONLY", "NAMES", "find"]


GOLDEN_ONLY = (
    "memory that fires",
    "mask",
    "mask of several heads",
    "mask of a channel's own gate",
)

NAMES = (
    "attention",
    "many heads",
    "one token",
    "several attentions",
    "values read by a convolution",
    "counts summed and keys",
    "keys that are values",
    "queries of another map",
    "two memories before their queries",
    "values with two head counts",
    "values of a write, query or sum",
    "keys and values of other D",
    *GOLDEN_ONLY,
)


def find(model, tensors, infos):
    """Yields names, and whether the model has that; see `properties.properties`."""
    memories = [layer for layer in model.layers if isinstance(layer, KeyValue)]
    queries = [layer for layer in model.layers if isinstance(layer, Query)]
    by_name = {
        name: layer for layer in memories for name in (memory_name(layer), counts_name(layer))
    }
    heads_of = {}
    for layer in memories:
        heads_of.setdefault(layer.values, set()).add(layer.heads)
    maker = {counts_name(layer): layer for layer in model.layers}
    read = {name for layer in model.layers if isinstance(layer, Conv) for name in layer.sources}
    summed = {
        layer.source.removesuffix("stream") + "counts"
        for layer in model.layers
        if isinstance(layer, Sum)
    }
    kinds = [layer for layer in model.layers if isinstance(layer, KeyValue | Query)]
    yield "attention", queries
    yield "many heads", any(layer.heads > 2 for layer in queries)
    yield "one token", any(infos[layer.keys].size == (1, 1) for layer in memories)
    yield "several attentions", len(queries) > 1
    yield "values read by a convolution", read & set(heads_of)
    yield "counts summed and keys", summed & {layer.keys for layer in memories}
    yield "keys that are values", {layer.keys for layer in memories} & set(heads_of)
    yield (
        "queries of another map",
        any(
            infos[layer.queries].size != infos[by_name[layer.memory].keys].size for layer in queries
        ),
    )
    yield (
        "two memories before their queries",
        any(
            isinstance(one, KeyValue) and isinstance(other, KeyValue)
            for one, other in pairwise(kinds)
        ),
    )
    yield "values with two head counts", any(len(heads) > 1 for heads in heads_of.values())
    yield (
        "values of a write, query or sum",
        any(
            not isinstance(maker[name], Conv) or isinstance(maker[name].epilogue, Write)
            for name in heads_of
        ),
    )
    yield "memory that fires", any(layer.epilogue is not None for layer in memories)
    yield (
        "keys and values of other D",
        any(infos[layer.keys].levels != infos[layer.values].levels for layer in memories),
    )
    for layer in model.layers:
        if isinstance(layer, Mask):
            yield "mask", True
            yield "mask of several heads", 1 < layer.heads < infos[layer.values].channels
            yield "mask of a channel's own gate", 1 < layer.heads == infos[layer.values].channels

"""The runs of the hardware benchmark by name: each simulates or routes something."""

from functools import partial

from tests.benchmark.layers import FIXED
from tests.benchmark.networks import (
    CURVE,
    DENSE,
    ENGINES,
    MEANS,
    NANO_DENSE,
    NARROW,
    SCALES,
    TINY_DENSE,
    WIDER,
)
from tests.benchmark.routings import (
    COLUMN,
    CORE,
    DENSE_ENGINE,
    LUTS_ONLY,
    route_column,
    route_core,
    route_dense,
    route_engine,
    synthesise_tiny,
)
from tests.benchmark.simulations import (
    beside_dense,
    block,
    codes,
    fixed,
    nano_network,
    nano_on_chip,
    times,
    tiny_network,
)


__all__ = ["ALONE", "RUNS"]


#: Runs by name, the longest first. What is routed or synthesised takes minutes and is no part of a
#: quick benchmark.
RUNS = {
    "routed-core": partial(route_core, "routed-core", {}, CORE),
    "routed-L2": partial(route_engine, "routed-L2", FIXED[1]),
    "routed-wider": partial(route_core, "routed-wider", WIDER, LUTS_ONLY),
    "tiny-1": partial(tiny_network, "tiny-1", SCALES[1]),
    "tiny-0": partial(tiny_network, "tiny-0", SCALES[0]),
    "block": block,
    "L2-engine": partial(fixed, "L2-engine", FIXED[1], ENGINES["L2"], CURVE),
    "synthesised-tiny": partial(synthesise_tiny, "synthesised-tiny"),
    "tiny-wider": partial(beside_dense, "tiny-wider", tiny_network, TINY_DENSE),
    "nano-wider": partial(beside_dense, "nano-wider", nano_network, NANO_DENSE),
    "tiny": partial(tiny_network, "tiny", {}),
    "nano": partial(nano_network, "nano", {}),
    "nano-on-chip": partial(nano_on_chip, "nano-on-chip", {}),
    "nano-narrow": partial(nano_on_chip, "nano-narrow", NARROW),
    "tiny-narrow": partial(tiny_network, "tiny-narrow", NARROW),
    "L3": partial(fixed, "L3", FIXED[2], {}, MEANS),
    "L2": partial(fixed, "L2", FIXED[1], {}, MEANS),
    "L5": partial(fixed, "L5", FIXED[4], {}, MEANS),
    "L4": partial(fixed, "L4", FIXED[3], {}, MEANS),
    "L6": partial(fixed, "L6", FIXED[5], {}, MEANS),
    "L1": partial(fixed, "L1", FIXED[0], {}, MEANS),
    "routed-dense-nano": partial(route_dense, "routed-dense-nano", NANO_DENSE, LUTS_ONLY),
    "synthesised-dense-tiny": partial(
        route_dense, "synthesised-dense-tiny", TINY_DENSE, {"seeds": ()}
    ),
    "routed-dense": partial(route_dense, "routed-dense", DENSE, DENSE_ENGINE),
    "routed-L1": partial(route_engine, "routed-L1", FIXED[0]),
    "L1-engine": partial(fixed, "L1-engine", FIXED[0], ENGINES["L1"], (0.6,)),
    "routed-column": partial(route_column, "routed-column", None, {}, COLUMN),
    "routed-column-wide": partial(
        route_column, "routed-column-wide", FIXED[1], ENGINES["L2"], LUTS_ONLY
    ),
    "codes": codes,
    "times": times,
}
#: Those of which the time counts.
ALONE = ("tiny", "times")

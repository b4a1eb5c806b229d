"""The runs of the hardware benchmark by name: each simulates or routes something."""

from functools import partial

from tests.benchmark.finn import COUNT_WIDTH, route_finn
from tests.benchmark.layers import FIXED
from tests.benchmark.networks import BUS, CURVE, MEANS, MODELS, NANO, OTHERS, SCALES
from tests.benchmark.routings import (
    FULL,
    LUTS_ONLY,
    route_column,
    route_core,
    route_dense,
    route_dense_core,
    route_engine,
    synthesise_tiny,
)
from tests.benchmark.simulations import (
    accuracy,
    block,
    codes,
    demo,
    fixed,
    network,
    times,
    tiny_network,
)


__all__ = ["ALONE", "NEEDS", "ROUTED", "RUNS", "of_array"]


def of_array(array):
    """Name of an array."""
    return f"{array['columns']}x{array['lanes']}"


_L1, _L2 = FIXED[:2]

#: Routings and syntheses, which take minutes and are no part of a quick benchmark, the longest
#: first.
ROUTED = {
    f"core-{NANO}-external": partial(
        route_core, f"core-{NANO}-external", NANO, bus_width=BUS, **FULL
    ),
    **{f"core-{name}": partial(route_core, f"core-{name}", name) for name in MODELS},
    "core-L2": partial(route_core, "core-L2", _L2),
    **{
        f"core-{of_array(array)}": partial(
            route_core, f"core-{of_array(array)}", NANO, array=array, bus_width=BUS, **LUTS_ONLY
        )
        for array in OTHERS
    },
    "core-tiny": partial(synthesise_tiny, "core-tiny"),
    "core-tiny-alone": partial(synthesise_tiny, "core-tiny-alone", memories=False),
    **{
        f"engine-L1-{bits}": partial(route_engine, f"engine-L1-{bits}", _L1, bits)
        for bits in COUNT_WIDTH
    },
    **{
        f"dense-core-{name}": partial(route_dense_core, f"dense-core-{name}", name)
        for name in MODELS
    },
    "dense-core-L2": partial(route_dense_core, "dense-core-L2", _L2),
    **{f"finn-{bits}": partial(route_finn, f"finn-{bits}", bits) for bits in COUNT_WIDTH},
    **{f"dense-{bits}": partial(route_dense, f"dense-{bits}", bits) for bits in COUNT_WIDTH},
    "column": partial(route_column, "column"),
    "demo": demo,
}
#: All runs, by name.
RUNS = ROUTED | {
    "tiny-1": partial(tiny_network, "tiny-1", array=SCALES[1]),
    "tiny-0": partial(tiny_network, "tiny-0", array=SCALES[0]),
    "block": block,
    "tiny-drawn": partial(tiny_network, "tiny-drawn", drawn=True),
    "tiny": partial(tiny_network, "tiny"),
    **{f"{name}-on-chip": partial(network, f"{name}-on-chip", name) for name in MODELS},
    f"{NANO}-external": partial(network, f"{NANO}-external", NANO, bus=BUS),
    **{
        f"nano-{of_array(array)}": partial(
            network, f"nano-{of_array(array)}", NANO, array=array, bus=BUS
        )
        for array in OTHERS
    },
    **{
        layer.name: partial(fixed, layer.name, layer, CURVE if layer is _L2 else MEANS)
        for layer in reversed(FIXED)
    },
    "L1-4": partial(fixed, "L1-4", _L1, (0.6,), bits=4),
    **{f"accuracy-{name}": partial(accuracy, name) for name in MODELS},
    "codes": codes,
    "times": times,
}
#: Those of which the time counts.
ALONE = ("tiny", "times")
#: Options that runs need, by how their names begin.
NEEDS = {"finn-": "finn", "accuracy-": "data"}

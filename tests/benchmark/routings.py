"""Routings of the hardware benchmark: cores, columns and engines, out of context."""

from dataclasses import replace

from hw.baseline.dense_engine import DenseEngine
from hw.compiler import compile_model
from hw.fpga.routing import ROUTERS
from hw.rtl.array import Array
from hw.rtl.column import Column
from tests.benchmark.networks import ARRAY, BUS, ENGINES, WIDER, nano, tiny
from tests.benchmark.out_of_context import route, write_component, write_core


__all__ = [
    "COLUMN",
    "CORE",
    "DENSE_ENGINE",
    "LUTS_ONLY",
    "route_column",
    "route_core",
    "route_dense",
    "route_engine",
    "synthesise_tiny",
]


#: How cores, columns and dense engines are routed: at frequencies in MHz that are reached, or the
#: router would try for ever.
CORE, COLUMN, DENSE_ENGINE = ({"clock_mhz": clock} for clock in (80.0, 135.0, 150.0))
#: How that is routed of which only the LUTs count: once, since packing comes before placement, so
#: that every seed has as many.
LUTS_ONLY = {"seeds": (1,)}
#: Wide columns crowd so many wires that only the router that does without negotiation ends.
CROWDED = LUTS_ONLY | {"routers": ROUTERS}


def route_core(name, array, routing, settings):
    plan = compile_model(nano()[0], **(ARRAY | array), bus_width=BUS)
    folder = settings.folder / name
    write_core(plan, folder)
    return _routed(folder, routing, plan.required.columns, plan.required.lanes) | {
        "config": plan.required.as_dict()
    }


def synthesise_tiny(name, settings):
    """The core of the published size, whose memories no device of ours holds."""
    plan = compile_model(tiny(settings)[0], **(ARRAY | WIDER), bus_width=BUS)
    folder = settings.folder / name
    write_core(plan, folder)
    return _routed(folder, {"seeds": ()}, plan.required.columns, plan.required.lanes) | {
        "config": plan.required.as_dict()
    }


def route_column(name, layer, array, routing, settings):
    """One column for cifar10-nano, or for a fixed layer."""
    model = nano()[0] if layer is None else layer.model()
    required = compile_model(model, **(ARRAY | array)).required
    folder = settings.folder / name
    write_component(Column(required), folder)
    return _routed(folder, routing, 1, required.lanes)


def route_engine(name, layer, settings):
    """The event engine of a fixed layer: all but sequencer, ports and descriptors.

    Its weight memory holds two tiles of that layer, as a double buffer does, and its memory of
    pixels, which the layer does not read, as many words as there are tokens.
    """
    plan = compile_model(layer.model(), **(ARRAY | ENGINES[layer.name]))
    depth = next(2 * one.rows_per_tile for one in plan.layers if one.name in layer.measured)
    required = replace(plan.required, weight_depth=depth, pixel_depth=layer.size**2)
    folder = settings.folder / name
    write_component(Array(required, images={"weights": (), "neurons": ()}), folder)
    return _routed(folder, CROWDED, required.columns, required.lanes)


def route_dense(name, size, routing, settings):
    folder = settings.folder / name
    write_component(DenseEngine(size), folder)
    return _routed(folder, routing, size.outputs, size.inputs) | {
        "count_width": size.count_width,
        "weight_width": size.weight_width,
    }


def _routed(folder, routing, columns, lanes):
    return route(folder, **routing) | {"lanes": columns * lanes, "array": [columns, lanes]}

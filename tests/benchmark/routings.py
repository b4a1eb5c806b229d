"""Routings of the hardware benchmark: cores, columns and baselines, out of context."""

from dataclasses import replace

from hw.baseline.dense_core import DenseCore
from hw.baseline.dense_engine import DenseEngine
from hw.baseline.dense_shape import DenseShape
from hw.compiler import compile_model
from hw.estimate.block_rams import memory_table
from hw.fpga.devices import find_device
from hw.fpga.routing import OUT_OF_CONTEXT_ROUTERS, SURE_ROUTERS
from hw.rtl.array import Array
from hw.rtl.column import Column
from hw.rtl.load_port import LoadPort
from tests.benchmark.networks import ARRAY, BUS, UNITS, dense_size, load, tiny, weight_bits
from tests.benchmark.out_of_context import DEVICE, route, write_component, write_core


__all__ = [
    "FULL",
    "LUTS_ONLY",
    "route_column",
    "route_core",
    "route_dense",
    "route_dense_core",
    "route_engine",
    "synthesise_tiny",
]


#: How columns and bare baselines are routed: at frequencies in MHz that are reached, or the router
#: would try for ever.
COLUMN, BASELINE = ({"clock_mhz": clock} for clock in (135.0, 150.0))
#: How complete cores are, ours and dense ones: by the router that always ends.
CORE = {"clock_mhz": 80.0, "routers": SURE_ROUTERS}
#: How the core is that takes nearly all block RAMs of the device. Its wires are long, to which the
#: router that always ends adds detours; the other one ends if it aims at what placement promised.
FULL = {"clock_mhz": 60.0, "routers": OUT_OF_CONTEXT_ROUTERS}
#: How the array of a fixed layer is. The usual placer packs the registers behind its block RAMs so
#: closely that routing did not end in eleven minutes; with this one it takes five.
ENGINE = CORE | {"placer": "heap"}
#: How that is routed of which only the LUTs count: once, since packing comes before placement, so
#: that every seed has as many.
LUTS_ONLY = {"seeds": (1,)}


def route_core(name, subject, settings, *, array=None, bus_width=0, **routing):
    """The complete core of a trained model, or of the network around a fixed layer.

    Where no device holds its memories, it is only synthesised.
    """
    plan = compile_model(_model(subject), **(ARRAY | (array or {})), bus_width=bus_width)
    folder = settings.folder / name
    write_core(plan, folder)
    blocks = sum(row["blocks"] for row in memory_table(plan.required))
    if blocks > find_device(DEVICE).bram:
        routing = {"seeds": ()}
    figures = route(folder, **(CORE | routing))
    return figures | _array(plan.required) | {"config": plan.required.as_dict()}


def synthesise_tiny(name, settings, *, memories=True):
    """The core of the published size, with its memories, which no device of ours holds, or without.

    Without, nothing is left of a memory but its ports.
    """
    plan = compile_model(tiny(settings)[0], **ARRAY, bus_width=BUS)
    folder = settings.folder / name
    write_core(plan, folder, memories=memories)
    return route(folder, seeds=()) | _array(plan.required) | {"config": plan.required.as_dict()}


def route_column(name, settings):
    """One column for cifar10-nano."""
    required = compile_model(load()[0], **ARRAY).required
    folder = settings.folder / name
    write_component(Column(required, number=0), folder)
    return route(folder, **COLUMN) | {"lanes": required.lanes, "array": [1, required.lanes]}


def route_engine(name, layer, bits, settings):
    """The array of a fixed layer: all but sequencer, ports and descriptors.

    Its buffers hold tiles of that layer, and its memory of pixels, which the layer does not read,
    as many words as there are tokens.
    """
    plan = compile_model(layer.model(weight_bits=bits), **ARRAY)
    rows = next(one.rows_per_tile for one in plan.layers if one.name in layer.measured)
    required = replace(
        plan.required, tile_rows=rows, second_tile_rows=rows, pixel_depth=layer.size**2
    )
    folder = settings.folder / name
    write_component(Array(required), folder)
    return route(folder, **ENGINE) | _array(required)


def route_dense(name, bits, settings):
    """The bare dense array."""
    size = dense_size(bits)
    folder = settings.folder / name
    write_component(DenseEngine(size), folder)
    return route(folder, **BASELINE) | {"weight_width": bits}


def route_dense_core(name, subject, settings):
    """The complete dense core of the same: the core, and our load port for its memories.

    LUTs are the sum of both parts, the clock is that of the core.
    """
    model = _model(subject)
    bits = weight_bits(model)
    shape = DenseShape.of(model, dense_size(bits), units=UNITS)
    folders = settings.folder / name, settings.folder / f"{name}-port"
    write_component(DenseCore(shape), folders[0])
    write_component(LoadPort(shape.memories, fingerprint=0, filled=True), folders[1])
    core, port = route(folders[0], **CORE), route(folders[1], **LUTS_ONLY)
    both = {key: core[key] + port[key] for key in ("synthesised_lut", "lut", "ff", "bram")}
    return core | both | {"weight_width": bits, "core_lut": core["lut"], "port_lut": port["lut"]}


def _model(subject):
    """Of a trained model's name, or of a fixed layer."""
    return load(subject)[0] if isinstance(subject, str) else subject.model()


def _array(required):
    return {
        "lanes": required.columns * required.lanes,
        "array": [required.columns, required.lanes],
    }

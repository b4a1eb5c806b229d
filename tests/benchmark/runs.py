"""The runs of the hardware benchmark: each simulates or routes something, and measures it."""

import subprocess
import sys
import time
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

import numpy as np

import golden
from golden import SpikeCode
from golden.analysis.synthetic import random_model
from golden.cli.source import load_source
from golden.data.description import read_json
from golden.model.input import ModelInput
from hw.baseline.dense_engine import DenseEngine, DenseSize
from hw.build import build
from hw.compiler import compile_model
from hw.fpga.routing import ROUTERS
from hw.fpga.tools import ToolError
from hw.rtl.array import Array
from hw.rtl.column import Column
from tests.benchmark.layers import FIXED, block, counts_of, image, recorded, synthetic
from tests.benchmark.out_of_context import route, write_component, write_core


__all__ = ["ALONE", "MEANS", "RUNS", "Settings"]


#: The array that is measured unless a run says otherwise, and the dense engine of as many
#: operations, in the shape that takes the fewest cycles for cifar10-nano; the fixed layers, as
#: whose baseline it serves, have weights of 8 bits.
ARRAY = {"columns": 4, "lanes": 16, "columns_per_group": 1, "spike_code": SpikeCode.TWO_BIT_SERIAL}
DENSE = DenseSize(outputs=8, inputs=8)
#: Twice as many of both, for whole networks: wide columns that double no entry have fewer LUTs
#: per lane. The dense engine has the network's weights: cifar10-nano's 4 bits, E-SpikeFormer-T's 8.
WIDER = {"columns": 4, "lanes": 32, "spike_code": SpikeCode.BIT_SERIAL}
NANO_DENSE, TINY_DENSE = (DenseSize(outputs=8, inputs=16, weight_width=bits) for bits in (4, 8))
#: Engines for one fixed layer: columns as wide as its drain lets them be. L1's never wait for it,
#: L2's do below a mean count of 1.
ENGINES = {"L1": {"columns": 3, "lanes": 22, "spike_code": SpikeCode.BIT_SERIAL},
           "L2": {"columns": 2, "lanes": 96, "columns_per_group": 2,
                  "spike_code": SpikeCode.BIT_SERIAL}}
#: How cores, columns and dense engines are routed: at frequencies in MHz that are reached, or the
#: router would try for ever.
CORE, COLUMN, DENSE_ENGINE = ({"clock_mhz": clock} for clock in (80.0, 135.0, 150.0))
#: How that is routed of which only the LUTs count: once, since packing comes before placement, so
#: that every seed has as many.
TABLES = {"seeds": (1,)}
#: Wide columns crowd so many wires that only the router that does without negotiation ends.
CROWDED = TABLES | {"routers": ROUTERS}
#: Bits of the bus to the memory that holds the weights of whole networks.
BUS = 128
#: Mean counts of the fixed layers, and those between which the break-even is looked for.
MEANS = (0.1, 0.3, 0.6, 1.0, 1.5, 2.5)
CURVE = (0.05, 0.1, 0.3, 0.6, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0)
#: The published size T of E-SpikeFormer, with random weights and the mean count of cifar10-nano.
TINY = {"seed": 1, "image_shape": (224, 224, 3), "dims": (24, 48, 96, 128), "heads": 8,
        "strides": (2, 2, 2, 2, 1), "depths": (6, 2), "weight_bits": 8, "classes": 1000,
        "stem_kernel": 7, "calibration_images": 3, "mean_count": 0.47}
#: An array of narrower columns, whose lanes more layers fill.
NARROW = {"columns": 6, "lanes": 12}
#: Arrays between which the scaling of a network is measured, and the one of the block.
SCALES = ({"columns": 1, "lanes": 16}, {"columns": 16, "lanes": 16})
WIDE = {"columns": 16, "lanes": 32}

DATA = Path(__file__).parents[1] / "data"


class Settings:
    """Where runs work, and what they are cut down to.

    Parameters
    ----------
    folder : Path
    quick : bool
        A small part of each simulation, and no routing.
    """

    def __init__(self, folder, *, quick=False):
        self.folder, self.quick = Path(folder).resolve(), quick

    @property
    def cache(self):
        """Folder that keeps simulators."""
        return self.folder / "sim"


def _command(module, *arguments, log):
    """Runs one of the project's commands, as users do."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as file:
        status = subprocess.run([sys.executable, "-m", module, *map(str, arguments)], stdout=file,
                                stderr=subprocess.STDOUT, check=False).returncode
    if status:
        last = (log.read_text().strip().splitlines() or [""])[-1]
        raise ToolError(f"python -m {module} failed with status {status}: {last} (see {log})")


def _simulate(settings, name, model, images, array, *, bus=0):
    """Builds a core, simulates it against golden, and returns the figures of ``sim.verify``."""
    folder = settings.folder / name
    plan = compile_model(model, **(ARRAY | array), bus_width=bus)
    build(plan, folder / "core")
    golden.save(model, folder / "model.safetensors")
    np.save(folder / "images.npy", images)
    _command("sim.verify", folder / "core", folder / "model.safetensors", "--images",
             folder / "images.npy", "--count", len(images), "--free", "--cache", settings.cache,
             "--report", folder / "figures.json", log=folder / "verify.log")
    figures = read_json(folder / "figures.json", "the report")
    return figures | {"array": [plan.required.columns, plan.required.lanes]}


def _dense(settings, name, size=DENSE):
    """Simulates the dense engine on the network that ``_simulate`` saved."""
    folder = settings.folder / name
    _command("sim.dense", folder / "model.safetensors", "--images", folder / "images.npy",
             "--outputs", size.outputs, "--inputs", size.inputs, "--count-width",
             size.count_width, "--weight-width", size.weight_width, "--cache", settings.cache,
             "--out", folder / "dense", log=folder / "dense.log")
    return read_json(folder / "dense" / "dense.json", "the report")


@cache
def _nano():
    model = golden.load(DATA / "cifar10-nano.safetensors")
    return model, _pictures(model)


def _pictures(model):
    return load_source(DATA / "cifar10.npz", ModelInput.of(model)).images


def _fixed(name, layer, array, means, settings):
    """One fixed layer at some mean counts, with recorded and with synthetic spikes.

    The dense engine takes as many cycles whatever it is shown.
    """
    if settings.quick:
        means = (0.6,)
    potentials = {"recorded": recorded(layer, *_nano()), "synthetic": synthetic(layer)}
    model, folders = layer.model(), [f"{name}-{mean:g}" for mean in means]
    runs = [_fixed_at(folder, layer, model, array, mean, potentials, settings)
            for folder, mean in zip(folders, means, strict=True)]
    dense = _dense(settings, folders[-1])["cycles"]
    return {"text": f"{layer.name}: {layer.text}", "lanes": runs[0]["lanes"],
            "array": runs[0]["array"],
            "rows": sorted((row for run in runs for row in run["rows"]),
                           key=lambda row: list(potentials).index(row["spikes"])),
            "dense_cycles": sum(dense[name] for name in layer.measured),
            "tokens": layer.size**2, **_checked(*runs)}


def _fixed_at(folder, layer, model, array, mean, potentials, settings):
    """A fixed layer, compiled for the counts that it is shown."""
    images = np.array([image(layer, counts_of(some, mean)) for some in potentials.values()])
    model = replace(model, mean_counts=golden.mean_counts(model, images))
    figures = _simulate(settings, folder, model, images, array)
    rows = []
    for kind, layers in zip(potentials, figures["image_layers"], strict=True):
        taken = [one for one in layers if one["name"] in layer.measured]
        rows.append({"spikes": kind, "mean": mean,
                     "cycles": sum(one["cycles"] for one in taken),
                     "additions": sum(one["additions"] for one in taken)})
    return {"lanes": figures["lanes"], "array": figures["array"], "rows": rows,
            **_checked(figures)}


def _checked(*runs):
    """What says of simulations that they are right: numbers of all, and the cycles per image."""
    return ({key: sum(run[key] for run in runs) for key in ("values", "mismatches")}
            | {key: [cycles for run in runs for cycles in run[key]]
               for key in ("cycles", "predicted_cycles")})


def _network(settings, name, model, images, array, *, bus):
    figures = _simulate(settings, name, model, images, array, bus=bus)
    return {"lanes": figures["lanes"], "additions": figures["additions"],
            "layers": figures["layers"], "stalls": figures["stalls"], "array": figures["array"],
            "period": figures["period"],
            "speed": figures["simulated_cycles"] / figures["seconds"], **_checked(figures)}


def _nano_network(name, array, settings):
    model, images = _nano()
    return _network(settings, name, model, images[:1 if settings.quick else 4], array, bus=BUS)


def _nano_on_chip(name, array, settings):
    """With weights on chip, where cycles are predicted."""
    model, images = _nano()
    fan_in = {layer.name: layer.weight[0].size for layer in model.layers
              if layer.KIND == "conv"}
    return _network(settings, name, model, images[:1 if settings.quick else 2], array,
                    bus=0) | {"fan_in": fan_in}


def _tiny(settings):
    """The published size, and an image of 224 x 224 pieced together from real ones."""
    shape = (64, 64, 3) if settings.quick else TINY["image_shape"]
    model = random_model(**(TINY | {"image_shape": shape}))
    _, images = _nano()
    side = -(-shape[0] // images.shape[1])
    some = np.resize(images, (side, side, *images.shape[1:]))
    whole = some.transpose(0, 2, 1, 3, 4).reshape(side * 32, side * 32, 3)
    return model, whole[np.newaxis, :shape[0], :shape[1]]


def _tiny_network(name, array, settings):
    return _network(settings, name, *_tiny(settings), array, bus=BUS)


def _beside_dense(name, network, size, settings):
    """A network, and the dense engine of as many operations and the same widths on it."""
    return network(name, WIDER, settings) | {"dense": _dense(settings, name, size)}


def _block(settings):
    model = block()
    counts = counts_of(synthetic(FIXED[1]), 0.6)
    array = {"columns": 4, "lanes": 16} if settings.quick else WIDE
    figures = _simulate(settings, "block", model, image(FIXED[1], counts)[np.newaxis], array)
    taken = [one for one in figures["layers"] if one["name"].startswith("block.")]
    return {"lanes": figures["lanes"], **_checked(figures),
            "block_cycles": sum(one["cycles"] for one in taken),
            "block_additions": sum(one["additions"] for one in taken)}


def _codes(settings):
    """Additions of the core's code beside those of the thermometer code, on trained models."""
    found = {}
    for name in ("cifar10-nano", "cifar10-nano-d8"):
        model = golden.load(DATA / f"{name}.safetensors")
        images = _pictures(model)[:4 if settings.quick else 32]
        tensors = golden.run(model, images, trace=True).tensors
        plan = compile_model(model, **ARRAY)
        executed, thermometer = (sum(golden.additions(plan.executed, tensors, code).values())
                                 for code in (plan.codes, SpikeCode.THERMOMETER))
        found[name] = {"max_count": model.max_count, "executed": executed,
                       "thermometer": thermometer}
    return found


def _times(settings):
    """Seconds of a dry run and of writing the Verilog of the published size, as commands."""
    folder = settings.folder / "times"
    folder.mkdir(parents=True, exist_ok=True)
    model = random_model(**(TINY | {"image_shape": (64, 64, 3)} if settings.quick else TINY))
    golden.save(model, folder / "tiny.safetensors")
    common = ["--model", folder / "tiny.safetensors", "--columns", ARRAY["columns"],
              "--lanes-per-column", ARRAY["lanes"], "--bus-width", BUS]
    seconds = {}
    for name, options in (("dry_run", ["--dry-run"]),
                          ("verilog", ["--target", "sim", "--out", folder / "core"])):
        began = time.perf_counter()
        _command("hw.build", *common, *options, log=folder / f"{name}.log")
        seconds[name] = time.perf_counter() - began
    return seconds


def _route_core(name, array, routing, settings):
    plan = compile_model(_nano()[0], **(ARRAY | array), bus_width=BUS)
    folder = settings.folder / name
    write_core(plan, folder)
    return _routed(folder, routing, plan.required.columns, plan.required.lanes) | {
        "config": plan.required.as_dict()}


def _synthesise_tiny(name, settings):
    """The core of the published size, whose memories no device of ours holds."""
    plan = compile_model(_tiny(settings)[0], **(ARRAY | WIDER), bus_width=BUS)
    folder = settings.folder / name
    write_core(plan, folder)
    return _routed(folder, {"seeds": ()}, plan.required.columns, plan.required.lanes) | {
        "config": plan.required.as_dict()}


def _route_column(name, layer, array, routing, settings):
    """One column for cifar10-nano, or for a fixed layer."""
    model = _nano()[0] if layer is None else layer.model()
    required = compile_model(model, **(ARRAY | array)).required
    folder = settings.folder / name
    write_component(Column(required), folder)
    return _routed(folder, routing, 1, required.lanes)


def _route_engine(name, layer, settings):
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


def _route_dense(name, size, routing, settings):
    folder = settings.folder / name
    write_component(DenseEngine(size), folder)
    return _routed(folder, routing, size.outputs, size.inputs) | {
        "count_width": size.count_width, "weight_width": size.weight_width}


def _routed(folder, routing, columns, lanes):
    return route(folder, **routing) | {"lanes": columns * lanes, "array": [columns, lanes]}


#: Runs by name, the longest first. What is routed or synthesised takes minutes and is no part of a
#: quick bench.
RUNS = {
    "routed-core": partial(_route_core, "routed-core", {}, CORE),
    "routed-L2": partial(_route_engine, "routed-L2", FIXED[1]),
    "routed-wider": partial(_route_core, "routed-wider", WIDER, TABLES),
    "tiny-1": partial(_tiny_network, "tiny-1", SCALES[1]),
    "tiny-0": partial(_tiny_network, "tiny-0", SCALES[0]),
    "block": _block,
    "L2-engine": partial(_fixed, "L2-engine", FIXED[1], ENGINES["L2"], CURVE),
    "synthesised-tiny": partial(_synthesise_tiny, "synthesised-tiny"),
    "tiny-wider": partial(_beside_dense, "tiny-wider", _tiny_network, TINY_DENSE),
    "nano-wider": partial(_beside_dense, "nano-wider", _nano_network, NANO_DENSE),
    "tiny": partial(_tiny_network, "tiny", {}),
    "nano": partial(_nano_network, "nano", {}),
    "nano-on-chip": partial(_nano_on_chip, "nano-on-chip", {}),
    "nano-narrow": partial(_nano_on_chip, "nano-narrow", NARROW),
    "tiny-narrow": partial(_tiny_network, "tiny-narrow", NARROW),
    "L3": partial(_fixed, "L3", FIXED[2], {}, MEANS),
    "L2": partial(_fixed, "L2", FIXED[1], {}, MEANS),
    "L5": partial(_fixed, "L5", FIXED[4], {}, MEANS),
    "L4": partial(_fixed, "L4", FIXED[3], {}, MEANS),
    "L6": partial(_fixed, "L6", FIXED[5], {}, MEANS),
    "L1": partial(_fixed, "L1", FIXED[0], {}, MEANS),
    "routed-dense-nano": partial(_route_dense, "routed-dense-nano", NANO_DENSE, TABLES),
    "synthesised-dense-tiny": partial(_route_dense, "synthesised-dense-tiny", TINY_DENSE,
                                      {"seeds": ()}),
    "routed-dense": partial(_route_dense, "routed-dense", DENSE, DENSE_ENGINE),
    "routed-L1": partial(_route_engine, "routed-L1", FIXED[0]),
    "L1-engine": partial(_fixed, "L1-engine", FIXED[0], ENGINES["L1"], (0.6,)),
    "routed-column": partial(_route_column, "routed-column", None, {}, COLUMN),
    "routed-column-wide": partial(_route_column, "routed-column-wide", FIXED[1], ENGINES["L2"],
                                  TABLES),
    "codes": _codes,
    "times": _times,
}
#: Those of which the time counts.
ALONE = ("tiny", "times")

"""Simulations of the hardware benchmark: fixed layers and whole networks, against golden."""

import subprocess
import sys
import time
from dataclasses import replace

import numpy as np

import golden
from golden import SpikeCode
from golden.analysis.activity_statistics import take_statistics
from golden.analysis.synthetic import random_model
from golden.cli.source import load_source
from golden.data.description import read_json
from golden.model.input import ModelInput
from hw.baseline.work import dense_work
from hw.build import build
from hw.compiler import compile_model
from hw.tools.process import ToolError
from tests.benchmark.layers import FIXED, counts_of, image, recorded, synthetic
from tests.benchmark.layers import block as block_model
from tests.benchmark.networks import (
    ARRAY,
    BUS,
    DATA,
    TINY,
    UNITS,
    WIDE,
    dense_size,
    load,
    pictures,
    tiny,
    weight_bits,
)


__all__ = ["accuracy", "block", "codes", "demo", "fixed", "network", "times", "tiny_network"]


def _command(module, *arguments, log):
    """Runs one of the project's commands, as users do."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as file:
        status = subprocess.run(
            [sys.executable, "-m", module, *map(str, arguments)],
            stdout=file,
            stderr=subprocess.STDOUT,
            check=False,
        ).returncode
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
    _command(
        "sim.verify",
        folder / "core",
        folder / "model.safetensors",
        "--images",
        folder / "images.npy",
        "--count",
        len(images),
        "--free",
        "--cache",
        settings.cache,
        "--report",
        folder / "figures.json",
        log=folder / "verify.log",
    )
    figures = read_json(folder / "figures.json", "the report")
    return figures | {"array": [plan.required.columns, plan.required.lanes]}


def _dense(settings, name, model):
    """Simulates the dense engine on the network that ``_simulate`` saved."""
    folder, size = settings.folder / name, dense_size(weight_bits(model))
    _command(
        "sim.dense",
        folder / "model.safetensors",
        "--images",
        folder / "images.npy",
        "--outputs",
        size.outputs,
        "--inputs",
        size.inputs,
        "--count-width",
        size.count_width,
        "--weight-width",
        size.weight_width,
        "--cache",
        settings.cache,
        "--out",
        folder / "dense",
        log=folder / "dense.log",
    )
    return read_json(folder / "dense" / "dense.json", "the report")


def fixed(name, layer, means, settings, *, bits=8):
    """One fixed layer at some mean counts, with recorded and with synthetic spikes.

    The dense engine takes as many cycles whatever it is shown.
    """
    if settings.quick:
        means = (0.6,)
    potentials = {"recorded": recorded(layer, *load()), "synthetic": synthetic(layer)}
    model, folders = layer.model(weight_bits=bits), [f"{name}-{mean:g}" for mean in means]
    runs = [
        _fixed_at(folder, layer, model, mean, potentials, settings)
        for folder, mean in zip(folders, means, strict=True)
    ]
    dense = _dense(settings, folders[-1], model)["cycles"]
    return {
        "text": f"{layer.name}: {layer.text}, {bits}-bit weights",
        "lanes": runs[0]["lanes"],
        "array": runs[0]["array"],
        "rows": sorted(
            (row for run in runs for row in run["rows"]),
            key=lambda row: list(potentials).index(row["spikes"]),
        ),
        "dense_cycles": sum(dense[name] for name in layer.measured),
        "tokens": layer.size**2,
        **_checked(*runs),
    }


def _fixed_at(folder, layer, model, mean, potentials, settings):
    """A fixed layer, compiled for the counts that it is shown."""
    images = np.array([image(layer, counts_of(some, mean)) for some in potentials.values()])
    model = replace(model, mean_counts=golden.mean_counts(model, images))
    figures = _simulate(settings, folder, model, images, ARRAY)
    rows = []
    for kind, layers in zip(potentials, figures["image_layers"], strict=True):
        taken = [one for one in layers if one["name"] in layer.measured]
        rows.append({
            "spikes": kind,
            "mean": mean,
            "cycles": sum(one["cycles"] for one in taken),
            "additions": sum(one["additions"] for one in taken),
        })
    return {"lanes": figures["lanes"], "array": figures["array"], "rows": rows, **_checked(figures)}


def _checked(*runs):
    """What says of simulations that they are right: numbers of all, and the cycles per image."""
    return {key: sum(run[key] for run in runs) for key in ("values", "mismatches")} | {
        key: [cycles for run in runs for cycles in run[key]]
        for key in ("cycles", "predicted_cycles")
    }


def _network(settings, name, model, images, array, *, bus):
    """A network, and the dense engine of the array's products and the model's widths on it."""
    figures = _simulate(settings, name, model, images, array, bus=bus)
    works = dense_work(model, size := dense_size(weight_bits(model)))
    return {
        "lanes": figures["lanes"],
        "additions": figures["additions"],
        "layers": figures["layers"],
        "stalls": figures["stalls"],
        "array": figures["array"],
        "period": figures["period"],
        "speed": figures["simulated_cycles"] / figures["seconds"],
        "weight_width": weight_bits(model),
        "dense_cycles": sum(_dense(settings, name, model)["cycles"].values()),
        "dense_core_cycles": sum(work.cycles(size, units=UNITS) for work in works.values()),
        **_checked(figures),
    }


def network(name, model_name, settings, *, array=None, bus=0):
    """A trained network; with weights on chip, cycles are predicted."""
    model, images = load(model_name)
    images = images[: 1 if settings.quick else 4]
    fan_in = {layer.name: layer.weight[0].size for layer in model.layers if layer.KIND == "conv"}
    figures = _network(settings, name, model, images, ARRAY | (array or {}), bus=bus)
    return figures | {"fan_in": fan_in}


def tiny_network(name, settings, *, array=None, drawn=False):
    model, image = tiny(settings, drawn=drawn)
    return _network(settings, name, model, image, ARRAY | (array or {}), bus=BUS)


def accuracy(model_name, settings):
    """Share of the pictures of ``--data`` whose class is right, in integers."""
    model, _ = load(model_name)
    found = load_source(settings.data, ModelInput.of(model))
    statistics = take_statistics(model, found.images, found.labels)
    return {"images": statistics.images, "share": statistics.right / statistics.images}


def demo(settings):
    """``make demo``: LUTs, and images per second at the frequency that its core reaches."""
    folder = settings.folder / "demo"
    _command("sim.demo", "--out", folder, log=folder / "demo.log")
    used = read_json(folder / "accelerator" / "report.json", "the report")["utilisation"]
    period = read_json(folder / "verify.json", "the report")["period"]
    return {"lut": used["lut"], "images_per_s": 1e6 * used["fmax_mhz"] / period}


def block(settings):
    model = block_model()
    counts = counts_of(synthetic(FIXED[1]), 0.6)
    array = {"columns": 4, "lanes": 16} if settings.quick else WIDE
    figures = _simulate(settings, "block", model, image(FIXED[1], counts)[np.newaxis], array)
    taken = [one for one in figures["layers"] if one["name"].startswith("block.")]
    return {
        "lanes": figures["lanes"],
        **_checked(figures),
        "block_cycles": sum(one["cycles"] for one in taken),
        "block_additions": sum(one["additions"] for one in taken),
    }


def codes(settings):
    """Additions of the core's code beside those of the thermometer code, on trained models."""
    found = {}
    for name in ("cifar10-nano", "cifar10-nano-d8"):
        model = golden.load(DATA / f"{name}.safetensors")
        images = pictures(model)[: 4 if settings.quick else 32]
        tensors = golden.run(model, images, trace=True).tensors
        plan = compile_model(model, **ARRAY)
        executed, thermometer = (
            sum(int(added.sum()) for added in plan.additions(tensors, code).values())
            for code in (None, SpikeCode.THERMOMETER)
        )
        found[name] = {
            "max_count": model.max_count,
            "executed": executed,
            "thermometer": thermometer,
        }
    return found


def times(settings):
    """Seconds of a dry run and of writing the Verilog of the published size, as commands."""
    folder = settings.folder / "times"
    folder.mkdir(parents=True, exist_ok=True)
    model = random_model(**(TINY | {"image_shape": (64, 64, 3)} if settings.quick else TINY))
    golden.save(model, folder / "tiny.safetensors")
    common = [
        "--model",
        folder / "tiny.safetensors",
        "--columns",
        ARRAY["columns"],
        "--lanes-per-column",
        ARRAY["lanes"],
        "--bus-width",
        BUS,
    ]
    seconds = {}
    for name, options in (
        ("dry_run", ["--dry-run"]),
        ("verilog", ["--target", "sim", "--out", folder / "core"]),
    ):
        began = time.perf_counter()
        _command("hw.build", *common, *options, log=folder / f"{name}.log")
        seconds[name] = time.perf_counter() - began
    return seconds

"""``python -m sim.verify``: simulate a built accelerator and compare every tensor with golden."""

import argparse
import hashlib
import json
import os
import shutil
import sys
from pathlib import Path

import numpy as np

import golden
from golden.atomic import replacing
from golden.description import read_json
from golden.entry import enter
from golden.lock import waiting_lock
from golden.options import (
    COUNT,
    SECONDS,
    SEED,
    input_file,
    input_path,
    output_file,
    output_folder,
)
from golden.source import SOURCES
from hw.capacities import Capacities
from hw.command import guarded
from hw.compiler import compile_model
from hw.cycles import predict
from hw.folder import check_images, check_verilog, read_description
from hw.images import digest, image_words

from .board import board, memory_text
from .compare import Comparison, compare_image, read_captures
from .loading import load_step
from .pictures import chosen
from .runner import BenchError, build, simulate


__all__ = ["main", "verify"]


#: Probability of each stalled cycle, on both sides, in the second half of the images.
STALL = 0.3


def verify(folder, model, images, *, labels=None, seed=1, cache=None, limit=3600, stalled=True):
    """Simulate the accelerator of a folder and compare all that it stores with the golden model.

    The first half of the images runs freely, one after the other, and must take the cycles that
    the cycle model predicts; the second half runs with random stalls of pixels and logits, each
    image entering while the one before is computed. So do, at last and freely, the first two images
    once more. An external memory answers after random times throughout, and also pauses in the
    second half: no prediction then. Where memories begin empty, the model is loaded first.

    Parameters
    ----------
    folder : Path
        Output folder of ``hw.build``.
    model : IntegerModel
    images : uint8 array, shape (images, height, width, channels)
    labels : integer array, shape (images,), optional
    seed : int
        Of the stalls.
    cache : Path, optional
        Folder that keeps simulators; ``folder/sim`` by default.
    limit : float
        Wall-clock seconds of the simulation.
    stalled : bool
        Whether there is a second half; all images run freely if not.

    Returns
    -------
    dict
        ``images``, ``tensors``, ``values``, ``mismatches``, ``first_mismatch``, ``accuracy`` (if
        there are labels), ``cycles``, ``stalls``, ``predicted_cycles`` and ``additions`` (lists,
        of the free-running images), ``period`` (cycles from the logits of the first image to those
        of the second, which waited for it; None if one image runs freely), ``lanes``, ``layers``
        (means over these images), ``image_layers`` (the same of each), ``seconds`` of simulation
        (without the start of the bench's interpreter) and ``simulated_cycles``, of all images.

    Raises
    ------
    ValueError
        If the folder was not built from this model, or an image of its memories was changed.
    BenchError
        If the simulation does not come to an end.
    """
    folder = Path(folder)
    capacities, plan, filled = _plan(folder, model)
    work = workplace(folder, cache)
    _prepare(work, folder, images)
    n_free = -(-len(images) // 2) if stalled else len(images)
    again = images[:2] if n_free > 1 else images[:0]
    steps = [] if filled else [load_step(work, plan, capacities)]
    for name, stall, part in (("free", 0.0, images[:n_free]), ("stalled", STALL, images[n_free:]),
                              ("streamed", 0.0, again)):
        if len(part):
            np.save(work / f"{name}.npy", part)
            steps.append({"images": f"{name}.npy", "stall": stall, "classes": model.classes,
                          "streamed": name != "free"})

    executable = build(board(folder), cache or folder / "sim", fast=True, capture=True)
    passed = simulate(executable, "sim.bench_accelerator", work, parameters={"steps": steps},
                      seed=seed, limit=limit)

    outcomes = read_json(work / "outcome.json", "the outcome", kind=list)
    captures = read_captures(work)
    result = golden.run(model, images, trace=True)
    expected_additions = golden.additions_per_image(plan.executed, result.tensors, plan.codes)
    comparison, repeated = Comparison(), Comparison()
    predicted = []
    for number, outcome in enumerate(outcomes):
        image = number % len(images)
        compare_image(comparison if number == image else repeated, plan, result, image, captures,
                      outcome, captured_as=number)
        for layer, counted in zip(plan.layers, outcome["layers"], strict=True):
            wanted = int(expected_additions[layer.name][image])
            if counted["additions"] != wanted:
                comparison.note(number, f"layer {layer.name}: {counted['additions']} additions "
                                       f"counted, golden {wanted}")
        if number < n_free and not capacities.external:
            predicted.append(predict(plan, result.tensors, image))
            _compare_cycles(comparison, image, plan, outcome, predicted[-1])
    period = outcomes[-1]["ended"] - outcomes[-2]["ended"] if len(again) else None
    if period is not None and predicted and period != predicted[1].behind(predicted[0]):
        repeated.note(1, f"{period} cycles after image 0, predicted "
                         f"{predicted[1].behind(predicted[0])}")
    figures = {
        "images": comparison.images, "tensors": comparison.tensors, "values": comparison.values,
        "mismatches": comparison.mismatches + repeated.mismatches,
        "first_mismatch": comparison.first or repeated.first,
        "cycles": [outcome["cycles"] for outcome in outcomes[:n_free]],
        "stalls": [outcome["stalls"] for outcome in outcomes[:n_free]],
        "predicted_cycles": [cycles.total for cycles in predicted],
        "period": period,
        "additions": [outcome["additions"] for outcome in outcomes[:n_free]],
        "lanes": capacities.columns * capacities.lanes,
        "layers": _layer_means(plan, outcomes[:n_free]),
        "image_layers": [_layer_means(plan, [outcome]) for outcome in outcomes[:n_free]],
        "seconds": sum(passed.values()),
        "simulated_cycles": sum(outcome["cycles"] for outcome in outcomes),
        "seed": seed,
    }
    if labels is not None:
        classes = np.array([outcome["logits"] for outcome in outcomes[:len(images)]]).argmax(axis=1)
        figures["accuracy"] = float((classes == labels).mean())
    return figures


def workplace(folder, cache=None):
    """Folder to simulate in: that of the build, or the cache where the build is somebody else's.

    Raises
    ------
    ValueError
        If there is neither.
    """
    folder = Path(folder)
    if os.access(folder, os.W_OK):
        return folder / "sim" / "run"
    if cache is None:
        raise ValueError(f"{folder} cannot be written to: pass --cache DIR, a folder that may hold "
                         "the simulation")
    name = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]
    return Path(cache) / f"run-{name}"


def _plan(folder, model):
    """Capacities of the folder's core, the model's plan, and whether memories begin with it."""
    description = read_description(folder)
    check_images(folder)
    capacities = Capacities.from_dict(description["capacities"])
    plan = compile_model(model, **capacities.array, weight_width=capacities.weight_width,
                         bus_width=capacities.bus_width)
    words = image_words(plan, capacities)
    for name, memory in description["memories"].items():
        if digest(words[name], memory["width"]) != memory["sha256"]:
            raise ValueError(f"{folder} must be built from {model.name}, but its {name} are of "
                             "another model")
    return capacities, plan, description["readmemh"] or capacities.external


def _prepare(work, folder, images):
    """An empty folder to run in, with the memory images where the Verilog looks for them."""
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    # Files alone: the folder of somebody else's build may be closed, and its copy would be, too.
    (work / "rom").mkdir()
    for image in sorted((folder / "rom").glob("*.hex")):
        shutil.copyfile(image, work / "rom" / image.name)
    external = folder / "rom" / "external.hex"
    if external.exists():
        (work / "memory.hex").write_text(memory_text({0: external.read_text()}))
    if len(images) < 1:
        raise ValueError("Images must be at least one")


def _compare_cycles(comparison, image, plan, outcome, predicted):
    if outcome["cycles"] != predicted.total:
        comparison.note(image, f"{outcome['cycles']} cycles, predicted {predicted.total}")
    for layer, counted, cycles in zip(plan.layers, outcome["layers"], predicted.layers,
                                      strict=True):
        if counted["cycles"] != cycles:
            comparison.note(image, f"layer {layer.name}: {counted['cycles']} cycles, "
                                   f"predicted {cycles}")


def _layer_means(plan, outcomes):
    return [{"name": layer.name,
             **{key: sum(outcome["layers"][number][key] for outcome in outcomes) / len(outcomes)
                for key in ("cycles", "additions")}}
            for number, layer in enumerate(plan.layers)]


def main(arguments=None, prog="python -m sim.verify"):
    """Command line.

    Returns
    -------
    int
        Exit status: 0 if everything is equal, 1 if anything differs, 2 for bad input, 3 for a tool
        that failed, 130 for Ctrl-C.
    """
    options = _parser(prog).parse_args(arguments)
    return guarded(lambda: _run(options, prog), prog=prog, where=options.folder,
                   interrupted="no report was written", failures=(BenchError,))


def _run(options, prog):
    check_verilog(options.folder)
    model = golden.load(options.model)
    images, labels = chosen(options.images, model, options.count, options.seed)
    with waiting_lock(workplace(options.folder, options.cache).with_suffix(".lock")):
        figures = verify(options.folder, model, images, labels=labels, seed=options.seed,
                         cache=options.cache, limit=options.limit, stalled=not options.free)
    if options.report is not None:
        with replacing(options.report) as file:
            file.write((json.dumps(figures, indent=1, sort_keys=True) + "\n").encode())
    print(f"{figures['images']} images, {figures['tensors']} tensors, {figures['values']} values "
          f"compared: {figures['mismatches']} mismatches")
    if figures["mismatches"]:
        print(f"{prog}: first mismatch: {figures['first_mismatch']}.", file=sys.stderr)
        return 1
    return 0


def _parser(prog):
    parser = argparse.ArgumentParser(
        prog=prog, description="Simulate a built accelerator under Verilator and compare every "
        "tensor that it stores, its logits, additions and cycles with the golden model.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("folder", type=input_path, metavar="DIR",
                        help="output folder of hw.build")
    parser.add_argument("model", type=input_file, metavar="MODEL",
                        help="the integer model it was built from")
    parser.add_argument("--images", type=input_path, metavar="FILE",
                        help=f"{SOURCES}; random ones if not given")
    parser.add_argument("--count", type=COUNT, default=20, help="how many images")
    parser.add_argument("--free", action="store_true", help="stall no image; else, the second half")
    parser.add_argument("--cache", type=output_folder, metavar="DIR",
                        help="folder that keeps simulators; DIR/sim if not given")
    parser.add_argument("--seed", type=SEED, default=1, help="of the stalls and of random images")
    parser.add_argument("--limit", type=SECONDS, default=3600, help="seconds of simulation")
    parser.add_argument("--report", type=output_file, metavar="FILE", help="figures as JSON")
    return parser


if __name__ == "__main__":
    sys.exit(enter(main, prog="python -m sim.verify"))

"""``python -m sim.verify``: simulate a built accelerator and compare every tensor with golden."""

import argparse
import hashlib
import json
import os
import sys
from pathlib import Path

import numpy as np

import golden
from golden.cli.entry import enter
from golden.cli.options import (
    COUNT,
    INDEX,
    SECONDS,
    SEED,
    input_file,
    input_path,
    output_file,
    output_folder,
)
from golden.cli.source import SOURCES
from golden.data.atomic import replacing
from golden.data.lock import waiting_lock
from hw.cli.command import guarded
from hw.emit.build_directory import check_verilog

from .harness import harness
from .pictures import chosen
from .runner import SimulationError, build
from .trial import Trial
from .wave import run_wave


__all__ = ["main", "verify"]


def verify(
    folder,
    model,
    images,
    *,
    labels=None,
    seed=1,
    cache=None,
    limit=3600,
    stalled=True,
    synthesised=False,
):
    """Simulate the accelerator of a folder and compare all that it stores with the golden model.

    The first half of the images runs freely, one after the other, and must take the cycles that
    the cycle model predicts; the second half runs with random stalls of pixels and logits, each
    image entering while the one before is computed. So do, at last and freely, the first two images
    once more, in the period that the cycle model predicts. An external memory answers after random
    times throughout, and also pauses in the second half: no prediction then. Where memories begin
    empty, the model is loaded first.

    If there is a second half, the core is then disturbed, and must come back: by resets in the
    middle of an image, by images of the wrong length and, where weights lie on chip, by a packet
    that it refuses and by other contents, over which the model is loaded again. Each image's
    counters must agree with what was seen at the ports.

    Parameters
    ----------
    folder : Path
        Build directory of ``hw.build``.
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
    synthesised : bool
        Whether memories and sums are those of a device, see ``sim.harness``.

    Returns
    -------
    dict
        ``images``, ``tensors``, ``values``, ``mismatches``, ``first_mismatch``, ``accuracy`` (if
        there are labels), ``cycles``, ``stalls``, ``predicted_cycles`` and ``additions`` (lists,
        of the free-running images), ``period`` (cycles from the logits of the first image to those
        of the second, which waited for it; None if one image runs freely), ``lanes``, ``layers``
        (means over these images), ``image_layers`` (the same of each), ``seconds`` of simulation
        (without the start of the testbench's interpreter) and ``simulated_cycles``, of all images.

    Raises
    ------
    ValueError
        If the folder was not built from this model, or an image of its memories was changed.
    SimulationError
        If the simulation does not come to an end.
    """
    folder = Path(folder)
    trial = Trial(folder, model, images, seed=seed, stalled=stalled)
    executable = build(
        harness(folder, synthesised=synthesised), cache or folder / "sim", fast=True, capture=True
    )
    comparison, outcomes, seconds = trial.run(executable, workplace(folder, cache), limit=limit)
    free = outcomes[: trial.n_free]
    figures = {
        "images": comparison.images,
        "tensors": comparison.tensors,
        "values": comparison.values,
        "mismatches": comparison.mismatches,
        "first_mismatch": comparison.first,
        "cycles": [outcome["cycles"] for outcome in free],
        "stalls": [outcome["stalls"] for outcome in free],
        "predicted_cycles": [cycles.total for cycles in trial.predicted],
        "period": trial.period(outcomes),
        "additions": [outcome["additions"] for outcome in free],
        "lanes": trial.config.columns * trial.config.lanes,
        "layers": _layer_means(trial.plan, free),
        "image_layers": [_layer_means(trial.plan, [outcome]) for outcome in free],
        "seconds": seconds,
        "simulated_cycles": sum(outcome["cycles"] for outcome in outcomes),
        "seed": seed,
    }
    if labels is not None:
        classes = np.array([outcome["logits"] for outcome in outcomes[: len(images)]]).argmax(
            axis=1
        )
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
        raise ValueError(
            f"{folder} cannot be written to: pass --cache DIR, a folder that may hold "
            "the simulation"
        )
    name = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]
    return Path(cache) / f"run-{name}"


def _layer_means(plan, outcomes):
    """Means of each layer over images; none if an image did not run all of them."""
    if any(len(outcome["layers"]) != len(plan.layers) for outcome in outcomes):
        return []
    return [
        {
            "name": layer.name,
            **{
                key: sum(outcome["layers"][number][key] for outcome in outcomes) / len(outcomes)
                for key in ("cycles", "additions")
            },
        }
        for number, layer in enumerate(plan.layers)
    ]


def main(arguments=None, prog="python -m sim.verify"):
    """Command line.

    Returns
    -------
    int
        Exit status: 0 if everything is equal, 1 if anything differs, 2 for bad input, 3 for a tool
        that failed, 130 for Ctrl-C.
    """
    options = _parser(prog).parse_args(arguments)
    return guarded(
        lambda: _run(options, prog),
        prog=prog,
        where=options.folder,
        interrupted="no report was written",
        failures=(SimulationError,),
    )


def _run(options, prog):
    if options.wave is not None:
        for name in ("report", "synthesised"):
            if getattr(options, name):
                raise ValueError(
                    f"--{name} must be left out with --wave, which shows one image as built"
                )
    check_verilog(options.folder)
    model = golden.load(options.model)
    if options.image is not None and options.wave is None:
        raise ValueError("--image must come with --wave, which shows one image")
    number = options.image or 0
    count = options.count if options.wave is None else max(options.count, number + 1)
    images, labels = chosen(options.images, model, count, options.seed)
    if options.wave is not None:
        workplace(options.folder, options.cache)
        return run_wave(
            options.folder,
            model,
            images,
            number,
            options.wave,
            cache=options.cache or options.folder / "sim",
            limit=options.limit,
            prog=prog,
        )
    with waiting_lock(workplace(options.folder, options.cache).with_suffix(".lock")):
        figures = verify(
            options.folder,
            model,
            images,
            labels=labels,
            seed=options.seed,
            cache=options.cache,
            limit=options.limit,
            stalled=not options.free,
            synthesised=options.synthesised,
        )
    if options.report is not None:
        with replacing(options.report) as file:
            file.write((json.dumps(figures, indent=1, sort_keys=True) + "\n").encode())
    print(
        f"{figures['images']} images, {figures['tensors']} tensors, {figures['values']} values "
        f"compared: {figures['mismatches']} mismatches"
    )
    if figures["mismatches"]:
        print(f"{prog}: first mismatch: {figures['first_mismatch']}.", file=sys.stderr)
        return 1
    return 0


def _parser(prog):
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Simulate a built accelerator under Verilator and compare every "
        "tensor that it stores, its logits, additions and cycles with the golden model.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument(
        "folder", type=input_path, metavar="DIR", help="build directory of hw.build"
    )
    parser.add_argument(
        "model", type=input_file, metavar="MODEL", help="the integer model it was built from"
    )
    parser.add_argument(
        "--images", type=input_path, metavar="FILE", help=f"{SOURCES}; random ones if not given"
    )
    parser.add_argument("--count", type=COUNT, default=20, help="how many images")
    parser.add_argument("--free", action="store_true", help="stall no image; else, the second half")
    parser.add_argument(
        "--synthesised",
        action="store_true",
        help="simulate the memories and carry cells that an ECP5 gets",
    )
    parser.add_argument(
        "--cache",
        type=output_folder,
        metavar="DIR",
        help="folder that keeps simulators; DIR/sim if not given",
    )
    parser.add_argument("--seed", type=SEED, default=1, help="of the stalls and of random images")
    parser.add_argument("--limit", type=SECONDS, default=3600, help="seconds of simulation")
    parser.add_argument(
        "--wave",
        type=output_file,
        metavar="FILE",
        help="simulate one image alone, and write its waves: FILE ends in .fst, and a save file "
        "of GTKWave is written beside it",
    )
    parser.add_argument(
        "--image", type=INDEX, metavar="N", help="number of that image, from 0; 0 if not given"
    )
    parser.add_argument("--report", type=output_file, metavar="FILE", help="figures as JSON")
    return parser


if __name__ == "__main__":
    sys.exit(enter(main, prog="python -m sim.verify"))

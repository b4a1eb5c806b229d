"""``python -m hw.explore``: which array suits a model and a device."""

import argparse
import json
import shlex
import sys
from pathlib import Path

import golden
from golden.analysis.charts import scatter
from golden.cli.entry import enter
from golden.cli.options import COUNT, WORKERS, input_file, input_path, output_folder, text, whole
from golden.cli.source import SOURCES, open_source
from golden.data.atomic import replacing

from .cli.command import guarded
from .exploration.point import pareto
from .exploration.search import search
from .fpga.devices import DEVICES


__all__ = ["main"]


def main(arguments=None, prog="python -m hw.explore"):
    """Command line.

    Returns
    -------
    int
        Exit status: 0; 2 for bad input; 3 for a tool that is missing; 130 for Ctrl-C.
    """
    options = _parser(prog).parse_args(arguments)
    return guarded(
        lambda: _run(options),
        prog=prog,
        where=options.out,
        interrupted="the storage keeps every trial; run it again to go on",
    )


def _parser(prog):
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Search columns, lanes, spike codes and the "
        "place of the weights for the cores of a model that are fast and small: those that no "
        "other one beats in both. Cycles follow from the model's mean counts, or better from the "
        "additions of some images, LUTs from the area model. The search goes on where it was "
        "stopped.",
        epilog="example: %(prog)s --model nano.safetensors --device ecp5-85k --workers 2",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument(
        "--model",
        required=True,
        metavar="MODEL",
        type=input_file,
        help="integer model (.safetensors)",
    )
    parser.add_argument(
        "--device",
        default="ecp5-85k",
        choices=[d.name for d in DEVICES],
        help="FPGA that the core must fit",
    )
    parser.add_argument(
        "--images",
        type=input_path,
        metavar="FILE",
        help=f"images whose additions are counted: {SOURCES}",
    )
    parser.add_argument("--count", type=COUNT, default=4, help="how many of the images")
    parser.add_argument(
        "--trials",
        type=whole(1, 1_000_000),
        default=300,
        metavar="N",
        help="cores to try, those in the storage included",
    )
    parser.add_argument("--workers", type=WORKERS, default=2, metavar="N", help="processes")
    parser.add_argument(
        "--storage",
        type=text,
        metavar="URL",
        help="database (sqlite:///FILE, postgresql://...) or journal file that "
        "several machines may share; OUT/explore.journal if not given",
    )
    parser.add_argument(
        "--out",
        type=output_folder,
        default=Path("build/explore"),
        metavar="DIR",
        help="receives explore.json and explore.svg",
    )
    return parser


def _run(options):
    options.out.mkdir(parents=True, exist_ok=True)
    storage = options.storage or str(options.out / "explore.journal")
    print(f"trying cores up to trial {options.trials}", file=sys.stderr, flush=True)
    images = None
    if options.images is not None:
        model = golden.load(options.model)
        images = open_source(options.images, model, count=options.count).images[:]
    points = search(
        options.model,
        options.device,
        storage,
        trials=options.trials,
        workers=options.workers,
        images=images,
    )
    fitting = [point for point in points if point.fits]
    if not fitting:
        raise ValueError(
            f"None of {len(points)} cores fits {options.device}: try --device "
            "ecp5-85k or a smaller model"
        )
    front = pareto(fitting)
    chosen = min(front, key=lambda point: point.lut * point.cycles)
    with replacing(options.out / "explore.json") as file:
        file.write(
            (
                json.dumps(
                    {
                        "model": str(options.model),
                        "device": options.device,
                        "points": [vars(point) for point in points],
                        "pareto": [vars(point) for point in front],
                        "chosen": vars(chosen),
                    },
                    indent=1,
                )
                + "\n"
            ).encode()
        )
    with replacing(options.out / "explore.svg") as file:
        file.write(
            scatter(
                [(point.lut, point.cycles) for point in fitting],
                front=[(point.lut, point.cycles) for point in front],
                axes=("LUTs", "cycles per image"),
            ).encode()
        )
    counted = (
        "the model's mean counts"
        if images is None
        else f"the additions of {len(images)} image{'s'[: len(images) != 1]}"
    )
    print(
        f"{len(points)} cores, of which {len(fitting)} fit {options.device}; fast and small, by "
        f"cycles estimated from {counted} and LUT predicted by the area model:"
    )
    print("columns x lanes  code          bus   cycles      LUT  blocks     U  LUT x cycles")
    for point in front:
        mark = "  <- least" if point is chosen else ""
        print(
            f"{point.columns:7} x {point.lanes:<5}  "
            f"{point.spike_code:12} {point.bus_width:4} {point.cycles:9,.0f} "
            f"{point.lut:8,.0f} {point.blocks:7} "
            f"{point.utilisation:5.3f}  {point.lut * point.cycles:12.3g}{mark}"
        )
    command = [
        "python",
        "-m",
        "hw.build",
        "--target",
        "fpga",
        "--model",
        str(options.model),
        "--device",
        options.device,
        *chosen.options,
        "--out",
        str(options.out / "accelerator"),
    ]
    print(
        f"\nall points: {options.out / 'explore.json'}; plot: {options.out / 'explore.svg'}; "
        f"build it with\n{shlex.join(command)}"
    )


if __name__ == "__main__":
    sys.exit(enter(main, prog="python -m hw.explore"))

"""``python -m tests.benchmark.calibrate``: fit the area model to cores that are synthesised now."""

import argparse
import json
import sys
from pathlib import Path

import golden
from golden import SpikeCode
from golden.cli.entry import enter
from golden.cli.options import WORKERS, output_folder
from golden.data.atomic import replacing
from hw.baseline.dense_engine import DenseEngine, DenseSize
from hw.cli.command import guarded
from hw.cli.workers import workers
from hw.compiler import compile_model
from hw.estimate.area_model import COEFFICIENTS, fit, fit_dense, predicted_lut
from tests.benchmark.out_of_context import route, write_component, write_core


__all__ = ["main"]


DATA = Path(__file__).parents[1] / "data"
#: Model, columns, lanes, spike code, bits of the external bus.
CORES = (
    ("cifar10-nano", 4, 16, "split", 128),
    ("cifar10-nano", 6, 12, "split", 128),
    ("cifar10-nano", 8, 16, "split", 128),
    ("cifar10-nano", 2, 32, "bit-serial", 64),
    ("cifar10-nano", 4, 32, "split", 128),
    ("cifar10-nano", 2, 16, "bit-serial", 0),
    ("cifar10-nano-d8", 2, 24, "split", 128),
    ("cifar10-nano", 4, 8, "split", 128),
    ("digits", 2, 16, "split", 0),
    ("digits", 4, 16, "split", 0),
    ("digits", 2, 16, "bit-serial", 0),
    ("digits", 1, 8, "split", 0),
    ("digits", 4, 8, "split", 64),
    ("digits", 2, 12, "bit-serial", 64),
    ("digits", 4, 24, "split", 256),
)
#: Core that is routed, too, and the dense engines, of two widths of weights.
ROUTED, DENSE = 8, tuple(DenseSize(outputs=8, inputs=8, weight_width=bits) for bits in (4, 8))


def main(arguments=None, prog="python -m tests.benchmark.calibrate"):
    """Command line.

    Returns
    -------
    int
        Exit status: 0; 3 for a tool that failed; 130 for Ctrl-C.
    """
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Synthesise a dozen cores, route one of them and dense engines, "
        f"and fit the area model to them: writes hw/{COEFFICIENTS.name}. To be run when engines "
        "have changed.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument(
        "--out",
        type=output_folder,
        default=Path("build/calibrate"),
        metavar="DIR",
        help="folder to work in",
    )
    parser.add_argument("--workers", type=WORKERS, default=2, metavar="N", help="processes")
    options = parser.parse_args(arguments)
    return guarded(
        lambda: _run(options), prog=prog, where=options.out, interrupted="the model is as it was"
    )


def _run(options):
    with workers(options.workers) as pool:
        folders = [options.out.resolve() / "-".join(map(str, core)) for core in CORES]
        running = [pool.submit(_build, *pair) for pair in zip(folders, CORES, strict=True)]
        measured = [future.result() for future in running]
    routed = route(folders[ROUTED], seeds=(1,))
    dense = [(size, _route_dense(size, options.out.resolve())) for size in DENSE]
    known = {
        "coefficients": fit(measured),
        "routed": round(routed["lut"] / routed["synthesised_lut"], 4),
        "dense": fit_dense(dense),
    }
    with replacing(COEFFICIENTS) as file:
        file.write((json.dumps(known, indent=1) + "\n").encode())
    for core, (config, lut) in zip(CORES, measured, strict=True):
        off = predicted_lut(config, routed=False) / lut - 1
        print(f"{' '.join(map(str, core)):44} {lut:6} LUT, predicted {off:+.1%}")


def _route_dense(size, folder):
    """LUTs of a dense engine; kept until its Verilog changes."""
    folder = folder / f"dense-{size.weight_width}"
    write_component(DenseEngine(size), folder)
    return route(folder, seeds=(1,))["lut"]


def _build(folder, core):
    """Configuration and synthesised LUTs of a core; kept until its Verilog changes."""
    name, columns, lanes, code, bus_width = core
    model = golden.load(DATA / f"{name}.safetensors")
    plan = compile_model(
        model,
        columns=columns,
        lanes=lanes,
        spike_code=SpikeCode(code),
        bus_width=bus_width,
    )
    write_core(plan, folder)
    return plan.required, route(folder, seeds=())["synthesised_lut"]


if __name__ == "__main__":
    sys.exit(enter(main, prog="python -m tests.benchmark.calibrate"))

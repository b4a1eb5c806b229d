"""``python -m sim.mutants``: single faults of a core, and whether ``sim.verify`` notices each."""

import argparse
import io
import os
import re
import sys
import time
import tomllib
from concurrent.futures import as_completed
from contextlib import redirect_stdout
from functools import partial

import golden
from golden.cli.entry import enter
from golden.cli.options import COUNT, SEED, WORKERS, input_file, input_path, output_folder
from golden.cli.source import SOURCES
from golden.data.reading import decoding, read_regular
from hw.build import build as build_core
from hw.cli.command import guarded
from hw.cli.workers import workers
from hw.compiler import compile_model
from hw.emit.verilog import TOP
from hw.tools.process import ToolError

from .equivalence import proved_equivalent
from .harness import CLOCK
from .mutation import CONTROL, Netlist
from .pictures import chosen
from .runner import Design, SimulationError, build
from .trial import Trial
from .verdict import Verdict, report


__all__ = ["main", "mutants", "read_conditions"]


#: Bytes that such a file may have.
MOST = 2**20

#: Wall-clock seconds of one simulation.
LIMIT = 600

#: Cycles after which the core's load port ends a packet: 2^24 would take a minute of simulation.
LOAD_PATIENCE = 1000


def mutants(
    model, images, folder, *, columns, lanes, draw, seed=1, jobs=1, conditions=(), progress=print
):
    """Puts single faults into a core, and each of them through ``sim.verify``'s trial.

    Parameters
    ----------
    model : IntegerModel
    images : uint8 array, shape (images, height, width, channels)
    folder : Path
        For the core, its netlist, its simulator and the runs.
    columns, lanes : int
    draw : callable
        Takes the ``Netlist``, returns the list of faults.
    seed : int
        Of stalls and of the moments of resets.
    jobs : int
        Simulations at a time.
    conditions : list of dict
        Known to be impossible, see ``mutants.toml``.
    progress : callable
        Takes lines.

    Returns
    -------
    list of Verdict

    Raises
    ------
    SimulationError
        If the core without a fault is not right.
    """
    plan = compile_model(model, columns=columns, lanes=lanes, spike_code=golden.SpikeCode.SPLIT)
    build_core(plan, folder / "core", load_patience=LOAD_PATIENCE)
    netlist = Netlist((folder / "core" / "rtl" / f"{TOP}.v").read_text(), folder / "netlist")
    drawn = draw(netlist)
    progress(
        f"building a simulator of {len(drawn)} faults in "
        f"{len({m.kind for m in drawn})} kinds of modules"
    )
    executable = build(
        Design(TOP, netlist.mutated(drawn), CLOCK), folder / "sim", fast=True, capture=True
    )
    trial = Trial(folder / "core", model, images, seed=seed, patience=LOAD_PATIENCE)
    comparison, *_ = trial.run(executable, folder / "runs" / "0", inputs={CONTROL: 0}, limit=LIMIT)
    if comparison.mismatches:
        raise SimulationError(
            f"The core without a fault must pass, and does not: {comparison.first}"
        )
    checks = _run_all(trial, executable, folder, drawn, jobs, progress)
    survivors = [mutation for mutation in drawn if checks[mutation.number] is None]
    progress(f"looking for reasons why {len(survivors)} survived")
    with workers(jobs) as pool:
        found = pool.map(partial(excuse, netlist, conditions), survivors)
        reasons = dict(zip((mutation.number for mutation in survivors), found, strict=True))
    return [
        Verdict(mutation, checks[mutation.number], reasons.get(mutation.number))
        for mutation in drawn
    ]


def noticed(trial, executable, folder, number):
    """The check of ``sim.verify`` that notices a fault; None if none does."""
    work = folder / "runs" / str(number)
    try:
        with redirect_stdout(io.StringIO()):
            comparison, *_ = trial.run(executable, work, inputs={CONTROL: number}, limit=LIMIT)
    except SimulationError as error:
        return "deadline" if "must be done within" in str(error) else "protocol"
    except ToolError:
        return "simulator"
    return next(iter(comparison.checks), None)


def _run_all(trial, executable, folder, drawn, jobs, progress):
    """Check that noticed each fault, by its number."""
    checks, began = {}, time.monotonic()
    with workers(jobs) as pool:
        waiting = {
            pool.submit(noticed, trial, executable, folder, mutation.number): mutation.number
            for mutation in drawn
        }
        for done in as_completed(waiting):
            checks[waiting[done]] = done.result()
            survived = sum(check is None for check in checks.values())
            left = (time.monotonic() - began) / len(checks) * (len(drawn) - len(checks))
            progress(
                f"{len(checks)} of {len(drawn)} faults: {len(checks) - survived} noticed, "
                f"{survived} not; {left:.0f} s left"
            )
    return checks


def excuse(netlist, conditions, mutation):
    """Why a survivor is equivalent; None if nobody knows."""
    for condition in conditions:
        if (
            condition["module"] == mutation.kind
            and re.fullmatch(condition["bit"], mutation.place)
            and re.fullmatch(condition.get("mode", ".*"), mutation.mode)
        ):
            return condition["cannot"]
    return "proved by Yosys" if proved_equivalent(netlist, mutation) else None


def read_conditions(path):
    """Conditions that cannot occur, from a file like ``mutants.toml``.

    Raises
    ------
    ValueError
        If the file is no TOML, or an entry lacks ``module``, ``bit`` or ``cannot``.
    """
    with decoding(f"{path}: the conditions cannot be read", "no list `condition` in TOML"):
        conditions = tomllib.loads(read_regular(path, MOST).decode())["condition"]
    for condition in conditions:
        if {"module", "bit", "cannot"} - condition.keys():
            raise ValueError(
                f"A condition of {path} must have module, bit and cannot, not {sorted(condition)}"
            )
    return conditions


def main(arguments=None, prog="python -m sim.mutants"):
    """Command line.

    Returns
    -------
    int
        Exit status: 0 if every fault is noticed or equivalent, 1 if not, 2 for bad input, 3 for a
        tool that failed, 130 for Ctrl-C.
    """
    options = _parser(prog).parse_args(arguments)
    return guarded(
        lambda: _run(options),
        prog=prog,
        where=options.out,
        interrupted="nothing was reported",
        failures=(SimulationError,),
    )


def _run(options):
    model = golden.load(options.model)
    images, _ = chosen(options.images, model, options.count_images, options.seed)
    conditions = read_conditions(options.conditions) if options.conditions else ()
    verdicts = mutants(
        model,
        images,
        options.out,
        columns=options.columns,
        lanes=options.lanes_per_column,
        draw=lambda netlist: netlist.draw(options.count, options.seed),
        seed=options.seed,
        jobs=options.jobs,
        conditions=conditions,
        progress=lambda line: print(line, flush=True),
    )
    lines, status = report(verdicts)
    print("\n".join(lines))
    return status


def _parser(prog):
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Put single faults into the netlist of a core, all in one simulator "
        "that an input chooses from, and count those that the checks of sim.verify notice.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument(
        "model", type=input_file, metavar="MODEL", help="integer model (.safetensors)"
    )
    parser.add_argument(
        "--out", type=output_folder, required=True, metavar="DIR", help="output folder"
    )
    parser.add_argument(
        "--images", type=input_path, metavar="FILE", help=f"{SOURCES}; random ones if not given"
    )
    parser.add_argument(
        "--count-images", type=COUNT, default=4, metavar="N", help="how many images"
    )
    parser.add_argument("--columns", type=COUNT, default=2, metavar="B", help="columns of the core")
    parser.add_argument(
        "--lanes-per-column", type=COUNT, default=16, metavar="P", help="adders of a column"
    )
    parser.add_argument("--count", type=COUNT, default=64, help="how many faults")
    parser.add_argument(
        "--seed", type=SEED, default=18, help="draws the faults, the stalls and random images"
    )
    parser.add_argument(
        "--jobs", type=WORKERS, default=os.cpu_count(), help="simulations at a time"
    )
    parser.add_argument(
        "--conditions",
        type=input_file,
        metavar="FILE",
        help="list of conditions that cannot occur in this core",
    )
    return parser


if __name__ == "__main__":
    sys.exit(enter(main, prog="python -m sim.mutants"))

"""``make bench``: every figure that the hardware is judged by, beside its target."""

import argparse
import json
import sys
from pathlib import Path
from statistics import mean

from golden.cli.entry import enter
from golden.cli.options import WORKERS, input_path, output_file, output_folder
from golden.data.atomic import replacing
from golden.data.lock import alone_in
from hw.cli.command import guarded
from tests.benchmark import finn
from tests.benchmark.judges import array, utilisation
from tests.benchmark.keep import measure
from tests.benchmark.layers import FIXED
from tests.benchmark.networks import MODELS, NANO, OTHERS, Settings
from tests.benchmark.pareto import draw, points, table
from tests.benchmark.rows import rows, rows_before
from tests.benchmark.runs import ALONE, NEEDS, ROUTED, RUNS, of_array


__all__ = ["main"]


#: Runs of whole networks, and what they ran.
NETWORKS = {
    **{f"{name}-on-chip": f"{name}, weights on chip" for name in MODELS},
    f"{NANO}-external": NANO,
    **{f"nano-{of_array(array)}": NANO for array in OTHERS},
    "tiny-drawn": "E-SpikeFormer-T, counts drawn from cifar10-nano's",
    "tiny": "E-SpikeFormer-T, random weights' counts",
}


def main(arguments=None, prog="python -m tests.benchmark.hardware"):
    """Command line.

    Returns
    -------
    int
        Exit status: 0, whether targets are met or not; 2 for bad input; 3 for a tool or a
        simulation that failed; 130 for Ctrl-C.
    """
    options = _parser(prog).parse_args(arguments)
    return guarded(
        lambda: _run(options),
        prog=prog,
        where=options.out,
        interrupted=f"{options.out} keeps the runs that were finished",
    )


def _parser(prog):
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Simulate, bit-exactly, and route the fixed layers and networks, "
        "and print what was measured beside each target. Finished runs are kept in --out: the "
        "command goes on where it was stopped, and repeats them when sources have changed.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument(
        "--out",
        type=output_folder,
        default=Path("build/bench"),
        metavar="DIR",
        help="folder to work in",
    )
    parser.add_argument(
        "--json", type=output_file, metavar="FILE", help="all figures, for programs"
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="a small part of every simulation, and nothing that is routed",
    )
    parser.add_argument(
        "--only",
        nargs="+",
        choices=RUNS,
        metavar="RUN",
        help=f"some of the runs: {', '.join(RUNS)}",
    )
    parser.add_argument(
        "--finn",
        type=input_path,
        metavar="CHECKOUT",
        help="repository of FINN, whose matrix-vector unit is routed again; else it is as "
        f"{finn.KNOWN.name} says",
    )
    parser.add_argument(
        "--data",
        type=input_path,
        metavar="DATA",
        help="test set of CIFAR-10, as python -m golden takes it, for the accuracy",
    )
    parser.add_argument("--workers", type=WORKERS, default=2, metavar="N", help="runs at a time")
    return parser


def _run(options):
    settings = Settings(options.out, quick=options.quick, finn=options.finn, data=options.data)
    names = options.only or [
        name
        for name in RUNS
        if not (options.quick and name in ROUTED)
        and all(vars(settings)[need] for begins, need in NEEDS.items() if name.startswith(begins))
    ]
    with alone_in(options.out, "bench"):
        found = measure(
            RUNS,
            settings,
            names,
            alone=ALONE,
            n_workers=options.workers,
            progress=lambda text: print(text, file=sys.stderr, flush=True),
        )
        measured = {str(bits): found.pop(f"finn-{bits}", None) for bits in finn.COUNT_WIDTH}
        if all(measured.values()):
            finn.keep(measured)
        found["finn"] = finn.known()
        shown = points(found)
        pictures = draw(shown, options.out) if shown else []
    judged, before = rows(found), rows_before(found)
    print("\n".join([*_layers(found), "", *_networks(found), "", *table(shown), ""]))
    print("\n".join([*_targets(judged), "", *_targets(before)]))
    for path in pictures:
        print(f"{path}: arrays beside each other", file=sys.stderr)
    if options.json is not None:
        targets = {"targets": judged, "targets_before": before}
        with replacing(options.json) as file:
            file.write(
                (
                    json.dumps(
                        {"runs": found}
                        | {key: [vars(row) for row in those] for key, those in targets.items()},
                        indent=1,
                    )
                    + "\n"
                ).encode()
            )


def _layers(found):
    """Lines of a Markdown table of the fixed layers."""
    lines = [
        ("| layer | array | spikes | mean count | additions | cycles | U | cycles, dense engine |"),
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name in (*(layer.name for layer in FIXED), "L1-4"):
        run = found.get(name)
        for row in run["rows"] if run else ():
            used = row["additions"] / (row["cycles"] * run["lanes"])
            lines.append(
                f"| {run['text']} | {array(run)} | {row['spikes']} | {row['mean']:g} | "
                f"{row['additions']:,.0f} | {row['cycles']:,.0f} | {used:.3f} | "
                f"{run['dense_cycles']:,} |"
            )
    return lines


def _networks(found):
    """Lines of a Markdown table of the whole networks."""
    lines = [
        (
            "| network | array | cycles | from image to image | U | cycles, dense engine | "
            "complete dense core |"
        ),
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name in NETWORKS:
        if run := found.get(name):
            period = "" if run["period"] is None else f"{run['period']:,}"
            lines.append(
                f"| {NETWORKS[name]} | {array(run)} | {mean(run['cycles']):,.0f} | "
                f"{period} | {utilisation(run):.3f} | {run['dense_cycles']:,} | "
                f"{run['dense_core_cycles']:,} |"
            )
    return lines


def _targets(judged):
    """Lines of a Markdown table of the targets."""
    words = {True: "yes", False: "no", None: ""}
    return [
        "| # | what | target | measured | met |",
        "| --- | --- | --- | --- | --- |",
        *(
            f"| {row.number} | {row.what} | {row.target} | {row.measured} | {words[row.met]} |"
            for row in judged
        ),
    ]


if __name__ == "__main__":
    sys.exit(enter(main, prog="python -m tests.benchmark.hardware"))

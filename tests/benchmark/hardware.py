"""``make bench``: every figure that the hardware is judged by, beside its target."""

import argparse
import json
import sys
from pathlib import Path
from statistics import mean

from golden.cli.entry import enter
from golden.cli.options import WORKERS, output_file, output_folder
from golden.data.atomic import replacing
from golden.data.lock import alone_in
from hw.cli.command import guarded
from tests.benchmark.judges import array, utilisation
from tests.benchmark.keep import measure
from tests.benchmark.networks import Settings
from tests.benchmark.rows import ENGINES, FIXED, rows
from tests.benchmark.runs import ALONE, RUNS


__all__ = ["main"]


#: Runs of whole networks, and what they ran.
NETWORKS = {
    "nano": "cifar10-nano",
    "tiny": "E-SpikeFormer-T",
    "nano-on-chip": "cifar10-nano, weights on chip",
    "nano-narrow": "cifar10-nano, weights on chip",
    "tiny-narrow": "E-SpikeFormer-T",
    "nano-wider": "cifar10-nano, bit-serial",
    "tiny-wider": "E-SpikeFormer-T, bit-serial",
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
    parser.add_argument("--workers", type=WORKERS, default=2, metavar="N", help="runs at a time")
    return parser


def _run(options):
    names = options.only or [
        name for name in RUNS if not (options.quick and name.startswith(("routed", "synthesised")))
    ]
    with alone_in(options.out, "bench"):
        found = measure(
            RUNS,
            Settings(options.out, quick=options.quick),
            names,
            alone=ALONE,
            n_workers=options.workers,
            progress=lambda text: print(text, file=sys.stderr, flush=True),
        )
    judged = rows(found)
    print("\n".join([*_layers(found), "", *_networks(found), "", *_targets(judged)]))
    if options.json is not None:
        with replacing(options.json) as file:
            file.write(
                (
                    json.dumps({"runs": found, "targets": [vars(row) for row in judged]}, indent=1)
                    + "\n"
                ).encode()
            )


def _layers(found):
    """Lines of a Markdown table of the fixed layers."""
    lines = [
        ("| layer | array | spikes | mean count | additions | cycles | U | cycles, dense engine |"),
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name in (*FIXED, *ENGINES):
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
        "| network | array | cycles | from image to image | U | cycles, dense engine |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name in NETWORKS:
        if run := found.get(name):
            period = "" if run["period"] is None else f"{run['period']:,}"
            dense = f"{sum(run['dense']['cycles'].values()):,}" if "dense" in run else ""
            lines.append(
                f"| {NETWORKS[name]} | {array(run)} | {mean(run['cycles']):,.0f} | "
                f"{period} | {utilisation(run):.3f} | {dense} |"
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

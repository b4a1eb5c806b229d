"""``addend check``: which parts of a network run in hardware, before anything is trained."""

import argparse
import sys
from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from golden.cli.entry import enter
from golden.cli.options import input_file, output_file
from golden.data.reading import printable

from .what_runs import GOLDEN, HARDWARE, NO, WHAT_RUNS


if TYPE_CHECKING:
    from train.graph import SpikeGraph


__all__ = ["add_source", "check", "image_shape", "main", "network_source", "pixel_scale"]


DESCRIPTION = """\
Say what runs of a network that somebody else made: a torch module (FILE.py:FUNCTION, a function
that returns one) or a QONNX file. Every node that hardware does not run gets one sentence with a
remedy. Exit status: 0 if hardware runs all, 1 if not, 2 for bad input.
"""


def main(arguments: Sequence[str] | None = None, prog: str = "python -m addend.check") -> int:
    """Run the command line.

    Returns
    -------
    int
        Exit status.
    """
    options = _parser(prog).parse_args(arguments)
    try:
        return _run(options)
    except (ValueError, OSError) as error:
        print(f"{prog}: {error}", file=sys.stderr)
        return 2


def _run(options):
    from train.cli.report import write_json
    from train.graph import GraphError
    from train.sources import open_graph

    try:
        graph = open_graph(
            options.source,
            image=options.input,
            scale=options.pixel_scale,
            otherwise=Fraction(1, 255),
        )
    except GraphError as error:
        reason, _, remedy = str(error).rpartition(": ")
        rows = [_row(options.source, "network", NO, f"cannot be followed: {reason}", remedy)]
    else:
        rows = check(graph, merge=options.merge)
    if options.json is not None:
        write_json(rows, options.json)
    for row in rows:
        if row["runs"] != HARDWARE:
            where = "runs in golden only" if row["runs"] == GOLDEN else "does not run"
            remedy = f": {row['remedy']}" if row["remedy"] else ""
            print(f"{row['node']} ({row['kind']}) {where}: it {row['reason']}{remedy}.")
    running = sum(row["runs"] == HARDWARE for row in rows)
    print(f"{options.source}: hardware runs {running} of {len(rows)} nodes")
    return 0 if running == len(rows) else 1


def check(graph: "SpikeGraph", *, merge: bool = False) -> list[dict[str, str]]:
    """Say of every node of a float graph where it runs.

    Parameters
    ----------
    graph : SpikeGraph
    merge : bool
        As for `train.normalise.normalise`.

    Returns
    -------
    list of dict
        ``node``, ``kind``, ``runs`` (``hardware``, ``golden`` or ``no``), ``reason`` and
        ``remedy``; the last two are empty where hardware runs a node.
    """
    from train.normalise import findings

    found = {finding.name: finding for finding in findings(graph, merge=merge)}
    late = {} if found else _refused_layers(graph, merge)
    rows = []
    for node in graph.nodes:
        runs, what = WHAT_RUNS.get(node.kind, (NO, ""))
        if node.name in found:
            finding = found.pop(node.name)
            rows.append(_row(node.name, node.kind, NO, finding.reason, finding.remedy))
        elif node.name in late:
            rows.append(_row(node.name, node.kind, GOLDEN, *late[node.name]))
        elif runs == GOLDEN:
            reason, remedy = f"is {what}", "use one that hardware runs"
            rows.append(_row(node.name, node.kind, GOLDEN, reason, remedy))
        else:
            rows.append(_row(node.name, node.kind, HARDWARE, "", ""))
    return rows + [
        _row(finding.name, finding.kind, NO, finding.reason, finding.remedy)
        for finding in found.values()
    ]


def _refused_layers(graph, merge):
    """Reason and remedy, by node, of layers that golden runs and hardware does not."""
    from hw.compiler.limits import refusals
    from train.export.convert import lowered
    from train.normalise import normalise

    network = normalise(graph, merge=merge)
    model, _ = lowered(network, name=graph.name)
    found = {}
    for layer, sentence in refusals(model).items():
        reason, _, remedy = sentence.partition(": ")
        node = network.origins.get(layer, graph.nodes[-1].name)
        reason = reason.removeprefix(f"Layer {layer} ")
        found.setdefault(node, (reason, remedy))
    return found


def _row(node, kind, runs, reason, remedy):
    return {"node": node, "kind": kind, "runs": runs, "reason": reason, "remedy": remedy}


def network_source(text: str) -> str:
    """``FILE.py:FUNCTION``, or a path that ends in ``.onnx``.

    >>> network_source("mynet.py:build")
    'mynet.py:build'
    """
    path, colon, function = text.rpartition(":")
    if colon and path.endswith(".py") and function.isidentifier():
        input_file(path)
    elif text.endswith(".onnx"):
        input_file(text)
    else:
        raise argparse.ArgumentTypeError(
            f"must be FILE.py:FUNCTION or a QONNX file that ends in .onnx, not {printable(text)!r}"
        )
    return text


def image_shape(text: str) -> tuple[int, int, int]:
    """``CxHxW`` as height, width and channels.

    >>> image_shape("3x32x24")
    (32, 24, 3)
    """
    try:
        channels, height, width = (int(part) for part in text.lower().split("x"))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"must be CxHxW, such as 3x32x32, not {text!r}") from error
    if not all(1 <= number <= 8192 for number in (channels, height, width)):
        raise argparse.ArgumentTypeError(f"must be numbers of 1 to 8192, not {text!r}")
    return height, width, channels


def pixel_scale(text: str) -> Fraction:
    """What a byte stands for: ``1/255``, ``0.0625`` or ``1``.

    >>> pixel_scale("1/255")
    Fraction(1, 255)
    """
    try:
        scale = Fraction(text)
    except (ValueError, ZeroDivisionError) as error:
        raise argparse.ArgumentTypeError(f"must be a number such as 1/255, not {text!r}") from error
    if not 0 < scale <= 2**16:
        raise argparse.ArgumentTypeError(f"must be above 0 and at most 65536, not {text!r}")
    return scale


def add_source(parser: argparse.ArgumentParser, *, help: str) -> None:  # noqa: A002
    """Add a network that somebody else made, and what it takes to follow it."""
    parser.add_argument(
        "source",
        type=network_source,
        metavar="SOURCE",
        help=help,
    )
    parser.add_argument(
        "--input",
        type=image_shape,
        metavar="CxHxW",
        help="shape of an image, such as 3x32x32; needed for a Python file",
    )
    parser.add_argument(
        "--merge",
        action="store_true",
        help="fold a pointwise convolution into the one in front of it, which costs weights",
    )


def _parser(prog):
    parser = argparse.ArgumentParser(
        prog=prog,
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_source(parser, help="mynet.py:build, or a QONNX file such as net.onnx")
    parser.add_argument(
        "--pixel-scale",
        type=pixel_scale,
        metavar="S",
        help="what a byte stands for (default: what the network says, or else 1/255)",
    )
    parser.add_argument(
        "--json",
        type=output_file,
        metavar="FILE",
        help="also write a list of {node, kind, runs, reason, remedy}",
    )
    return parser


if __name__ == "__main__":
    sys.exit(enter(main, prog="python -m addend.check"))

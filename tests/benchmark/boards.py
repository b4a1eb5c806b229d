"""``make boards``: bitstreams for every board, and a table of what they take."""

import argparse
import sys
from pathlib import Path

from golden.cli.entry import enter
from golden.cli.options import output_folder
from golden.data.description import read_json
from hw import build
from hw.boards.board import BOARDS
from hw.cli.command import guarded
from tests.board_files import assert_same_pins


__all__ = ["main", "table"]


MODELS = Path("tests/data")
#: Board, model, and its array: the small model on every board, that of the demo on the first.
BUILDS = [
    *((board, "digits-tiny", (1, 8)) for board in BOARDS),
    (BOARDS[0], "digits", (2, 16)),
]


def table(rows):
    """Lines of a table, a row for each build.

    Parameters
    ----------
    rows : list of (str, str, (int, int), dict)
        Board, model, columns and lanes, and what ``report.json`` holds.

    Returns
    -------
    list of str
    """
    lines = ["board                 model         array    LUT     FF  BRAM  Fmax MHz  PLL MHz"]
    return lines + [
        f"{board:20}  {model:12}  {columns:2}x{lanes:<2} {used['lut']:6,} {used['ff']:6,} "
        f"{used['bram']:5} {used['fmax_mhz']:9.1f} {used['pll_mhz']:8.2f}"
        for board, model, (columns, lanes), used in rows
    ]


def main(arguments=None, prog="python -m tests.benchmark.boards"):
    """Command line.

    Returns
    -------
    int
        Exit status: 0; 2 for bad input; 3 for a tool that failed; 130 for Ctrl-C.
    """
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Build bitstreams for all boards, and check their pins against the files of "
        "amaranth-boards.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--out", type=output_folder, required=True, help="build directories")
    options = parser.parse_args(arguments)
    return guarded(
        lambda: _run(options),
        prog=prog,
        where=options.out,
        interrupted=f"{options.out} holds finished steps only",
    )


def _run(options):
    rows = []
    for board, model, (columns, lanes) in BUILDS:
        assert_same_pins(board)
        print(f"{board.name}: {len(board.pins)} ports have the pins of its board file", flush=True)
        folder = options.out / f"{board.name}-{model}"
        given = {
            "--target": "fpga",
            "--board": board.name,
            "--model": MODELS / f"{model}.safetensors",
            "--columns": columns,
            "--lanes-per-column": lanes,
            "--out": folder,
        }
        status = build.main([str(word) for pair in given.items() for word in pair])
        if status:
            return status
        used = read_json(folder / "report.json", "the report")["utilisation"]
        rows.append((board.name, model, (columns, lanes), used))
    print("\n".join(table(rows)))
    return 0


if __name__ == "__main__":
    sys.exit(enter(main, prog="python -m tests.benchmark.boards"))

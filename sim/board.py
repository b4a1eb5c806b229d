"""``addend board``: a simulated board behind a pseudo-terminal, in place of a serial port."""

import argparse
import os
import sys

from golden.cli.entry import enter
from golden.cli.options import input_path, output_folder
from hw.boards.board import BOARDS, find_board
from hw.cli.command import guarded
from hw.emit.build_directory import check_memory_images

from .simulated_board import BIT_CYCLES, board_command, build_board
from .verify import workplace


__all__ = ["main"]


def main(arguments=None, prog="python -m sim.board"):
    """Command line.

    Returns
    -------
    int
        Exit status: 2 for input that cannot be simulated, 3 for a tool that failed; else the
        simulator takes the place of this process.
    """
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Simulate the top module of a board, serial line included, with "
        f"{BIT_CYCLES} clock cycles a bit. Prints the path of a pseudo-terminal, which "
        "`addend host --port` takes like a serial port, and runs until Ctrl-C.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument(
        "folder", type=input_path, metavar="FOLDER", help="build directory of hw.build"
    )
    parser.add_argument(
        "--board",
        choices=[board.name for board in BOARDS],
        default=BOARDS[0].name,
        help="board whose top module is simulated",
    )
    parser.add_argument(
        "--cache",
        type=output_folder,
        metavar="DIR",
        help="folder that keeps simulators; FOLDER/sim if not given",
    )
    parser.add_argument(
        "--with-parent",
        action="store_true",
        help="end together with the process that started this one",
    )
    options = parser.parse_args(arguments)
    return guarded(
        lambda: _run(options),
        prog=prog,
        where=options.folder,
        interrupted="no board was started",
    )


def _run(options):
    board = find_board(options.board)
    check_memory_images(options.folder)
    cache = options.cache or workplace(options.folder).parent
    executable = build_board(options.folder, board, cache)
    command = board_command(executable, board, with_parent=options.with_parent)
    # The memory images are named relative to it.
    os.chdir(options.folder)
    os.execv(command[0], command)  # noqa: S606


if __name__ == "__main__":
    sys.exit(enter(main, prog="python -m sim.board"))

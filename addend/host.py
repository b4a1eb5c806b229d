"""``addend host``: pictures, models and counters of a board behind a serial port."""

import argparse
import contextlib
import sys
from collections.abc import Sequence

import numpy as np

import golden
from golden.cli.entry import enter
from golden.cli.options import COUNT, SECONDS, input_file, input_path, output_file
from golden.cli.source import SOURCES, announce, load_source
from golden.data.atomic import replacing
from golden.data.reading import printable
from golden.model.input import ModelInput
from hw.cli.command import guarded
from hw.isa.identity import identity

from .accelerator import Accelerator, BoardError


__all__ = ["main"]


def main(arguments: Sequence[str] | None = None, prog: str = "python -m addend.host") -> int:
    """Run the command line.

    Returns
    -------
    int
        Exit status: 0; 2 for bad input; 3 for a board or a port that failed; 130 for Ctrl-C.
    """
    options = _parser(prog).parse_args(arguments)
    return guarded(
        lambda: _run(options),
        prog=prog,
        where=options.port,
        interrupted="the board may be at work on a request",
        failures=(BoardError,),
    )


def _run(options):
    with Accelerator(options.port, options.folder, timeout=options.timeout) as board:
        options.run(board, options)


def _classify(board, options):
    takes = ModelInput.usual(board.image_shape, board.classes)
    if options.model is not None:
        model = golden.load(options.model)
        board.expect(model)
        takes = ModelInput.of(model)
    found = load_source(options.pictures, takes, count=options.count)
    announce(found.lines)
    # A file that cannot be written is told before the board is at work.
    with contextlib.nullcontext() if options.out is None else replacing(options.out) as file:
        results = []
        for index, name in enumerate(found.names):
            results.append(board.run(found.images[index : index + 1]))
            predicted = int(results[-1].logits[0].argmax())
            print(f"{printable(name)}\t{takes.class_name(predicted)}", flush=True)
        if file is not None:
            columns = {
                name: np.concatenate([getattr(result, name) for result in results])
                for name in ("logits", "cycles", "additions")
            }
            np.savez(file, **columns)


def _load(board, options):
    board.load(options.model)
    print(f"the board runs {golden.load(options.model).name}")


def _counters(board, options):
    counters = board.counters()
    print(f"cycles\t{counters.cycles}\nadditions\t{counters.additions}")
    print(f"pictures\t{counters.pictures}")


def _status(board, options):
    print(f"core\t{identity(board.config).hex()}")
    print(f"model\t{'yes' if board.has_model() else 'no'}")
    print(f"pictures\t{board.counters().pictures}")


def _parser(prog):
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Use a core on a board that is connected by a serial port.",
        epilog="example: %(prog)s --port /dev/ttyUSB0 --folder build/digits classify digits",
    )
    parser.add_argument(
        "--port",
        required=True,
        metavar="PORT",
        help="serial port, such as /dev/ttyUSB0; or sim:FOLDER, which simulates a board with the "
        "core of a build directory for this command",
    )
    parser.add_argument(
        "--folder",
        type=input_path,
        metavar="DIR",
        help="build directory of the core; FOLDER for sim:FOLDER if not given",
    )
    parser.add_argument(
        "--timeout",
        type=SECONDS,
        default=30.0,
        metavar="SECONDS",
        help="how long to wait for a reply, three times (default: 30)",
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    classify = commands.add_parser("classify", help="print the class of each picture")
    classify.add_argument("pictures", type=input_path, metavar="PICTURES", help=SOURCES)
    classify.add_argument("--count", type=COUNT, help="how many of the pictures; all if not given")
    classify.add_argument(
        "--model",
        type=input_file,
        metavar="MODEL",
        help="the model that was loaded, if it is not that of the build directory",
    )
    classify.add_argument(
        "--out",
        type=output_file,
        metavar="FILE",
        help="file (.npz) for logits, cycles and additions",
    )
    classify.set_defaults(run=_classify)
    load = commands.add_parser("load", help="make the core run another model")
    load.add_argument(
        "model", type=input_file, metavar="MODEL", help="integer model (.safetensors)"
    )
    load.set_defaults(run=_load)
    counters = commands.add_parser(
        "counters", help="print cycles and additions of the last picture, and pictures since reset"
    )
    counters.set_defaults(run=_counters)
    status = commands.add_parser(
        "status", help="print which core the board runs, and whether it holds a model"
    )
    status.set_defaults(run=_status)
    return parser


if __name__ == "__main__":
    sys.exit(enter(main, prog="python -m addend.host"))

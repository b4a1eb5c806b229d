"""``addend convert``: a network that somebody else trained becomes an integer model."""

import argparse
import sys
from collections.abc import Sequence

from golden.cli.entry import enter
from golden.cli.options import input_file
from train.cli.options import add_conversion

from .check import add_source, pixel_scale


__all__ = ["main"]


DESCRIPTION = """\
Write the integer model of a network that somebody else trained: a torch module (FILE.py:FUNCTION,
a function that returns one) or a QONNX file. An official checkpoint (FILE.pth) is taken, too, with
the options of addend train convert. Exit status: 0; 2 for bad input or a node that does not run.
"""


def main(arguments: Sequence[str] | None = None, prog: str = "python -m addend.convert") -> int:
    """Run the command line.

    Returns
    -------
    int
        Exit status.
    """
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    if arguments and not arguments[0].startswith("-") and _is_official(arguments[0]):
        from train.__main__ import main as train

        source, *others = arguments
        return train(["convert", "--checkpoint", source, *others], prog=prog)
    options = _parser(prog).parse_args(arguments)
    try:
        return _run(options)
    except (ValueError, OSError) as error:
        print(f"{prog}: {error}", file=sys.stderr)
        return 2


def _is_official(source):
    return ".py:" not in source and not source.endswith(".onnx")


def _run(options):
    from golden.model.input import ModelInput
    from train.cli.exports import require_model_name, write_conversion
    from train.normalise import normalise
    from train.sources import open_graph

    require_model_name(options.out)
    graph = open_graph(
        options.source,
        image=options.input,
        scale=options.pixel_scale,
        checkpoint=options.checkpoint,
    )
    network = normalise(graph, merge=options.merge)
    channels, height, width = network.entry.size
    shape = height, width, channels - (network.entry.constant > 0)
    takes = ModelInput.usual(shape, graph.node(graph.outputs[0]).size[0])
    write_conversion(network, takes, options)
    return 0


def _parser(prog):
    parser = argparse.ArgumentParser(
        prog=prog,
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_source(parser, help="mynet.py:build, a QONNX file, or an official checkpoint")
    parser.add_argument(
        "--checkpoint",
        type=input_file,
        metavar="FILE.pth",
        help="parameters of a Python file's network: a state_dict, bare or as an entry of the file",
    )
    parser.add_argument(
        "--pixel-scale",
        type=pixel_scale,
        metavar="S",
        help="a byte of an image stands for byte * S, such as 1/255; needed unless the network "
        "begins with addend.nn.pixels or quantises its input",
    )
    add_conversion(parser, count=100, most_bits=16)
    return parser


if __name__ == "__main__":
    sys.exit(enter(main, prog="python -m addend.convert"))

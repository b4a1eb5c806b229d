"""``addend convert``: a network that somebody else trained becomes an integer model."""

import argparse
import sys
from collections.abc import Sequence

from golden.cli.entry import enter
from golden.cli.options import COUNT, input_file, input_path, output_file, whole
from golden.cli.source import SOURCES, announce

from .check import image_shape, network_source, pixel_scale


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
    import golden
    from golden.cli.source import load_source
    from golden.model.input import ModelInput
    from train.cli.exports import require_model_name
    from train.cli.progress import image_progress
    from train.cli.report import conversion_report, write_json
    from train.export.convert import convert
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
    images = labels = None
    if options.calibrate is not None:
        found = load_source(options.calibrate, takes, count=options.count)
        announce(found.lines)
        images, labels = found.images[:], found.labels
    with image_progress("comparing with float64, images") as progress:
        conversion = convert(
            network,
            name=options.out.stem,
            weight_bits=options.weight_bits,
            max_fraction_bits=options.fraction_bits,
            images=images,
            labels=labels,
            progress=progress,
        )
    golden.save(conversion.model, options.out)
    write_json(conversion_report(conversion), options.out.with_suffix(".json"))
    print("\n".join(conversion.lines()))
    print(f"{options.out}: {len(conversion.model.layers)} layers")
    return 0


def _parser(prog):
    parser = argparse.ArgumentParser(
        prog=prog,
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "source",
        type=network_source,
        metavar="SOURCE",
        help="mynet.py:build, a QONNX file, or an official checkpoint",
    )
    parser.add_argument("--out", type=output_file, required=True, metavar="MODEL.safetensors")
    parser.add_argument(
        "--input",
        type=image_shape,
        metavar="CxHxW",
        help="shape of an image, such as 3x32x32; needed for a Python file",
    )
    parser.add_argument(
        "--checkpoint",
        type=input_file,
        metavar="FILE.pth",
        help="parameters of a Python file's network: a state_dict, bare or as an entry of the file",
    )
    parser.add_argument(
        "--pixel-scale",
        type=pixel_scale,
        default=None,
        metavar="S",
        help="a byte of an image stands for byte * S, such as 1/255; needed unless the network "
        "begins with addend.nn.pixels or quantises its input",
    )
    parser.add_argument(
        "--merge",
        action="store_true",
        help="fold a pointwise convolution into the one in front of it, which costs weights",
    )
    parser.add_argument("--calibrate", type=input_path, metavar="IMAGES", help=SOURCES)
    parser.add_argument(
        "--count", type=COUNT, metavar="N", default=100, help="images to take (default: 100)"
    )
    parser.add_argument(
        "--weight-bits",
        type=whole(2, 16),
        default=8,
        metavar="N",
        help="of weights that lie on no grid of powers of two: 2 to 16 (default: 8, the most that "
        "hardware runs)",
    )
    parser.add_argument(
        "--fraction-bits",
        type=whole(1, 20),
        default=16,
        metavar="N",
        help="most fraction bits of the residual stream (default: 16)",
    )
    return parser


if __name__ == "__main__":
    sys.exit(enter(main, prog="python -m addend.convert"))

"""``python -m hw.load``: another model for a core that is built already, through its load port."""

import argparse
import sys

import golden
from golden.cli.entry import enter
from golden.cli.options import input_file, input_path, output_file
from golden.data.atomic import replacing

from .cli.command import guarded
from .compiler import compile_model
from .emit.build_directory import read_description
from .emit.load_packets import load_lines, packets
from .emit.memory_images import image_words, memory_words
from .isa.core_config import CoreConfig
from .isa.weight_image import image_bytes


__all__ = ["lay_out", "main"]


def lay_out(model, config):
    """Plan of a model for a core of a given configuration.

    Parameters
    ----------
    model : IntegerModel
    config : CoreConfig

    Returns
    -------
    Plan

    Raises
    ------
    ValueError
        If the core cannot hold the model: which field is too small, and by how much.
    """
    plan = compile_model(
        model,
        **config.array,
        bus_width=config.bus_width,
        tile_depths=config.tile_depths,
    )
    config.require(plan.required)
    # Descriptors are wider where the core's memories are deeper.
    required, there = len(memory_words(plan, config)["program"]), config.program_depth
    if required > there:
        raise ValueError(
            f"The core's program memory has {there} words, and the model needs "
            f"{required}: build a core for the larger model"
        )
    return plan


def main(arguments=None, prog="python -m hw.load"):
    """Command line.

    Returns
    -------
    int
        Exit status: 0, or 2 for a model that the core cannot hold or a file that is not there.
    """
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Write what makes a built core run another model. Weights on chip: "
        "the beats of its load port, one 33-bit hexadecimal number per line, bit 32 is tlast; the "
        "last two are the packet that signs them. "
        "Weights in an external memory: the bytes that lie there, from weights_base on, which "
        "must be a multiple of 16 bus words.",
    )
    parser.add_argument(
        "folder", type=input_path, metavar="DIR", help="build directory of hw.build"
    )
    parser.add_argument(
        "model", type=input_file, metavar="MODEL", help="integer model (.safetensors)"
    )
    parser.add_argument(
        "--out",
        type=output_file,
        required=True,
        metavar="FILE",
        help="text file, or binary for an external memory",
    )
    options = parser.parse_args(arguments)
    return guarded(
        lambda: _write(options), prog=prog, where=options.out, interrupted="nothing was written"
    )


def _write(options):
    config = CoreConfig.from_dict(read_description(options.folder)["config"])
    plan = lay_out(golden.load(options.model), config)
    if config.external:
        content = image_bytes(image_words(plan, config)["external"], config.bus_width)
        written = f"{len(content)} bytes"
    else:
        lines = load_lines(packets(plan, config))
        content = lines.encode()
        written = f"{lines.count(chr(10))} beats"
    with replacing(options.out) as file:
        file.write(content)
    print(f"{written} are in {options.out}")


if __name__ == "__main__":
    sys.exit(enter(main, prog="python -m hw.load"))

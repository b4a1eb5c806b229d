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
from .emit.memory_images import beats, image_words, memory_words
from .isa.checksum import checksum
from .isa.core_config import CoreConfig
from .isa.weight_image import image_bytes
from .rtl.load_port import ACCOUNT
from .rtl.loader import BEAT_WIDTH


__all__ = ["LAST", "closing_packet", "lay_out", "main", "packets"]


#: Bit of a beat that stands for ``tlast``, above its 32 data bits.
LAST = 1 << 32


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
        tile_rows=config.weight_depth // 2 if config.external else None,
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


def packets(plan, config):
    """Packets for the load port of a core with weights on chip: one per memory, and the last one.

    Parameters
    ----------
    plan : Plan
        From ``lay_out``.
    config : CoreConfig
        Of the core.

    Returns
    -------
    list of list of int
        Beats of 32 bits, and ``LAST`` in the last one of each packet.
    """
    words = memory_words(plan, config)
    result = []
    for number, (name, (width, _)) in enumerate(config.memories.items()):
        *packet, last = beats(number, words[name], width)
        result.append([*packet, last | LAST])
    return [*result, closing_packet(result, config)]


def closing_packet(loaded, config):
    """Packet that ends a load: what was loaded becomes a model if its signature is right.

    Parameters
    ----------
    loaded : list of list of int
        All packets since the one before of this kind, as ``packets`` lists them.
    config : CoreConfig
        Of the core.

    Returns
    -------
    list of int
        Header and signature, see ``hw.rtl.load_port.LoadPort``.
    """
    beats = (beat for packet in loaded for beat in packet)
    signature = checksum(beats, BEAT_WIDTH + 1, start=config.fingerprint)
    return [ACCOUNT << 28, signature | LAST]


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
        lines = [f"{beat:09x}\n" for packet in packets(plan, config) for beat in packet]
        content = "".join(lines).encode()
        written = f"{len(lines)} beats"
    with replacing(options.out) as file:
        file.write(content)
    print(f"{written} are in {options.out}")


if __name__ == "__main__":
    sys.exit(enter(main, prog="python -m hw.load"))

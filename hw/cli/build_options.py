"""Options of ``python -m hw.build``."""

import argparse

from golden.cli.options import (
    COUNT,
    SEED,
    input_file,
    input_path,
    number,
    output_folder,
    whole,
)
from golden.cli.source import SOURCES

from ..boards.board import BOARDS
from ..emit.image_formats import FORMATS
from ..emit.vectors import VECTORS
from ..fpga.devices import DEVICES
from ..isa.core_config import BUS_WIDTHS, MOST_COLUMNS, MOST_LANES
from .asic_options import add_asic_options
from .spike_code import DEFAULT_SPIKE_CODE, SPIKE_CODE, SPIKE_CODE_NOTE


__all__ = ["parser"]


def parser(prog):
    """Parser of the command line, under the name that help gives it."""
    made = argparse.ArgumentParser(
        prog=prog,
        description="Build an addition-only accelerator for an integer model.",
        epilog="example: %(prog)s --target fpga --model digits.safetensors --device ecp5-85k "
        "--columns 2 --lanes-per-column 16 --out build/digits",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    made.add_argument(
        "--target",
        choices=("fpga", "asic", "sim"),
        default="fpga",
        help="fpga goes on to the bitstream, asic to a netlist of standard cells; sim stops at "
        "Verilog and memory images",
    )
    made.add_argument(
        "--model",
        type=input_file,
        required=True,
        metavar="MODEL",
        help="integer model (.safetensors), as train export writes it",
    )
    made.add_argument(
        "--device", default="ecp5-85k", choices=[d.name for d in DEVICES], help="FPGA"
    )
    made.add_argument(
        "--board",
        choices=[board.name for board in BOARDS],
        help="board that carries it: serial link, pins and the fastest clock that routing reaches",
    )
    made.add_argument(
        "--pins",
        type=input_file,
        metavar="FILE",
        help="pin constraints (.lpf) in place of those of the board, or of none",
    )
    made.add_argument(
        "--columns",
        type=whole(1, MOST_COLUMNS),
        default=2,
        metavar="B",
        help="columns, each working on one output position at a time",
    )
    made.add_argument(
        "--lanes-per-column",
        type=whole(2, MOST_LANES),
        default=16,
        metavar="P",
        help="adders of a column; one that divides the channels wastes none",
    )
    made.add_argument(
        "--share",
        type=whole(1, MOST_COLUMNS),
        default=1,
        metavar="K",
        help=argparse.SUPPRESS,
    )
    made.add_argument(
        "--spike-code",
        **SPIKE_CODE,
        default=DEFAULT_SPIKE_CODE,
        help="how counts become spikes: split takes the fewest cycles, "
        f"bit-serial the fewest additions and smaller columns ({SPIKE_CODE_NOTE})",
    )
    made.add_argument(
        "--weight-width",
        type=whole(2, 16),
        metavar="BITS",
        help="bits of a weight in memory; the model's own if not given",
    )
    made.add_argument(
        "--bus-width",
        type=int,
        choices=(0, *BUS_WIDTHS),
        default=0,
        metavar="BITS",
        help="read weights and descriptors from an external memory "
        "over an AXI4 bus of 64, 128 or 256 data bits; 0: they lie on chip",
    )
    made.add_argument(
        "--no-readmemh",
        action="store_true",
        help="memories start empty, as "
        "those of an ASIC do, and are filled through the load port (hw.load)",
    )
    made.add_argument(
        "--images-as",
        action="extend",
        nargs="+",
        choices=list(FORMATS),
        metavar="FORMAT",
        help="write memory images in these formats, too, with digests in rom/manifest.json: "
        "coe (Xilinx), mif (Intel), mi (Gowin)",
    )
    made.add_argument(
        "--clock",
        type=number(above=0, most=10_000),
        default=100.0,
        metavar="MHZ",
        help="clock that placement aims at; a board has the fastest that routing meets instead",
    )
    made.add_argument(
        "--strict-clock",
        action="store_true",
        help="end with status 3 if routing does not reach the clock",
    )
    made.add_argument(
        "--seed",
        type=SEED,
        default=1,
        help="of the placement: another one finds another, faster or slower by some percent",
    )
    made.add_argument(
        "--images", type=input_path, metavar="FILE", help=f"images for exact cycles: {SOURCES}"
    )
    made.add_argument("--count", type=COUNT, default=1, help="how many of the images to count")
    made.add_argument(
        "--vectors",
        type=COUNT,
        metavar="N",
        help="pictures that the folder's testbench sends, the first of the images, or random ones: "
        f"{VECTORS} if not given, or as many as there are",
    )
    made.add_argument("--out", type=output_folder, help="build directory")
    made.add_argument(
        "--dry-run",
        action="store_true",
        help="print sizes, widths, memory and cycles, and write nothing",
    )
    add_asic_options(made)
    return made

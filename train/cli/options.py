"""Options that several commands of ``python -m train`` have."""

from golden.cli.options import (
    COUNT,
    EPOCHS,
    SEED,
    input_file,
    input_path,
    output_file,
    output_folder,
    text,
    whole,
)
from golden.cli.source import SOURCES


__all__ = [
    "add_conversion",
    "add_entry",
    "add_epochs",
    "add_head",
    "add_rounding",
    "add_run",
    "add_training",
]


def add_entry(parser):
    """Which entry of a file that holds several networks."""
    parser.add_argument(
        "--entry",
        type=text,
        metavar="NAME",
        help="entry of the state_dict's file to take, where it holds several networks (default: "
        "model, state_dict, ..., and model_ema at last; what was taken is said)",
    )


def add_run(parser):
    """A training, and its seed."""
    add_training(parser)
    parser.add_argument("--seed", type=SEED, default=0, metavar="N", help="default: 0")


def add_epochs(parser):
    """Epochs of the two phases."""
    parser.add_argument(
        "--epochs",
        type=EPOCHS,
        nargs=2,
        metavar=("FLOAT", "QUANTISED"),
        help="epochs of the two phases, in place of the configuration's",
    )


def add_training(parser):
    """Configuration and folder of a training."""
    parser.add_argument(
        "--config", type=input_file, required=True, metavar="FILE", help="TOML file"
    )
    parser.add_argument(
        "--out", type=output_folder, required=True, metavar="DIR", help="output folder"
    )
    parser.add_argument(
        "--resume", action="store_true", help="go on from the checkpoint in DIR, if any"
    )


def add_head(parser):
    """Which head of a network is taken."""
    parser.add_argument(
        "--head",
        choices=["spike", "analog"],
        help="of a network that has both (default: spike, which hardware runs)",
    )


def add_rounding(parser):
    """What of a network is evaluated or exported."""
    add_head(parser)
    parser.add_argument(
        "--rounding",
        choices=["half-up", "half-even"],
        help="rule of every neuron, in place of the one the network was trained with",
    )


def add_conversion(parser, *, count, most_bits):
    """Add what is written of a float network, and how its numbers are rounded.

    Parameters
    ----------
    parser : ArgumentParser
    count : int
        Images that are taken if nobody says how many.
    most_bits : int
        Widest weights.
    """
    parser.add_argument("--out", type=output_file, required=True, metavar="MODEL.safetensors")
    parser.add_argument("--calibrate", type=input_path, metavar="IMAGES", help=SOURCES)
    parser.add_argument(
        "--count",
        type=COUNT,
        metavar="N",
        default=count,
        help=f"images to take (default: {count})",
    )
    parser.add_argument(
        "--weight-bits",
        type=whole(2, most_bits),
        default=8,
        metavar="N",
        help=f"2 to {most_bits}, of which hardware runs 8 (default: 8)",
    )
    parser.add_argument(
        "--fraction-bits",
        type=whole(1, 20),
        default=16,
        metavar="N",
        help="most fraction bits of the residual stream (default: 16)",
    )

"""``python -m tests.differential``: draw one model again, or take a file, and compare."""

import argparse
import sys
from pathlib import Path

import numpy as np

import golden

from .cores import MEMBERS, SOAK_CORES, groups
from .draw import draw
from .failure import FOLDER
from .versus_golden import golden_difference
from .versus_rtl import Netlist


def main(arguments=None):
    """Command line; exit status 0 if all is equal, else 1."""
    options = _parser().parse_args(arguments)
    path, core = options.model, options.core
    FOLDER.mkdir(parents=True, exist_ok=True)
    if path is None:
        drawn = draw if core is None else SOAK_CORES[core].draw
        model, images = drawn(options.seed, options.index)
        path = FOLDER / f"{model.name}.safetensors"
        golden.save(model, path)
        np.save(path.with_suffix(".npy"), images)
    images = np.load(path.with_suffix(".npy"))
    if core is None:
        difference = golden_difference(path, images)
    else:
        *_, group = groups(options.seed, SOAK_CORES[: core + 1], options.members)
        netlist = Netlist(group, FOLDER / f"core{core}", Path("build") / "sim")
        (difference,) = netlist.differences([(path, golden.load(path), images)])
    print(f"{path}: {difference or 'all is equal'}")
    return int(difference is not None)


def _parser():
    parser = argparse.ArgumentParser(
        prog="python -m tests.differential",
        description="Compare one random model, or one from a file, with a second executor.",
    )
    parser.add_argument("--seed", type=int, default=18, help="of the models that are drawn")
    parser.add_argument("--index", type=int, default=0, help="number of the model")
    parser.add_argument(
        "--model",
        type=Path,
        metavar="FILE",
        help="a model file instead; its images lie beside it as .npy",
    )
    parser.add_argument(
        "--core",
        type=int,
        metavar="N",
        help=f"simulate it on netlist N, 0 to {len(SOAK_CORES) - 1}, which holds "
        "what the seed draws for it, in place of running golden",
    )
    parser.add_argument(
        "--members",
        type=int,
        default=MEMBERS,
        metavar="N",
        help="models that the netlist was made for (default: %(default)s)",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())

"""``python -m tests.differential``: draw one model again, or take a file, and compare."""

import argparse
import sys
from pathlib import Path

import numpy as np

import golden

from .draw import draw
from .failure import FOLDER
from .versus_golden import golden_difference


def main(arguments=None):
    """Command line; exit status 0 if all is equal, else 1."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.differential",
        description="Compare one random model, or one from a file, with a second executor.")
    parser.add_argument("--seed", type=int, default=18, help="of the models that are drawn")
    parser.add_argument("--index", type=int, default=0, help="number of the model")
    parser.add_argument("--model", type=Path, metavar="FILE",
                        help="a model file instead; its images lie beside it as .npy")
    options = parser.parse_args(arguments)
    path = options.model
    if path is None:
        model, images = draw(options.seed, options.index)
        FOLDER.mkdir(parents=True, exist_ok=True)
        path = FOLDER / f"{model.name}.safetensors"
        golden.save(model, path)
        np.save(path.with_suffix(".npy"), images)
    difference = golden_difference(path, np.load(path.with_suffix(".npy")))
    print(f"{path}: {difference or 'all is equal'}")
    return int(difference is not None)


if __name__ == "__main__":
    sys.exit(main())

"""A difference that was found, as one line that reproduces it and a reduced model."""

import tempfile
from pathlib import Path

import numpy as np

import golden

from .reduce import reduce


__all__ = ["FOLDER", "describe"]


#: Where reduced models are left, relative to the working folder.
FOLDER = Path("build") / "differential"


def describe(
    name, model, images, difference, *, command, compare, options="", attempts=200, folder=FOLDER
):
    """One line: what differs, how to see it again, and where a reduced model lies.

    Parameters
    ----------
    name : str
        Of the reduced model's file.
    model : IntegerModel
    images : uint8 array, shape (images, height, width, channels)
    difference : str
        What ``compare`` said of them.
    command : str
        Arguments of ``python -m tests.differential``.
    compare : function of (Path, images)
        First difference of a model file, or None.
    options : str
        More arguments for the reduced model.
    attempts : int
        Most models that are tried on the way to it.
    folder : Path

    Returns
    -------
    str
    """
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "candidate.safetensors"

        def fails(candidate, pictures):
            golden.save(candidate, path)
            return compare(path, pictures) is not None

        smaller, pictures = reduce(model, images, fails, attempts=attempts)
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / f"{name}.safetensors"
    golden.save(smaller, kept)
    np.save(kept.with_suffix(".npy"), pictures)
    return (
        f"{name}: {difference}; reproduce: python -m tests.differential {command}; reduced to "
        f"{len(smaller.layers)} layers: python -m tests.differential --model {kept}{options}"
    )

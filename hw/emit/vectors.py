"""Test vectors of a build directory: pictures as beats, and the logits that golden has for them."""

import hashlib
import json
from typing import NamedTuple

import numpy as np

import golden
from golden.analysis.synthetic import random_images

from .licence import LICENCE, VERILOG_HEAD


__all__ = ["VECTORS", "Vectors", "hex_lines", "random_vectors", "vector_files"]


#: Pictures that a build directory has vectors of, unless it is told otherwise.
VECTORS = 4


class Vectors(NamedTuple):
    """Pictures to verify a core with, and where they are from, in words.

    ``pictures`` is a uint8 array of shape (pictures, height, width, channels).
    """

    pictures: np.ndarray
    source: str


def random_vectors(model, count=VECTORS):
    """Vectors that every machine has; the first two pictures are black and white."""
    pictures = random_images(1, max(count, 2), model.image_shape)[:count]
    return Vectors(pictures, "random ones of seed 1, the first two black and white")


def hex_lines(words):
    """Text of a file for ``$readmemh``: its licence in a comment, and a word a line.

    Parameters
    ----------
    words : iterable of str

    Returns
    -------
    str
    """
    return VERILOG_HEAD + "".join(f"{word}\n" for word in words)


def vector_files(model, vectors):
    """Text of the files, by path in the build directory.

    Behind a comment, a line of ``beats.hex`` is the beat of a pixel, its first channel in the
    lowest byte; pixels are row-major, one picture follows the other. A line of ``logits.hex`` is a
    logit in 32 bits, two's complement, in the order of the classes.

    Parameters
    ----------
    model : IntegerModel
    vectors : Vectors

    Returns
    -------
    dict of str to str
    """
    pictures = vectors.pictures
    logits = golden.run(model, pictures).logits
    pixels = pictures.reshape(-1, pictures.shape[3])[:, ::-1]
    files = {
        "vectors/beats.hex": hex_lines(bytes(pixel.tolist()).hex() for pixel in pixels),
        "vectors/logits.hex": hex_lines(
            f"{logit & 0xFFFFFFFF:08x}" for logit in logits.ravel().tolist()
        ),
    }
    described = {
        "licence": LICENCE,
        "pictures": len(pictures),
        "source": vectors.source,
        "logits": logits.tolist(),
        "classes": logits.argmax(axis=1).tolist(),
        "sha256": {
            path.rpartition("/")[2]: hashlib.sha256(text.encode()).hexdigest()
            for path, text in files.items()
        },
    }
    return files | {"vectors/vectors.json": json.dumps(described, indent=1) + "\n"}

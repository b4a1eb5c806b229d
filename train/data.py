"""Data sets for training, and mild augmentation."""

import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

from golden.digits import load_digits


__all__ = ["DataSplit", "augment", "load_split"]


@dataclass(frozen=True, eq=False)
class DataSplit:
    """Images to train on and images held back.

    Parameters
    ----------
    train_images, test_images : uint8 array, shape (images, height, width, channels)
    train_labels, test_labels : int64 array, shape (images,)
    """

    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray


def _digits():
    return DataSplit(*load_digits())


_LOADERS = {"digits": _digits}


def load_split(name):
    """Load a data set by the name that configurations use.

    Parameters
    ----------
    name : str
        ``digits``: 1,797 handwritten digits of 8 x 8 pixels that come with scikit-learn, of which
        360 are held back.

    Returns
    -------
    DataSplit

    Raises
    ------
    ValueError
        If there is no data set of that name.
    """
    if name not in _LOADERS:
        raise ValueError(f"data set must be one of {', '.join(_LOADERS)}, not {name!r}")
    return _LOADERS[name]()


def augment(images, generator, *, shift, rotation, scale):
    """Shift, rotate and resize every image at random.

    Parameters
    ----------
    images : float tensor, shape (images, channels, height, width)
        Pixel values 0..255.
    generator : torch.Generator
    shift : float
        Largest shift in either direction, in pixels.
    rotation : float
        Largest rotation, in degrees.
    scale : float
        Largest change of size, as a part of 1.

    Returns
    -------
    float tensor of the same shape
        Whole pixel values 0..255; what comes from outside the image is 0.
    """
    if shift == rotation == scale == 0:
        return images
    number, _, height, width = images.shape
    draw = torch.rand(4, number, generator=generator) * 2 - 1
    angle = draw[0] * math.radians(rotation)
    zoom = 1 / (1 + draw[1] * scale)
    cosine, sine = angle.cos() * zoom, angle.sin() * zoom
    # affine_grid measures in half image sizes.
    right, down = draw[2] * 2 * shift / width, draw[3] * 2 * shift / height
    affine = torch.stack([
        torch.stack([cosine, -sine * height / width, right], 1),
        torch.stack([sine * width / height, cosine, down], 1),
    ], 1)
    grid = F.affine_grid(affine, list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, align_corners=False).round().clamp(0, 255)

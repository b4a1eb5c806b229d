"""A narrow network of the official layout, and the command that converts its checkpoint."""

import numpy as np
import torch

from golden.neuron import Rounding
from tests.plain import dyadic_state
from tests.training import network_config
from train.__main__ import main


__all__ = ["OPTIONS", "SMALL", "convert", "small_state"]


#: A narrow network of the official layout.
SMALL = {
    "image": (32, 32, 3),
    "dims": (8, 8, 16, 24),
    "depths": (2, 1),
    "heads": 8,
    "strides": (2, 2, 2, 2, 1),
    "stem_kernel": 7,
    "rounding": Rounding.HALF_EVEN,
}
OPTIONS = ["--image-size", "32", "--bn-eps", "0"]


def small_state(seed=1):
    return dyadic_state(network_config(**SMALL), seed)


def convert(folder, state, *options, images=None):
    """Exit status, and the files that a conversion left."""
    torch.save(state, folder / "w.pth")
    if images is not None:
        np.save(folder / "images.npy", images)
        options = [*options, "--calibrate", str(folder / "images.npy")]
    return main([
        "convert",
        "--checkpoint",
        str(folder / "w.pth"),
        "--out",
        str(folder / "m.safetensors"),
        *options,
    ])

"""Spike-masked autoencoder: the network sees half of an image and a decoder guesses the rest.

The decoder exists in pre-training only; its transformer blocks are ordinary ones, without spikes.

References
----------
Yao et al., TPAMI 47(4), 2025, doi:10.1109/TPAMI.2025.3530246; He et al., arXiv:2111.06377 (the
loss on hidden patches, each normalised).
"""

import math

import torch
import torch.nn.functional as F
from torch import nn

from train.network.build import layered
from train.network.masked import MaskedRun


__all__ = ["Autoencoder", "patch_grid", "patches"]


#: Keeps the normalisation of a patch of one colour finite.
_LEAST_VARIANCE = 1e-6

#: Channels per attention head of the decoder.
_HEAD = 16


def patch_grid(network):
    """Patches per column and row: one per token of the last stage.

    Parameters
    ----------
    network : NetworkConfig

    Returns
    -------
    (int, int)

    Raises
    ------
    ValueError
        If the image is no whole number of patches.
    """
    stride = math.prod(network.strides)
    height, width, _ = network.image
    if height % stride or width % stride:
        raise ValueError(
            f"image must be a multiple of the product of strides ({stride}) to be masked, "
            f"not {height}x{width}"
        )
    return height // stride, width // stride


def patches(images, grid):
    """Pixels of each patch, normalised to mean 0 and variance 1.

    Parameters
    ----------
    images : tensor, shape (images, channels, height, width)
    grid : (int, int)

    Returns
    -------
    tensor, shape (images, patches, pixels of a patch)
    """
    size = [length // number for length, number in zip(images.shape[2:], grid, strict=True)]
    found = F.unfold(images, size, stride=size).transpose(1, 2)
    variance, mean = torch.var_mean(found, dim=2, keepdim=True)
    return (found - mean) / (variance + _LEAST_VARIANCE).sqrt()


class Autoencoder(nn.Module):
    """A network and the decoder that is pre-trained with it.

    Parameters
    ----------
    network : ESpikeFormer
    width, depth : int
        Channels (a multiple of 16) and blocks of the decoder.
    """

    def __init__(self, network, *, width, depth):
        super().__init__()
        shape = network.network
        self.network = network
        # No part of this module: the layers' parameters are the network's.
        layers = layered(network)
        self._layered = lambda: layers
        self.grid = patch_grid(shape)
        pixels = math.prod(shape.image) // math.prod(self.grid)
        self.norm = nn.BatchNorm1d(shape.dims[-1])
        self.widen = nn.Linear(shape.dims[-1], width)
        self.blocks = nn.TransformerEncoder(
            nn.TransformerEncoderLayer(
                width,
                width // _HEAD,
                4 * width,
                dropout=0.0,
                activation="gelu",
                batch_first=True,
                norm_first=True,
            ),
            depth,
            enable_nested_tensor=False,
        )
        self.pixels = nn.Linear(width, pixels)
        self.register_buffer("positions", _positions(self.grid, width), persistent=False)

    def forward(self, images, mask):
        """Mean squared error of the hidden patches.

        Parameters
        ----------
        images : tensor, shape (images, channels, height, width)
            Pixel values 0..255.
        mask : bool tensor, shape (images, 1, *grid)
            True where a patch is hidden.

        Returns
        -------
        tensor of one value
        """
        hidden = F.interpolate(mask.to(images), size=images.shape[2:], mode="nearest")
        stream = MaskedRun(mask)(self._layered(), images * (1 - hidden))
        tokens = self.norm(stream.flatten(2)).transpose(1, 2)
        guess = self.pixels(self.blocks(self.widen(tokens) + self.positions))
        error = (guess - patches(images, self.grid)).square().mean(2)
        return error[mask.flatten(1)].mean()


def _positions(grid, width):
    """Sine and cosine code of every patch's row and column, shape (patches, width)."""
    rates = 10_000.0 ** -(torch.arange(width // 4) / (width // 4))
    codes = []
    for places in torch.meshgrid(*map(torch.arange, grid), indexing="ij"):
        angles = places.flatten()[:, None] * rates
        codes += [angles.sin(), angles.cos()]
    return torch.cat(codes, 1)

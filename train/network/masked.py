"""Masked images: half of the patches are hidden, and convolutions keep them hidden.

References
----------
Yao et al., TPAMI 47(4), 2025, doi:10.1109/TPAMI.2025.3530246 (masked pre-training).
"""

import torch
import torch.nn.functional as F

from train.interpret.float_run import FloatRun
from train.ops import TokenSum


__all__ = ["MaskedRun", "draw_mask", "spread"]


#: Layers in front of the first transformer block; those behind see every position.
_SPARSE = ("downsample1", "ConvBlock", "downsample2", "downsample3")


def draw_mask(images, grid, part, generator):
    """Choose the patches that each image hides.

    Parameters
    ----------
    images : int
    grid : (int, int)
        Patches per column and row.
    part : float
        Of the patches that is hidden, rounded to whole patches.
    generator : torch.Generator

    Returns
    -------
    bool tensor, shape (images, 1, *grid)
        True where a patch is hidden.
    """
    patches = grid[0] * grid[1]
    order = torch.rand(images, patches, generator=generator).argsort(1)
    return (order < round(part * patches)).view(images, 1, *grid)


def spread(mask, size):
    """Mask of a map of ``size``: every patch covers as many positions as it has to."""
    return F.interpolate(mask.float(), size=tuple(size), mode="nearest").bool()


class MaskedRun(FloatRun):
    """Float SFA in which hidden positions stay 0, up to the transformer blocks.

    Batch norms see the other positions only. What the network computes is its last stream.

    Parameters
    ----------
    mask : bool tensor, shape (images, 1, rows, columns)
        True where a patch is hidden.
    """

    def __init__(self, mask):
        super().__init__()
        self._mask = mask

    def __call__(self, network, images):
        """Last stream of the network, shape (images, channels, height, width)."""
        self.begin(network, images)
        for layer in network.layers:
            if isinstance(layer, TokenSum):
                return self.tensors[f"{layer.stream}.stream"]
            layer.float(self)
        raise ValueError("a masked network must end in the mean over its tokens")

    def normalise(self, name, potential, norm):
        """What is behind a layer's convolution."""
        if not name.startswith(_SPARSE):
            return super().normalise(name, potential, norm)
        return self._visible(potential, norm)

    def _visible(self, potential, norm):
        """Batch norm of the visible positions; 0 at the hidden ones."""
        shown = ~spread(self._mask, potential.shape[2:]).squeeze(1)
        positions = potential.permute(0, 2, 3, 1)
        normed = torch.zeros_like(positions)
        normed[shown] = _norm_rows(positions[shown], norm)
        return normed.permute(0, 3, 1, 2)


def _norm_rows(rows, norm):
    """Batch norm of rows, shape (positions, channels), by a norm of maps."""
    return F.batch_norm(
        rows,
        norm.running_mean,
        norm.running_var,
        norm.weight,
        norm.bias,
        norm.training,
        norm.momentum,
        norm.eps,
    )

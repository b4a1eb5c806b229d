"""Networks for any widths, depths, heads, strides and image size; here that of the base family."""

import torch
from torch import nn

from golden.neuron import Rounding
from train.network.arithmetic import FloatArithmetic
from train.network.blocks import (
    ConvBlock,
    Down,
    TransformerBlock,
    chain,
    initialise,
    set_initial_scale,
)
from train.network.configuration import NetworkConfig
from train.network.large import LargeSpikeFormer


__all__ = [
    "ESpikeFormer",
    "PUBLISHED_DIMS",
    "build",
    "count_parameters",
    "published",
    "to_maps",
]


#: Parts of the network in their order, up to the last stream.
_STAGES = (
    "downsample1_1",
    "ConvBlock1_1",
    "downsample1_2",
    "ConvBlock1_2",
    "downsample2",
    "ConvBlock2_1",
    "ConvBlock2_2",
    "downsample3",
    "block3",
    "downsample4",
    "block4",
)

#: Widths C0..C3 of the published sizes.
PUBLISHED_DIMS = {
    "T": (24, 48, 96, 128),
    "S": (32, 64, 128, 192),
    "M": (48, 96, 192, 240),
    "L": (64, 128, 256, 360),
}


def published(size):
    """Configuration of a published size, for 224 x 224 images of 1,000 classes.

    Parameters
    ----------
    size : str
        ``T``, ``S``, ``M`` or ``L``.

    Returns
    -------
    NetworkConfig
    """
    return NetworkConfig(
        image=(224, 224, 3),
        classes=1000,
        dims=PUBLISHED_DIMS[size],
        depths=(6, 2),
        heads=8,
        strides=(2, 2, 2, 2, 1),
        stem_kernel=7,
        max_count=4,
        rounding=Rounding.HALF_EVEN,
    )


class ESpikeFormer(nn.Module):
    """The spike-driven transformer of Yao et al., with the parameter names of its checkpoints.

    Called with images alone it is the float SFA network. Called with an arithmetic (see
    `train.network.arithmetic`) it computes, quantises or exports the same wiring in another way.

    Parameters
    ----------
    network : NetworkConfig

    References
    ----------
    Yao et al., TPAMI 47(4), 2025, doi:10.1109/TPAMI.2025.3530246.
    """

    def __init__(self, network):
        super().__init__()
        self.network = network
        self.arithmetic = FloatArithmetic(network)
        c0, c1, c2, c3 = network.dims
        strides = network.strides
        self.downsample1_1 = Down(
            network.pixel_channels, c0 // 2, kernel=network.stem_kernel, stride=strides[0]
        )
        self.ConvBlock1_1 = self._conv_blocks(c0 // 2)
        self.downsample1_2 = Down(c0 // 2, c0, kernel=3, stride=strides[1])
        self.ConvBlock1_2 = self._conv_blocks(c0)
        self.downsample2 = Down(c0, c1, kernel=3, stride=strides[2])
        self.ConvBlock2_1 = self._conv_blocks(c1)
        self.ConvBlock2_2 = self._conv_blocks(c1)
        self.downsample3 = Down(c1, c2, kernel=3, stride=strides[3])
        self.block3 = self._transformer_blocks(c2, network.depths[0])
        self.downsample4 = Down(c2, c3, kernel=3, stride=strides[4])
        self.block4 = self._transformer_blocks(c3, network.depths[1])
        self.head = nn.Linear(c3, network.classes)
        self.apply(initialise)
        set_initial_scale(self, network.branch_scale)

    def forward(self, images, arithmetic=None):
        """Class scores of images.

        Parameters
        ----------
        images : tensor, shape (images, channels, height, width)
            Pixel values 0..255.
        arithmetic : FloatArithmetic, optional
            How the layers compute; without it, float SFA.

        Returns
        -------
        tensor, shape (images, classes)
        """
        arithmetic = arithmetic or self.arithmetic
        stream = chain(self, _STAGES, arithmetic.pixels(images), arithmetic)
        spikes = arithmetic.token_mean("head.sum", stream)
        return arithmetic.logits("head", self.head, spikes)

    def _conv_blocks(self, channels):
        return nn.ModuleList([ConvBlock(channels, ratio=self.network.ratio)])

    def _transformer_blocks(self, channels, depth):
        return nn.ModuleList([
            TransformerBlock(channels, heads=self.network.heads, ratio=self.network.ratio)
            for _ in range(depth)
        ])


def build(network):
    """Network of a configuration, with fresh parameters.

    Parameters
    ----------
    network : NetworkConfig

    Returns
    -------
    ESpikeFormer or LargeSpikeFormer
    """
    return {"base": ESpikeFormer, "large": LargeSpikeFormer}[network.family](network)


def count_parameters(network):
    """Number of trainable values of a network."""
    return sum(parameter.numel() for parameter in network.parameters())


def to_maps(images):
    """Pixels as the network takes them: uint8 (N, H, W, C) to a float tensor (N, C, H, W)."""
    return torch.from_numpy(images).permute(0, 3, 1, 2).float()

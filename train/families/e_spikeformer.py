"""E-SpikeFormer, the base family of Spike-driven Transformer V3, for any widths and image size."""

from torch import nn

from golden.neuron import Rounding
from train.families.blocks import (
    ConvBlock,
    Down,
    Stages,
    TransformerBlock,
    head_neuron,
    initialise,
    set_initial_scale,
)
from train.families.configuration import NetworkConfig


__all__ = ["PUBLISHED_DIMS", "ESpikeFormer", "published"]


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


class ESpikeFormer(Stages):
    """The spike-driven transformer of Yao et al., with the parameter names of its checkpoints.

    Parameters
    ----------
    network : NetworkConfig

    References
    ----------
    Yao et al., TPAMI 47(4), 2025, doi:10.1109/TPAMI.2025.3530246.
    """

    def __init__(self, network):
        super().__init__(network, ConvBlock)
        neuron = self._neuron
        *_, c2, c3 = network.dims

        def transformer(channels, depth):
            shape = {"heads": network.heads, "ratio": network.ratio, "neuron": neuron}
            return nn.Sequential(*(TransformerBlock(channels, **shape) for _ in range(depth)))

        self.block3 = transformer(c2, network.depths[0])
        self.downsample4 = Down(c2, c3, kernel=3, stride=network.strides[4], neuron=neuron)
        self.block4 = transformer(c3, network.depths[1])
        self.head_neuron = head_neuron(network)
        self.head = nn.Linear(c3, network.classes)
        self.apply(initialise)
        set_initial_scale(self, network.branch_scale)

    def forward(self, images):
        """Class scores of images.

        Parameters
        ----------
        images : tensor, shape (images, channels, height, width)
            Pixel values 0..255.

        Returns
        -------
        tensor, shape (images, classes)
        """
        stream = self.block4(self.downsample4(self.block3(self.stream(images))))
        return self.head(self.head_neuron(stream.mean((2, 3))))

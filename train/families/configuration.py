"""Configuration of E-SpikeFormer networks: which family, how wide and deep, which neuron."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from golden.neuron import Rounding


__all__ = ["NetworkConfig"]


Positive = Annotated[int, Meta(ge=1, le=2**16)]
Depth = Annotated[int, Meta(ge=1, le=512)]
Widening = Annotated[float, Meta(gt=0, le=1024)]


class NetworkConfig(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Shape of a network.

    Parameters
    ----------
    family : str
        ``base`` is E-SpikeFormer; ``large`` has no separable convolutions, two-stage projections,
        layer scales, values as wide as keys and one stage of transformer blocks.
    image : (int, int, int)
        Height, width and channels of the 8-bit input.
    pixel_constant : int
        0 to 255: value of one more input channel, the same for all pixels; 0 for none.
    classes : int
    dims : four int, or three in the large family
        C0, C1, ...; the stem has C0/2 channels.
    depths : two int, or one in the large family
        Transformer blocks of width C2 (and of width C3).
    heads : int
        Divides the width of every transformer block.
    strides : five int, or four in the large family
        Of the stem and the other downsampling layers, each 1 or 2.
    stem_kernel : int
        Odd.
    max_count : int
        ``D``, 1 to 15: most spikes that a neuron fires at once.
    rounding : Rounding
    neuron : str
        What a neuron hands on: ``sfa`` and ``ni-lif`` the count over ``D``, ``i-lif`` the count.
    branch_scale : float
        Base family: what the last batch norm of every branch multiplies by at first. Below 1 the
        network starts shallow, and with few spikes per neuron it only then learns.
    ratio : int
        Widening of MLP, value projection (base) and second branch of a convolution block.
    expansions : (float, float)
        Large family: widening between the stages of a projection in attention, and in a block's
        own branch; 0 for a block without that branch.
    head : str
        ``spike`` reads the counts of the mean over tokens, ``analog`` (large family) the mean
        itself; ``both`` averages the scores of the two.

    References
    ----------
    Yao et al., TPAMI 47(4), 2025, doi:10.1109/TPAMI.2025.3530246 (both families, SFA); Luo et al.,
    arXiv:2407.20708 (I-LIF); Lei et al., arXiv:2412.14587 (NI-LIF).
    """

    family: Literal["base", "large"] = "base"
    image: tuple[Positive, Positive, Positive]
    pixel_constant: Annotated[int, Meta(ge=0, le=255)] = 0
    classes: Annotated[int, Meta(ge=2, le=2**20)]
    dims: tuple[Positive, ...]
    depths: tuple[Depth, ...]
    heads: Positive
    strides: tuple[Positive, ...]
    stem_kernel: Positive = 7
    max_count: Annotated[int, Meta(ge=1, le=15)] = 4
    rounding: Rounding = Rounding.HALF_UP
    branch_scale: Annotated[float, Meta(gt=0, le=1e15)] = 0.1
    neuron: Literal["sfa", "i-lif", "ni-lif"] = "sfa"
    ratio: Positive = 4
    expansions: tuple[Widening, Annotated[float, Meta(ge=0, le=1024)]] = (1.5, 1.0)
    head: Literal["spike", "analog", "both"] = "spike"

    def __post_init__(self):
        base = self.family == "base"
        for name, length in (("dims", 4), ("depths", 2), ("strides", 5)):
            wanted = length if base else length - 1
            if len(getattr(self, name)) != wanted:
                raise ValueError(
                    f"{name} must be {wanted} numbers in the {self.family} family, "
                    f"not {len(getattr(self, name))}"
                )
        if base and self.head != "spike":
            raise ValueError(f"head must be spike in the base family, not {self.head}")
        if self.dims[0] % 2:
            raise ValueError(f"dims[0] must be even, not {self.dims[0]}")
        for index in range(2, len(self.dims)):
            if self.dims[index] % self.heads:
                raise ValueError(
                    f"dims[{index}] must be a multiple of heads ({self.heads}), "
                    f"not {self.dims[index]}"
                )
        if self.stem_kernel % 2 == 0:
            raise ValueError(f"stem_kernel must be odd, not {self.stem_kernel}")
        if max(self.strides) > 2:
            raise ValueError(f"strides must be 1 or 2, not {max(self.strides)}")

    @property
    def pixel_channels(self):
        """Channels that the first layer sees."""
        return self.image[2] + (self.pixel_constant > 0)

    @property
    def divisor(self):
        """What neurons divide their counts by."""
        return 1 if self.neuron == "i-lif" else self.max_count

    def attention_scale(self, dk):
        """Numerator, and square of the denominator, of what ``q k^T v`` is multiplied by.

        ``2 / sqrt(dk)`` for heads of ``dk`` channels in the base family, 1/8 in the large one.
        """
        return (2, dk) if self.family == "base" else (1, 64)

"""Random E-SpikeFormers that are valid, hold every kind of layer and fire plausibly.

They stand in for networks that nobody has trained here: in tests, and where the published sizes are
measured.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from golden.analysis.activity import mean_counts
from golden.analysis.model_builder import ModelBuilder
from golden.ladders import Rounding
from golden.model.integer_model import IntegerModel
from golden.names import PIXELS


__all__ = ["random_images", "random_model"]


def random_images(seed: int, count: int, image_shape: tuple[int, int, int]) -> NDArray[np.uint8]:
    """Images with dark and bright areas, the first black and the second white; uint8 NHWC."""
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (count, *image_shape)) * (rng.random((count, *image_shape)) < 0.6)
    images[:1] = 0
    images[1:2] = 255
    return images.astype(np.uint8)


def random_model(
    seed: int,
    image_shape: tuple[int, int, int] = (8, 8, 1),
    dims: tuple[int, int, int, int] = (8, 8, 16, 16),
    heads: int = 2,
    strides: tuple[int, int, int, int, int] = (1, 2, 1, 2, 1),
    depths: tuple[int, int] = (1, 1),
    max_count: int = 4,
    weight_bits: int = 4,
    rounding: Rounding = Rounding.HALF_EVEN,
    classes: int = 10,
    stem_kernel: int = 3,
    logit_shift: int = 0,
    pixel_constant: int = 0,
    calibration_images: int = 12,
    mean_count: float | None = None,
) -> IntegerModel:
    """Whole E-SpikeFormer with random weights.

    Thresholds are quantiles of the potentials that random images cause, and biases centre the
    stream, so that spikes are neither all absent nor saturated.

    Parameters
    ----------
    seed : int
    image_shape : (height, width, channels)
    dims : (C0, C1, C2, C3)
        The stem has C0 / 2 channels.
    heads : int
        Divides C2 and C3.
    strides : five int
        Of downsample1_1, 1_2, 2, 3 and 4.
    depths : (int, int)
        Number of blocks in block3 and block4.
    max_count, weight_bits, rounding, classes, stem_kernel, logit_shift, pixel_constant
        As in `golden.model.integer_model`.
    calibration_images : int
        Random images on which thresholds are chosen, at least 3.
    mean_count : float, optional
        Aim for the mean count of a branch; 0.22 D if not given.

    Returns
    -------
    IntegerModel
        Valid, with widths and mean counts.
    """
    builder = ModelBuilder(
        seed,
        random_images(seed, calibration_images, image_shape),
        max_count=max_count,
        weight_bits=weight_bits,
        rounding=rounding,
        pixel_constant=pixel_constant,
        mean_count=0.22 * max_count if mean_count is None else mean_count,
    )
    stem, stage1, stage2, stage3, stage4 = dims[0] // 2, *dims
    last = builder.down("downsample1_1", stem, strides[0], source=PIXELS, kernel=stem_kernel)
    last = builder.conv_block("ConvBlock1_1.0", last)
    last = builder.down("downsample1_2", stage1, strides[1], last)
    last = builder.conv_block("ConvBlock1_2.0", last)
    last = builder.down("downsample2", stage2, strides[2], last)
    last = builder.conv_block("ConvBlock2_1.0", last)
    last = builder.conv_block("ConvBlock2_2.0", last)
    last = builder.down("downsample3", stage3, strides[3], last)
    for index in range(depths[0]):
        last = builder.transformer_block(f"block3.{index}", last, heads)
    last = builder.down("downsample4", stage4, strides[4], last)
    for index in range(depths[1]):
        last = builder.transformer_block(f"block4.{index}", last, heads)
    builder.head(last, classes, logit_shift)

    model = builder.model(f"random-{seed}", classes)
    images = random_images(seed + 1, calibration_images, image_shape)
    return replace(model, mean_counts=mean_counts(model, images))

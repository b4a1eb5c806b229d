"""What a network takes: bytes over 256."""

import torch.nn.functional as F

from train.nn.leaf import leaf


__all__ = ["PIXEL_DIVISOR", "pixels", "with_constant"]


#: Pixels enter as x/256 without subtracting a mean, so that zero padding stays exact.
PIXEL_DIVISOR = 256


def with_constant(images, constant):
    """Pixels with one more channel that is the same all over the image, if there is one."""
    if not constant:
        return images
    return F.pad(images, (0, 0, 0, 0, 0, 1), value=constant)


@leaf
def pixels(images, *, constant=0):
    """Network input from bytes.

    Parameters
    ----------
    images : tensor, shape (images, channels, height, width)
        Pixel values 0..255.
    constant : int
        1 to 255: value of one more channel, the same for all pixels and 0 on the padding around
        them; 0 for none.

    Returns
    -------
    tensor, shape (images, channels (+ 1), height, width)
        Pixel values over 256.
    """
    return with_constant(images, constant) / PIXEL_DIVISOR

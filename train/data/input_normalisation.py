"""First layers of networks that were trained on colours from which a mean was subtracted.

Our networks see x/256. In a network that was trained on ``(x/255 - mean) / deviation`` the padding
is zero after the subtraction, so that it has the mean colour. One more channel, constant inside the
image and zero outside, subtracts the mean exactly, borders included; a bias does so inside only.
"""

import torch

from train.nn.pixels import PIXEL_DIVISOR


__all__ = ["CONSTANT", "STEM", "biased_stem", "constant_stem"]


#: Name of the first layer.
STEM = "downsample1_1.encode_conv"

#: Value of the constant channel: a single bit, so that it costs one addition, and so large that
#: its weights are about as large as the others.
CONSTANT = 128

#: Of ImageNet, for pixels 0..1.
_MEAN = (0.485, 0.456, 0.406)
_DEVIATION = (0.229, 0.224, 0.225)


def constant_stem(weight):
    """Weights for pixels x/256 and the channel of value :data:`CONSTANT`.

    Parameters
    ----------
    weight : tensor, shape (out, 3, kernel, kernel)

    Returns
    -------
    tensor, shape (out, 4, kernel, kernel)
    """
    scaled, means = _split(weight)
    constant = -means.sum(1, keepdim=True) * (PIXEL_DIVISOR / CONSTANT)
    return torch.cat([scaled, constant], 1)


def biased_stem(weight, bias):
    """Weights and bias for pixels x/256, the same as before but for the border.

    Parameters
    ----------
    weight : tensor, shape (out, 3, kernel, kernel)
    bias : tensor, shape (out,)

    Returns
    -------
    weight, bias : tensor
    """
    scaled, means = _split(weight)
    return scaled, bias - means.sum((1, 2, 3))


def _split(weight):
    """Weights for x/256, and what each subtracts of the mean colour."""
    mean, deviation = (
        torch.tensor(values, dtype=weight.dtype)[None, :, None, None]
        for values in (_MEAN, _DEVIATION)
    )
    weight = weight / deviation
    return weight * (PIXEL_DIVISOR / 255), weight * mean

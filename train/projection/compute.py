"""Convolutions and batch norms of maps, whatever axes their modules have."""

import torch
import torch.nn.functional as F
from torch import nn

from train.projection.depthwise import SMALL_MAP, depthwise


__all__ = ["ScaledNorm", "across", "convolve", "four", "norm_affine", "normalise"]


class ScaledNorm:
    """Batch norm whose result is multiplied by a layer scale, as one batch norm.

    Parameters
    ----------
    norm : nn.BatchNorm1d, nn.BatchNorm2d or ScaledNorm
    scale : object
        With ``values``: a tensor of shape (channels,), or a number.
    """

    def __init__(self, norm, scale):
        self.norm = norm
        self.scale = scale

    @property
    def weight(self):
        """Slope, layer scale included."""
        return self.norm.weight * self.scale.values

    @property
    def bias(self):
        """Offset, layer scale included."""
        return self.norm.bias * self.scale.values

    def __getattr__(self, name):
        # A copy asks for these before it has anything.
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.norm, name)


def four(weight):
    """Weights of a 1-D kernel as those of a 2-D one."""
    return weight.unsqueeze(-1) if weight.dim() == 3 else weight


def across(values):
    """Numbers of channels in the shape of maps; a number as it is."""
    return values[:, None, None] if torch.is_tensor(values) else values


def norm_affine(conv, norm):
    """Slope and offset, per channel, of what is behind ``conv`` without its bias.

    Returns
    -------
    slope, offset : tensor, shape (out_channels,)
        ``norm(z + conv.bias) = slope * z + offset``, in evaluation.
    """
    if norm is None:
        slope = conv.weight.new_ones(len(conv.weight))
        return slope, torch.zeros_like(slope) if conv.bias is None else conv.bias
    slope = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    centre = norm.running_mean if conv.bias is None else norm.running_mean - conv.bias
    return slope, norm.bias - slope * centre


def normalise(potential, norm):
    """Batch norm of 2-D maps by a 1-D or 2-D ``norm``, with a layer scale or without."""
    if norm is None:
        return potential
    if isinstance(norm, ScaledNorm):
        return normalise(potential, norm.norm) * across(norm.scale.values)
    if isinstance(norm, nn.BatchNorm1d):
        return norm(potential.flatten(2)).view_as(potential)
    return norm(potential)


def convolve(inputs, conv, *, weight, bias):
    """Convolution of 2-D maps with the geometry of ``conv``, whose kernel may be 1-D.

    Parameters
    ----------
    inputs : tensor, shape (images, channels, height, width)
    conv : nn.Conv2d, nn.Conv1d or a class of this file
        Gives stride, padding, dilation and groups.
    weight, bias : tensor
        Used in place of those of ``conv``; ``bias`` may be ``None``.

    Returns
    -------
    tensor, shape (images, out_channels, out_height, out_width)
    """
    weight = four(weight).to(inputs)
    positions = inputs.shape[2] * inputs.shape[3]
    if conv.groups > 1 and bias is None and positions <= SMALL_MAP and _keeps_size(conv, weight):
        return depthwise(inputs, weight)
    pad = conv.padding if len(conv.padding) == 2 else 0
    if len(conv.padding) == 4:
        top, bottom, left, right = conv.padding
        inputs = F.pad(inputs, (left, right, top, bottom))
    stride, dilation = (
        value if len(value) == 2 else value[0] for value in (conv.stride, conv.dilation)
    )
    return F.conv2d(inputs, weight, bias, stride, pad, dilation, conv.groups)


def _keeps_size(conv, weight):
    """Whether a convolution is depthwise, with a square odd kernel around each position."""
    kernel = weight.shape[2]
    return (
        conv.groups == len(weight)
        and weight.shape[1:] == (1, kernel, kernel)
        and kernel % 2 == 1
        and conv.stride == (1, 1)
        and conv.dilation == (1, 1)
        and conv.padding == (kernel // 2, kernel // 2)
    )

"""What a layer computes, apart from how the layers are wired.

The blocks of `train.network.blocks` describe the network once and ask an *arithmetic* for each
step. Float training, quantisation-aware training, exact integer evaluation and export are four
arithmetics over the same wiring, so they cannot disagree about it.
"""

import math
from dataclasses import dataclass
from typing import Any

import torch.nn.functional as F
from torch import nn

from train.network.depthwise import SMALL_MAP, depthwise
from train.network.neuron import SpikeNeuron
from train.network.two_stage import ScaledNorm, TwoStage


__all__ = [
    "PIXEL_DIVISOR",
    "FloatArithmetic",
    "Stream",
    "convolve",
    "normalise",
    "split_heads",
    "with_constant",
]


#: Pixels enter as x/256 without subtracting a mean, so that zero padding stays exact.
PIXEL_DIVISOR = 256


@dataclass(frozen=True)
class Stream:
    """One version of the residual stream.

    Parameters
    ----------
    name : str
        Layer that wrote it.
    value : Any
        Membrane potentials (or the name of their tensor, at export).
    spikes : Any
        Output of the neuron that every reader of this version shares.
    """

    name: str
    value: Any
    spikes: Any


def convolve(inputs, conv, *, weight, bias):
    """Convolution of 2-D maps with the geometry of ``conv``, whose kernel may be 1-D.

    Parameters
    ----------
    inputs : tensor, shape (images, channels, height, width)
    conv : nn.Conv2d or nn.Conv1d
        Gives stride, padding and groups.
    weight, bias : tensor
        Used in place of those of ``conv``; ``bias`` may be ``None``.

    Returns
    -------
    tensor, shape (images, out_channels, out_height, out_width)
    """
    weight = weight.unsqueeze(-1) if weight.dim() == 3 else weight
    positions = inputs.shape[2] * inputs.shape[3]
    if conv.groups > 1 and bias is None and positions <= SMALL_MAP:
        return depthwise(inputs, weight)
    return F.conv2d(inputs, weight, bias, conv.stride[0], conv.padding[0], 1, conv.groups)


def normalise(potential, norm):
    """Batch norm of 2-D maps by a 1-D or 2-D ``norm``, with a layer scale or without."""
    if isinstance(norm, ScaledNorm):
        return normalise(potential, norm.norm) * norm.scale[:, None, None]
    if isinstance(norm, nn.BatchNorm1d):
        return norm(potential.flatten(2)).view_as(potential)
    return norm(potential)


def with_constant(images, constant):
    """Pixels with one more channel that is the same all over the image, if there is one."""
    if not constant:
        return images
    return F.pad(images, (0, 0, 0, 0, 0, 1), value=constant)


def split_heads(spikes, heads):
    """Shape (images, heads, channels per head, tokens): heads contiguous, tokens row-major."""
    return spikes.flatten(2).unflatten(1, (heads, -1))


class FloatArithmetic:
    """SFA in floating point, as the float network is trained and evaluated.

    Spikes are ``count / divisor`` (``count`` in front of the classifier), streams real numbers.

    Parameters
    ----------
    network : NetworkConfig
        Gives the neuron and the scale of attention.
    meter : function, optional
        Called as ``meter(counts, weight, outputs)`` for every convolution of spikes, with the mean
        count of its inputs.
    """

    def __init__(self, network, *, meter=None):
        self.shape = network
        self.meter = meter
        neuron = {"max_count": network.max_count, "rounding": network.rounding}
        self.neuron = SpikeNeuron(divisor=network.divisor, **neuron)
        self.head_neuron = SpikeNeuron(divisor=1, **neuron)

    def pixels(self, images):
        """Network input from pixel values 0..255, shape (images, channels, height, width)."""
        return with_constant(images, self.shape.pixel_constant) / PIXEL_DIVISOR

    def fire(self, name, conv, norm, spikes):
        """Spikes of a branch-internal neuron behind ``conv`` and ``norm``."""
        potential = self.branch(name, conv, norm, spikes)
        self._measure(spikes, conv, potential)
        return self.neuron(potential)

    def stem(self, name, conv, norm, pixels):
        """Stream that the first layer writes from pixels."""
        value = self.written(name, conv, norm, pixels, divisor=PIXEL_DIVISOR)
        return Stream(name, value, self.neuron(value))

    def write(self, name, conv, norm, spikes, *, previous):
        """Stream after adding a branch to ``previous``, or a new stream if that is ``None``."""
        value = self.written(name, conv, norm, spikes, divisor=self.shape.divisor)
        self._measure(spikes, conv, value)
        if previous is not None:
            value = previous.value + value
        return Stream(name, value, self.neuron(value))

    def attention(self, name, queries, keys, values, *, heads):
        """Spikes of ``scale q (k^T v)``; heads are contiguous channels."""
        maps = queries.shape[2:]
        queries, keys, values = (split_heads(x, heads) for x in (queries, keys, values))
        numerator, square_denominator = self.shape.attention_scale(queries.shape[2])
        scale = numerator / math.sqrt(square_denominator)
        memory = values @ keys.transpose(-1, -2) * scale
        potential = memory @ queries
        return self.neuron(potential.flatten(1, 2).unflatten(2, maps))

    def token_mean(self, name, stream):
        """Spikes (divisor 1) of the mean over tokens, shape (images, channels, 1, 1)."""
        return self.head_neuron(stream.value.mean((2, 3), keepdim=True))

    def logits(self, name, linear, spikes):
        """Class scores, shape (images, classes)."""
        return linear(spikes.flatten(1))

    def analog_logits(self, name, linear, stream):
        """Class scores from the mean of a stream over its tokens, shape (images, classes)."""
        return linear(stream.value.mean((2, 3)))

    def mean_of(self, analog, spike):
        """Class scores of a network with two heads."""
        return (analog + spike) / 2

    def branch(self, name, conv, norm, spikes):
        """Potential in front of a branch-internal neuron."""
        return normalise(self.project(spikes, conv), norm)

    def written(self, name, conv, norm, inputs, *, divisor):
        """What a layer adds to the residual stream; ``inputs`` are integers over ``divisor``."""
        return normalise(self.project(inputs, conv), norm)

    def project(self, inputs, conv):
        """A layer's convolution, or both stages of one that has two."""
        if isinstance(conv, TwoStage):
            return conv(inputs)
        return convolve(inputs, conv, weight=conv.weight, bias=conv.bias)

    def _measure(self, spikes, conv, outputs):
        if self.meter is not None:
            self.meter(spikes.mean() * self.shape.divisor, conv.weight, outputs)

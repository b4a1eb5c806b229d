"""E-SpikeFormer written the plain way, to measure ours against: one module per step.

Neurons are autograd functions of their own, every convolution is torch's, and attention forms
``q k^T`` first, as published code does. With neurons that run over time steps it is the network
that spike firing approximation replaces. Parameters have the names of ours.

References
----------
Yao et al., TPAMI 47(4), 2025, doi:10.1109/TPAMI.2025.3530246; Yao et al., arXiv:2404.03663 (leaky
neurons over time steps).
"""

import math

import torch
from torch import nn

from golden.neuron import Rounding
from train.families.blocks import conv_norm


__all__ = ["PlainNetwork", "TimeSteps", "integer_neuron"]


#: Steepness of the sigmoid whose slope stands for that of a binary spike.
_STEEPNESS = 4.0


class _Quantise(torch.autograd.Function):
    @staticmethod
    def forward(ctx, potential, max_count, half_even):
        ctx.save_for_backward(potential)
        ctx.max_count, ctx.half_even = max_count, half_even
        clamped = torch.clamp(potential, 0, max_count)
        return torch.round(clamped) if half_even else torch.floor(clamped + 0.5)

    @staticmethod
    def backward(ctx, gradient):
        (potential,) = ctx.saved_tensors
        gradient = gradient.clone()
        if ctx.half_even:
            gradient[potential < 0] = 0
            gradient[potential > ctx.max_count] = 0
        else:
            gradient[potential <= 0] = 0
            gradient[potential >= ctx.max_count] = 0
        return gradient, None, None


class _Integer(nn.Module):
    """Neuron that emits a count over ``divisor`` at once."""

    def __init__(self, network, divisor):
        super().__init__()
        self.max_count, self.divisor = network.max_count, divisor
        self.half_even = network.rounding is Rounding.HALF_EVEN

    def forward(self, potential):
        return _Quantise.apply(potential, self.max_count, self.half_even) / self.divisor


def integer_neuron(network):
    """Function that makes the neurons of a network; in front of the classifier they emit counts."""
    return lambda head=False: _Integer(network, 1 if head else network.divisor)


class _Spike(torch.autograd.Function):
    @staticmethod
    def forward(ctx, potential):
        ctx.save_for_backward(potential)
        return (potential >= 0).to(potential.dtype)

    @staticmethod
    def backward(ctx, gradient):
        (potential,) = ctx.saved_tensors
        sigmoid = torch.sigmoid(_STEEPNESS * potential)
        return gradient * _STEEPNESS * sigmoid * (1 - sigmoid)


class TimeSteps(nn.Module):
    """Leaky neuron over time steps: ``v += (x - v) / 2``, a spike and a reset to 0 from 1 on.

    Parameters
    ----------
    steps : int
        Time steps, which are the outer axis of the batch.
    """

    def __init__(self, steps):
        super().__init__()
        self.steps = steps

    def forward(self, potential):
        """Binary spikes, of the shape of ``potential``: (steps times images, ...)."""
        membrane, spikes = 0.0, []
        for current in potential.unflatten(0, (self.steps, -1)):
            membrane = membrane + (current - membrane) / 2
            spikes.append(_Spike.apply(membrane - 1))
            membrane = membrane * (1 - spikes[-1].detach())
        return torch.stack(spikes).flatten(0, 1)


class _Down(nn.Module):
    def __init__(self, channels, out_channels, kernel, stride, neuron):
        super().__init__()
        self.neuron = neuron
        self.encode_conv = nn.Conv2d(channels, out_channels, kernel, stride, kernel // 2)
        self.encode_bn = nn.BatchNorm2d(out_channels)

    def forward(self, x):
        x = x if self.neuron is None else self.neuron(x)
        return self.encode_bn(self.encode_conv(x))


class _Separable(nn.Module):
    def __init__(self, channels, kernel, neuron):
        super().__init__()
        self.neurons = nn.ModuleList([neuron() for _ in range(3)])
        self.pwconv1 = conv_norm(channels, 2 * channels)
        self.dwconv = conv_norm(2 * channels, 2 * channels, kernel=kernel, groups=2 * channels)
        self.pwconv2 = conv_norm(2 * channels, channels)

    def forward(self, x):
        x = self.pwconv1(self.neurons[0](x))
        x = self.dwconv(self.neurons[1](x))
        return self.pwconv2(self.neurons[2](x))


class _ConvBlock(nn.Module):
    def __init__(self, channels, ratio, neuron):
        super().__init__()
        self.Conv = _Separable(channels, 7, neuron)
        self.neurons = nn.ModuleList([neuron(), neuron()])
        self.conv1 = nn.Conv2d(channels, ratio * channels, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(ratio * channels)
        self.conv2 = nn.Conv2d(ratio * channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)

    def forward(self, x):
        x = x + self.Conv(x)
        hidden = self.bn1(self.conv1(self.neurons[0](x)))
        return x + self.bn2(self.conv2(self.neurons[1](hidden)))


class _Attention(nn.Module):
    def __init__(self, channels, heads, ratio, neuron):
        super().__init__()
        self.heads = heads
        self.neurons = nn.ModuleList([neuron() for _ in range(5)])
        self.q_conv = conv_norm(channels, channels)
        self.k_conv = conv_norm(channels, channels)
        self.v_conv = conv_norm(channels, ratio * channels)
        self.proj_conv = conv_norm(ratio * channels, channels)

    def forward(self, x):
        images, channels, height, width = x.shape
        x = self.neurons[0](x)
        q, k, v = (
            neuron(conv(x)).flatten(2).reshape(images, self.heads, -1, height * width)
            for neuron, conv in zip(
                list(self.neurons)[1:4], (self.q_conv, self.k_conv, self.v_conv), strict=True
            )
        )
        scale = 2 / math.sqrt(channels // self.heads)
        scores = q.transpose(-2, -1) @ k
        x = (scores @ v.transpose(-2, -1) * scale).transpose(-2, -1)
        return self.proj_conv(self.neurons[4](x.reshape(images, -1, height, width)))


class _Mlp(nn.Module):
    def __init__(self, channels, ratio, neuron):
        super().__init__()
        self.neurons = nn.ModuleList([neuron(), neuron()])
        self.fc1_conv = nn.Conv1d(channels, ratio * channels, 1)
        self.fc1_bn = nn.BatchNorm1d(ratio * channels)
        self.fc2_conv = nn.Conv1d(ratio * channels, channels, 1)
        self.fc2_bn = nn.BatchNorm1d(channels)

    def forward(self, x):
        tokens = self.neurons[0](x).flatten(2)
        hidden = self.fc1_bn(self.fc1_conv(tokens))
        return self.fc2_bn(self.fc2_conv(self.neurons[1](hidden))).view_as(x)


class _Block(nn.Module):
    def __init__(self, channels, network, neuron):
        super().__init__()
        self.conv = _Separable(channels, 3, neuron)
        self.attn = _Attention(channels, network.heads, network.ratio, neuron)
        self.mlp = _Mlp(channels, network.ratio, neuron)

    def forward(self, x):
        x = x + self.conv(x)
        x = x + self.attn(x)
        return x + self.mlp(x)


class PlainNetwork(nn.Module):
    """The base family, with neurons of any kind.

    Parameters
    ----------
    network : NetworkConfig
    neuron : function
        Makes a neuron; called with ``head=True`` for the one in front of the classifier.
    steps : int
        Time steps: the images are repeated, and the scores averaged over them.
    """

    def __init__(self, network, neuron, *, steps=1):
        super().__init__()
        self.steps = steps
        c0, c1, c2, c3 = network.dims
        strides = network.strides

        def blocks(channels):
            return nn.ModuleList([_ConvBlock(channels, network.ratio, neuron)])

        def transformers(channels, depth):
            return nn.ModuleList([_Block(channels, network, neuron) for _ in range(depth)])

        self.downsample1_1 = _Down(network.image[2], c0 // 2, network.stem_kernel, strides[0], None)
        self.ConvBlock1_1 = blocks(c0 // 2)
        self.downsample1_2 = _Down(c0 // 2, c0, 3, strides[1], neuron())
        self.ConvBlock1_2 = blocks(c0)
        self.downsample2 = _Down(c0, c1, 3, strides[2], neuron())
        self.ConvBlock2_1 = blocks(c1)
        self.ConvBlock2_2 = blocks(c1)
        self.downsample3 = _Down(c1, c2, 3, strides[3], neuron())
        self.block3 = transformers(c2, network.depths[0])
        self.downsample4 = _Down(c2, c3, 3, strides[4], neuron())
        self.block4 = transformers(c3, network.depths[1])
        self.neuron = neuron(head=True)
        self.head = nn.Linear(c3, network.classes)

    def forward(self, images):
        """Class scores of pixels 0..255, shape (images, classes)."""
        x = (images / 256).repeat(self.steps, 1, 1, 1)
        for part in self.children():
            if part is self.neuron:
                break
            for block in part if isinstance(part, nn.ModuleList) else [part]:
                x = block(x)
        scores = self.head(self.neuron(x.flatten(2).mean(2)))
        return scores.unflatten(0, (self.steps, -1)).mean(0)

"""The large family of Spike-driven Transformer V3, with the parameter names of its checkpoints.

References
----------
Yao et al., TPAMI 47(4), 2025, doi:10.1109/TPAMI.2025.3530246 (the models of 83 and 173 M).
"""

import torch
from torch import nn

from train.network.arithmetic import FloatArithmetic
from train.network.blocks import Down, Mlp, chain, conv_norm, initialise
from train.network.two_stage import ScaledNorm, TwoStage


__all__ = ["LargeSpikeFormer"]


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
)


class _ConvBlock(nn.Module):
    """3x3 C to 4C and 3x3 4C to C, added to the stream."""

    def __init__(self, channels, *, ratio):
        super().__init__()
        hidden = ratio * channels
        self.conv1 = nn.Sequential(conv_norm(channels, hidden, kernel=3, bias=True))
        self.conv2 = nn.Sequential(conv_norm(hidden, channels, kernel=3, bias=True))

    def forward(self, name, stream, arithmetic):
        spikes = arithmetic.fire(f"{name}.conv1", *self.conv1[0], stream.spikes)
        return arithmetic.write(name, *self.conv2[0], spikes, previous=stream)


class _Rep(nn.Module):
    """Two pointwise stages, C to ``expansion`` C and back, each with batch norm."""

    def __init__(self, channels, *, expansion):
        super().__init__()
        hidden = int(expansion * channels)
        self.conv1 = conv_norm(channels, hidden)
        self.conv2 = conv_norm(hidden, channels)

    def layer(self):
        """Convolution and batch norm that the two stages are together."""
        return TwoStage(self.conv1, self.conv2[:1]), self.conv2[1]

    def projection(self):
        """Convolution that both stages are together, batch norms included."""
        return TwoStage(self.conv1, self.conv2)


class _Attention(nn.Module):
    """Spike-driven attention without softmax; two-stage projections, values as wide as keys."""

    def __init__(self, channels, *, heads, expansion):
        super().__init__()
        self.heads = heads
        for name in ("q", "k", "v", "proj"):
            rep = _Rep(channels, expansion=expansion)
            setattr(self, f"{name}_conv", nn.Sequential(rep, nn.BatchNorm2d(channels)))

    def forward(self, name, stream, arithmetic, *, scale):
        queries, keys, values = (
            arithmetic.fire(f"{name}.{letter}", rep.projection(), norm, stream.spikes)
            for letter, (rep, norm) in {
                "q": self.q_conv,
                "k": self.k_conv,
                "v": self.v_conv,
            }.items()
        )
        spikes = arithmetic.attention(name, queries, keys, values, heads=self.heads)
        rep, norm = self.proj_conv
        return arithmetic.write(
            name, rep.projection(), ScaledNorm(norm, scale), spikes, previous=stream
        )


class _TransformerBlock(nn.Module):
    """Two-stage projection (or none), attention and MLP; these two with a scale per channel."""

    def __init__(self, channels, *, heads, ratio, expansions):
        super().__init__()
        self.layer_scale1 = nn.Parameter(torch.ones(channels))
        self.layer_scale2 = nn.Parameter(torch.ones(channels))
        if expansions[1]:
            self.rep_conv = _Rep(channels, expansion=expansions[1])
        self.attn = _Attention(channels, heads=heads, expansion=expansions[0])
        self.mlp = Mlp(channels, ratio=ratio)

    def forward(self, name, stream, arithmetic):
        if hasattr(self, "rep_conv"):
            stream = arithmetic.write(
                f"{name}.rep_conv", *self.rep_conv.layer(), stream.spikes, previous=stream
            )
        stream = self.attn(f"{name}.attn", stream, arithmetic, scale=self.layer_scale1)
        return self.mlp(name, stream, arithmetic, scale=self.layer_scale2)


class LargeSpikeFormer(nn.Module):
    """Spike-driven transformer of the large family, called as an ``ESpikeFormer`` is.

    Parameters
    ----------
    network : NetworkConfig
        Whose ``head`` may be ``analog`` or ``both``.
    """

    def __init__(self, network):
        super().__init__()
        self.network = network
        self.arithmetic = FloatArithmetic(network)
        c0, c1, c2 = network.dims
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
        self.block3 = nn.ModuleList([
            _TransformerBlock(
                c2, heads=network.heads, ratio=network.ratio, expansions=network.expansions
            )
            for _ in range(network.depths[0])
        ])
        if network.head != "spike":
            self.head = nn.Linear(c2, network.classes)
        if network.head != "analog":
            self.head_kd = nn.Linear(c2, network.classes)
        self.apply(initialise)

    def forward(self, images, arithmetic=None):
        """Class scores of images, shape (images, classes)."""
        arithmetic = arithmetic or self.arithmetic
        stream = chain(self, _STAGES, arithmetic.pixels(images), arithmetic)
        if self.network.head == "spike":
            return self._spike_scores(stream, arithmetic)
        scores = arithmetic.analog_logits("head", self.head, stream)
        if self.network.head == "analog":
            return scores
        return arithmetic.mean_of(scores, self._spike_scores(stream, arithmetic))

    def _spike_scores(self, stream, arithmetic):
        counts = arithmetic.token_mean("head_kd.sum", stream)
        return arithmetic.logits("head_kd", self.head_kd, counts)

    def _conv_blocks(self, channels):
        return nn.ModuleList([_ConvBlock(channels, ratio=self.network.ratio)])

"""The large family of Spike-driven Transformer V3, with the parameter names of its checkpoints.

Its projections are two pointwise convolutions with nothing but a batch norm between them, which
become one matrix.

References
----------
Yao et al., TPAMI 47(4), 2025, doi:10.1109/TPAMI.2025.3530246 (the models of 83 and 173 M).
"""

import torch
from torch import nn

from train.families.blocks import Mlp, Stages, conv_norm, head_neuron, initialise
from train.nn import attention


__all__ = ["LargeSpikeFormer"]


class _ConvBlock(nn.Module):
    """3x3 C to 4C and 3x3 4C to C, added to the stream."""

    def __init__(self, channels, *, ratio, neuron):
        super().__init__()
        hidden = ratio * channels
        self.neuron = neuron
        self.conv1 = nn.Sequential(conv_norm(channels, hidden, kernel=3, bias=True))
        self.conv2 = nn.Sequential(conv_norm(hidden, channels, kernel=3, bias=True))

    def forward(self, stream):
        return stream + self.conv2(self.neuron(self.conv1(self.neuron(stream))))


class _Rep(nn.Module):
    """Two pointwise stages, C to ``expansion`` C and back, each with batch norm."""

    def __init__(self, channels, *, expansion):
        super().__init__()
        hidden = int(expansion * channels)
        self.conv1 = conv_norm(channels, hidden)
        self.conv2 = conv_norm(hidden, channels)

    def forward(self, spikes):
        return self.conv2(self.conv1(spikes))


class _RepBranch(_Rep):
    """The same, added to the stream."""

    def __init__(self, channels, *, expansion, neuron):
        super().__init__(channels, expansion=expansion)
        self.neuron = neuron

    def forward(self, stream):
        return stream + super().forward(self.neuron(stream))


class _Attention(nn.Module):
    """Spike-driven attention without softmax; two-stage projections, values as wide as keys."""

    def __init__(self, channels, *, heads, expansion, neuron):
        super().__init__()
        self.heads = heads
        self.neuron = neuron
        for name in ("q", "k", "v", "proj"):
            rep = _Rep(channels, expansion=expansion)
            setattr(self, f"{name}_conv", nn.Sequential(rep, nn.BatchNorm2d(channels)))

    def forward(self, stream, scale):
        spikes = self.neuron(stream)
        queries = self.neuron(self.q_conv(spikes))
        keys = self.neuron(self.k_conv(spikes))
        values = self.neuron(self.v_conv(spikes))
        # 1/8, however wide a head is.
        potential = attention(queries, keys, values, heads=self.heads, scale=(1, 64))
        return stream + self.proj_conv(self.neuron(potential)) * scale[:, None, None]


class _TransformerBlock(nn.Module):
    """Two-stage projection (or none), attention and MLP; these two with a scale per channel."""

    def __init__(self, channels, *, heads, ratio, expansions, neuron):
        super().__init__()
        self.layer_scale1 = nn.Parameter(torch.ones(channels))
        self.layer_scale2 = nn.Parameter(torch.ones(channels))
        if expansions[1]:
            self.rep_conv = _RepBranch(channels, expansion=expansions[1], neuron=neuron)
        self.attn = _Attention(channels, heads=heads, expansion=expansions[0], neuron=neuron)
        self.mlp = Mlp(channels, ratio=ratio, neuron=neuron)

    def forward(self, stream):
        if hasattr(self, "rep_conv"):
            stream = self.rep_conv(stream)
        stream = self.attn(stream, self.layer_scale1)
        return stream + self.mlp(stream) * self.layer_scale2[:, None, None]


class LargeSpikeFormer(Stages):
    """Spike-driven transformer of the large family, called as an ``ESpikeFormer`` is.

    Parameters
    ----------
    network : NetworkConfig
        Whose ``head`` may be ``analog`` or ``both``.
    """

    def __init__(self, network):
        super().__init__(network, _ConvBlock)
        c2 = network.dims[2]
        shape = {"heads": network.heads, "ratio": network.ratio, "expansions": network.expansions}
        self.block3 = nn.Sequential(
            *(_TransformerBlock(c2, **shape, neuron=self._neuron) for _ in range(network.depths[0]))
        )
        if network.head != "spike":
            self.head = nn.Linear(c2, network.classes)
        if network.head != "analog":
            self.head_neuron = head_neuron(network)
            self.head_kd = nn.Linear(c2, network.classes)
        self.apply(initialise)

    def forward(self, images):
        """Class scores of images, shape (images, classes)."""
        means = self.block3(self.stream(images)).mean((2, 3))
        if self.network.head == "spike":
            return self.head_kd(self.head_neuron(means))
        if self.network.head == "analog":
            return self.head(means)
        return (self.head(means) + self.head_kd(self.head_neuron(means))) / 2

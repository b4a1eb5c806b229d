"""Blocks of E-SpikeFormer as ordinary modules, with the parameter names of official checkpoints.

A residual stream goes in and comes out; where a block adds to it is where the integer model writes.
Every block has the network's neuron, which has no parameters.

References
----------
Yao et al., TPAMI 47(4), 2025, doi:10.1109/TPAMI.2025.3530246 (E-SpikeFormer).
"""

from torch import nn

from train.nn import SpikeNeuron, attention, pixels


__all__ = [
    "Attention",
    "ConvBlock",
    "Down",
    "Mlp",
    "SeparableConv",
    "Stages",
    "TransformerBlock",
    "conv_norm",
    "initialise",
    "head_neuron",
    "inner_neuron",
    "set_initial_scale",
]


def inner_neuron(network):
    """Neuron of all layers but the classifier."""
    return SpikeNeuron(
        max_count=network.max_count, rounding=network.rounding, divisor=network.divisor
    )


def head_neuron(network):
    """Neuron in front of the classifier, which reads whole counts."""
    return SpikeNeuron(max_count=network.max_count, rounding=network.rounding, divisor=1)


def initialise(module):
    """Small normal weights and zero bias of a classifier; convolutions keep torch's default."""
    if isinstance(module, nn.Linear):
        nn.init.trunc_normal_(module.weight, std=0.02)
        nn.init.zeros_(module.bias)


def set_initial_scale(network, scale):
    """Let every branch add only a part of its batch norm's output to the stream at first.

    With one spike per neuron the gradient otherwise grows a thousandfold from the last stage of the
    digits network to its stem, and nothing is learned.

    Parameters
    ----------
    network : nn.Module
        Changed in place.
    scale : float
    """
    for module in network.modules():
        match module:
            case SeparableConv():
                norm = module.pwconv2[1]
            case ConvBlock():
                norm = module.bn2
            case Attention():
                norm = module.proj_conv[1]
            case Mlp():
                norm = module.fc2_bn
            case _:
                continue
        nn.init.constant_(norm.weight, scale)


def conv_norm(channels, out_channels, *, kernel=1, groups=1, bias=False):
    """Convolution and its batch norm, as a pair that is indexed 0 and 1."""
    conv = nn.Conv2d(channels, out_channels, kernel, padding=kernel // 2, groups=groups, bias=bias)
    return nn.Sequential(conv, nn.BatchNorm2d(out_channels))


class Down(nn.Module):
    """Convolution that starts a new residual stream: stem and stage transitions.

    Parameters
    ----------
    channels, out_channels, kernel, stride : int
    neuron : SpikeNeuron or None
        Through which the old stream is read; ``None`` for the stem, which reads pixels.
    """

    def __init__(self, channels, out_channels, *, kernel, stride, neuron):
        super().__init__()
        self.neuron = neuron or nn.Identity()
        self.encode_conv = nn.Conv2d(channels, out_channels, kernel, stride, kernel // 2)
        self.encode_bn = nn.BatchNorm2d(out_channels)

    def forward(self, stream):
        """New stream, shape (images, out_channels, height, width)."""
        return self.encode_bn(self.encode_conv(self.neuron(stream)))


class SeparableConv(nn.Module):
    """Pointwise C to 2C, depthwise, pointwise 2C to C; added to the stream.

    Parameters
    ----------
    channels : int
    kernel : int
        Of the depthwise convolution: 7 in convolution blocks, 3 in transformer blocks.
    neuron : SpikeNeuron
    """

    def __init__(self, channels, *, kernel, neuron):
        super().__init__()
        hidden = 2 * channels
        self.neuron = neuron
        self.pwconv1 = conv_norm(channels, hidden)
        self.dwconv = conv_norm(hidden, hidden, kernel=kernel, groups=hidden)
        self.pwconv2 = conv_norm(hidden, channels)

    def forward(self, stream):
        """Stream after the branch."""
        spikes = self.neuron(self.pwconv1(self.neuron(stream)))
        spikes = self.neuron(self.dwconv(spikes))
        return stream + self.pwconv2(spikes)


class ConvBlock(nn.Module):
    """Separable 7x7 convolution, then 3x3 C to 4C and 3x3 4C to C.

    Parameters
    ----------
    channels : int
    ratio : int
        Widening of the second branch.
    neuron : SpikeNeuron
    """

    def __init__(self, channels, *, ratio, neuron):
        super().__init__()
        self.neuron = neuron
        self.Conv = SeparableConv(channels, kernel=7, neuron=neuron)
        self.conv1 = nn.Conv2d(channels, ratio * channels, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(ratio * channels)
        self.conv2 = nn.Conv2d(ratio * channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)

    def forward(self, stream):
        """Stream after both branches."""
        stream = self.Conv(stream)
        spikes = self.neuron(self.bn1(self.conv1(self.neuron(stream))))
        return stream + self.bn2(self.conv2(spikes))


class Attention(nn.Module):
    """Spike-driven attention without softmax; values are four times wider than keys.

    Parameters
    ----------
    channels : int
        Divisible by ``heads``.
    heads : int
    ratio : int
        Width of the values over that of the keys.
    neuron : SpikeNeuron
    """

    def __init__(self, channels, *, heads, ratio, neuron):
        super().__init__()
        self.heads = heads
        # 2 / sqrt(dk).
        self.scale = 2, channels // heads
        self.neuron = neuron
        self.q_conv = conv_norm(channels, channels)
        self.k_conv = conv_norm(channels, channels)
        self.v_conv = conv_norm(channels, ratio * channels)
        self.proj_conv = conv_norm(ratio * channels, channels)

    def forward(self, stream):
        """Stream after the branch."""
        spikes = self.neuron(stream)
        queries = self.neuron(self.q_conv(spikes))
        keys = self.neuron(self.k_conv(spikes))
        values = self.neuron(self.v_conv(spikes))
        potential = attention(queries, keys, values, heads=self.heads, scale=self.scale)
        return stream + self.proj_conv(self.neuron(potential))


class Mlp(nn.Module):
    """Two pointwise layers, C to ``ratio`` C and back; kernels are 1-D as in the checkpoints.

    Parameters
    ----------
    channels, ratio : int
    neuron : SpikeNeuron
    """

    def __init__(self, channels, *, ratio, neuron):
        super().__init__()
        self.neuron = neuron
        self.fc1_conv = nn.Conv1d(channels, ratio * channels, 1)
        self.fc1_bn = nn.BatchNorm1d(ratio * channels)
        self.fc2_conv = nn.Conv1d(ratio * channels, channels, 1)
        self.fc2_bn = nn.BatchNorm1d(channels)

    def forward(self, stream):
        """What the enclosing block adds to its stream."""
        spikes = self.neuron(stream).flatten(2)
        spikes = self.neuron(self.fc1_bn(self.fc1_conv(spikes)))
        return self.fc2_bn(self.fc2_conv(spikes)).view_as(stream)


class TransformerBlock(nn.Module):
    """Separable 3x3 convolution, attention and MLP, each added to the stream.

    Parameters
    ----------
    channels, heads, ratio : int
    neuron : SpikeNeuron
    """

    def __init__(self, channels, *, heads, ratio, neuron):
        super().__init__()
        self.conv = SeparableConv(channels, kernel=3, neuron=neuron)
        self.attn = Attention(channels, heads=heads, ratio=ratio, neuron=neuron)
        self.mlp = Mlp(channels, ratio=ratio, neuron=neuron)

    def forward(self, stream):
        """Stream after the three branches."""
        stream = self.attn(self.conv(stream))
        return stream + self.mlp(stream)


class Stages(nn.Module):
    """Stem and convolution stages, which both families begin with.

    Parameters
    ----------
    network : NetworkConfig
    conv_block : function
        Called as ``conv_block(channels, ratio=ratio, neuron=neuron)``.
    """

    def __init__(self, network, conv_block):
        super().__init__()
        self.network = network
        neuron = self._neuron = inner_neuron(network)
        c0, c1, c2, *_ = network.dims
        s0, s1, s2, s3, *_ = network.strides

        def convs(channels):
            return nn.Sequential(conv_block(channels, ratio=network.ratio, neuron=neuron))

        kernel = network.stem_kernel
        self.downsample1_1 = Down(
            network.pixel_channels, c0 // 2, kernel=kernel, stride=s0, neuron=None
        )
        self.ConvBlock1_1 = convs(c0 // 2)
        self.downsample1_2 = Down(c0 // 2, c0, kernel=3, stride=s1, neuron=neuron)
        self.ConvBlock1_2 = convs(c0)
        self.downsample2 = Down(c0, c1, kernel=3, stride=s2, neuron=neuron)
        self.ConvBlock2_1 = convs(c1)
        self.ConvBlock2_2 = convs(c1)
        self.downsample3 = Down(c1, c2, kernel=3, stride=s3, neuron=neuron)

    def stream(self, images):
        """Residual stream in front of the transformer blocks, from pixel values 0..255."""
        stream = self.downsample1_1(pixels(images, constant=self.network.pixel_constant))
        stream = self.downsample1_2(self.ConvBlock1_1(stream))
        stream = self.downsample2(self.ConvBlock1_2(stream))
        return self.downsample3(self.ConvBlock2_2(self.ConvBlock2_1(stream)))

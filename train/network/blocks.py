"""Blocks of E-SpikeFormer, with the parameter names of the official checkpoints.

Each block says which layers follow which; the arithmetic it is given does the computing. A layer's
name is its ``state_dict`` prefix without the part that only numbers a module.

References
----------
Yao et al., TPAMI 47(4), 2025, doi:10.1109/TPAMI.2025.3530246 (E-SpikeFormer).
"""

from torch import nn

from train.network.two_stage import ScaledNorm


__all__ = [
    "Attention",
    "ConvBlock",
    "Down",
    "Mlp",
    "SeparableConv",
    "TransformerBlock",
    "chain",
    "conv_norm",
    "set_initial_scale",
    "initialise",
]


def chain(network, parts, pixels, arithmetic):
    """Stream after the parts of a network, of which the first is its stem.

    Parameters
    ----------
    network : nn.Module
    parts : sequence of str
        Names of downsampling layers, and of lists of blocks.
    pixels : Any
        What the arithmetic makes of images.
    arithmetic : FloatArithmetic

    Returns
    -------
    Stream
    """
    stem, *others = parts
    stream = getattr(network, stem).stem(stem, pixels, arithmetic)
    for name in others:
        part = getattr(network, name)
        if isinstance(part, nn.ModuleList):
            for index, block in enumerate(part):
                stream = block(f"{name}.{index}", stream, arithmetic)
        else:
            stream = part(name, stream, arithmetic)
    return stream


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
    """

    def __init__(self, channels, out_channels, *, kernel, stride):
        super().__init__()
        self.encode_conv = nn.Conv2d(channels, out_channels, kernel, stride, kernel // 2)
        self.encode_bn = nn.BatchNorm2d(out_channels)

    def stem(self, name, pixels, arithmetic):
        """New stream from pixels."""
        return arithmetic.stem(name, self.encode_conv, self.encode_bn, pixels)

    def forward(self, name, stream, arithmetic):
        """New stream from the counts of the old one."""
        return arithmetic.write(
            name, self.encode_conv, self.encode_bn, stream.spikes, previous=None
        )


class SeparableConv(nn.Module):
    """Pointwise C to 2C, depthwise, pointwise 2C to C; added to the stream.

    Parameters
    ----------
    channels : int
    kernel : int
        Of the depthwise convolution: 7 in convolution blocks, 3 in transformer blocks.
    """

    def __init__(self, channels, *, kernel):
        super().__init__()
        hidden = 2 * channels
        self.pwconv1 = conv_norm(channels, hidden)
        self.dwconv = conv_norm(hidden, hidden, kernel=kernel, groups=hidden)
        self.pwconv2 = conv_norm(hidden, channels)

    def forward(self, name, stream, arithmetic):
        """Stream after the branch."""
        spikes = arithmetic.fire(f"{name}.pwconv1", *self.pwconv1, stream.spikes)
        spikes = arithmetic.fire(f"{name}.dwconv", *self.dwconv, spikes)
        return arithmetic.write(name, *self.pwconv2, spikes, previous=stream)


class ConvBlock(nn.Module):
    """Separable 7x7 convolution, then 3x3 C to 4C and 3x3 4C to C.

    Parameters
    ----------
    channels : int
    ratio : int
        Widening of the second branch.
    """

    def __init__(self, channels, *, ratio):
        super().__init__()
        self.Conv = SeparableConv(channels, kernel=7)
        self.conv1 = nn.Conv2d(channels, ratio * channels, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(ratio * channels)
        self.conv2 = nn.Conv2d(ratio * channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)

    def forward(self, name, stream, arithmetic):
        """Stream after both branches."""
        stream = self.Conv(f"{name}.Conv", stream, arithmetic)
        spikes = arithmetic.fire(f"{name}.conv1", self.conv1, self.bn1, stream.spikes)
        return arithmetic.write(name, self.conv2, self.bn2, spikes, previous=stream)


class Attention(nn.Module):
    """Spike-driven attention without softmax; values are four times wider than keys.

    Parameters
    ----------
    channels : int
        Divisible by ``heads``.
    heads : int
    ratio : int
        Width of the values over that of the keys.
    """

    def __init__(self, channels, *, heads, ratio):
        super().__init__()
        self.heads = heads
        self.q_conv = conv_norm(channels, channels)
        self.k_conv = conv_norm(channels, channels)
        self.v_conv = conv_norm(channels, ratio * channels)
        self.proj_conv = conv_norm(ratio * channels, channels)

    def forward(self, name, stream, arithmetic):
        """Stream after the branch."""
        queries = arithmetic.fire(f"{name}.q", *self.q_conv, stream.spikes)
        keys = arithmetic.fire(f"{name}.k", *self.k_conv, stream.spikes)
        values = arithmetic.fire(f"{name}.v", *self.v_conv, stream.spikes)
        spikes = arithmetic.attention(name, queries, keys, values, heads=self.heads)
        return arithmetic.write(name, *self.proj_conv, spikes, previous=stream)


class Mlp(nn.Module):
    """Two pointwise layers, C to ``ratio`` C and back; kernels are 1-D as in the checkpoints.

    Parameters
    ----------
    channels, ratio : int
    """

    def __init__(self, channels, *, ratio):
        super().__init__()
        self.fc1_conv = nn.Conv1d(channels, ratio * channels, 1)
        self.fc1_bn = nn.BatchNorm1d(ratio * channels)
        self.fc2_conv = nn.Conv1d(ratio * channels, channels, 1)
        self.fc2_bn = nn.BatchNorm1d(channels)

    def forward(self, name, stream, arithmetic, *, scale=None):
        """Stream after the branch, which the enclosing block ``name`` writes."""
        spikes = arithmetic.fire(f"{name}.mlp.fc1", self.fc1_conv, self.fc1_bn, stream.spikes)
        norm = self.fc2_bn if scale is None else ScaledNorm(self.fc2_bn, scale)
        return arithmetic.write(name, self.fc2_conv, norm, spikes, previous=stream)


class TransformerBlock(nn.Module):
    """Separable 3x3 convolution, attention and MLP, each added to the stream.

    Parameters
    ----------
    channels, heads, ratio : int
    """

    def __init__(self, channels, *, heads, ratio):
        super().__init__()
        self.conv = SeparableConv(channels, kernel=3)
        self.attn = Attention(channels, heads=heads, ratio=ratio)
        self.mlp = Mlp(channels, ratio=ratio)

    def forward(self, name, stream, arithmetic):
        """Stream after the three branches."""
        stream = self.conv(f"{name}.conv", stream, arithmetic)
        stream = self.attn(f"{name}.attn", stream, arithmetic)
        return self.mlp(name, stream, arithmetic)

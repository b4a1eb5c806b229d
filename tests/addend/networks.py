"""Networks that `addend check` must speak of: each function returns one."""

import torch
from torch import nn

from addend import nn as spikes


class Residual(nn.Module):
    """Residual network with signed activations."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 4, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(4)
        self.conv2 = nn.Conv2d(4, 4, 3, padding=1)
        self.bn2 = nn.BatchNorm2d(4)
        self.fc = nn.Linear(4, 10)

    def quantise(self, x):
        return torch.clamp(torch.round(x * 4), -8, 7) / 4

    def forward(self, x):
        x = self.quantise(self.bn1(self.conv1(x)))
        x = self.quantise(x + self.bn2(self.conv2(x)))
        return self.fc(x.mean((2, 3)))


class Transformer(nn.Module):
    """Patches, attention with softmax, a perceptron with GELU, layer norms."""

    def __init__(self, attend):
        super().__init__()
        self.patches = nn.Conv2d(1, 8, 2, 2)
        self.norm1, self.norm2 = nn.LayerNorm(8), nn.LayerNorm(8)
        self.qkv = nn.Linear(8, 24)
        self.attend = nn.MultiheadAttention(8, 2, batch_first=True) if attend else None
        self.mlp = nn.Sequential(nn.Linear(8, 16), nn.GELU(), nn.Linear(16, 8))
        self.head = nn.Linear(8, 10)

    def forward(self, x):
        x = self.patches(x).flatten(2).transpose(1, 2)
        y = self.norm1(x)
        if self.attend is None:
            queries, keys, values = self.qkv(y).chunk(3, -1)
            scores = queries @ keys.transpose(1, 2) / 8**0.5
            x = x + torch.softmax(scores, -1) @ values
        else:
            x = x + self.attend(y, y, y)[0]
        x = x + self.mlp(self.norm2(x))
        return self.head(x.mean(1))


class Flow(nn.Module):
    """Control flow that depends on data."""

    def forward(self, x):
        return x if x.sum() > 0 else -x


class Shapes(nn.Module):
    """Two shapes that depend on data."""

    def forward(self, x):
        rows, columns = x[x > 0], x[x < 0]
        return rows[:, None] * columns


class Pooled(nn.Module):
    """A network that golden runs, and hardware does not."""

    def __init__(self, most):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3, padding=1)
        self.neuron = spikes.SpikeNeuron(max_count=most)
        self.pool = nn.MaxPool2d(2)
        self.fc = nn.Linear(64, 10)

    def forward(self, x):
        return self.fc(self.pool(self.neuron(self.conv(spikes.pixels(x)))).flatten(1))


class Separable(nn.Module):
    """A depthwise and a pointwise convolution without a neuron between them."""

    def __init__(self):
        super().__init__()
        self.neuron = spikes.SpikeNeuron(max_count=4)
        self.conv = nn.Conv2d(1, 4, 3, padding=1)
        self.dw = nn.Conv2d(4, 4, 7, padding=3, groups=4)
        self.pw = nn.Conv2d(4, 4, 1)
        self.fc = nn.Linear(256, 10)

    def forward(self, x):
        x = self.neuron(self.pw(self.dw(self.neuron(self.conv(x)))))
        return self.fc(x.flatten(1))


def separable():
    return Separable()


def residual():
    return Residual()


def transformer():
    return Transformer(attend=True)


def spelled_transformer():
    return Transformer(attend=False)


def flow():
    return Flow()


def shapes():
    return Shapes()


def pooled():
    return Pooled(4)


def many_counts():
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), spikes.SpikeNeuron(max_count=200), nn.Flatten(), nn.Linear(144, 10)
    )


def leaves():
    raise SystemExit(3)


def unnumbered():
    return pooled().to("meta")


def wrong():
    raise RuntimeError("out of cheese")


def nothing():
    return None

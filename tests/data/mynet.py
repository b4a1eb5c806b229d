"""A user's own network as plain torch: residual blocks of spikes, for pictures of one channel."""

from torch import nn

from addend import nn as spikes


class Block(nn.Module):
    """Two convolutions of spikes, added to what the block read."""

    def __init__(self, channels, neuron):
        super().__init__()
        self.neuron = neuron
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)

    def forward(self, x):
        y = self.neuron(self.bn1(self.conv1(self.neuron(x))))
        return x + self.bn2(self.conv2(y))


class MyNet(nn.Module):
    """Stem, block, a convolution of stride 2, block, classifier."""

    def __init__(self, width, classes):
        super().__init__()
        self.neuron = spikes.SpikeNeuron(max_count=4)
        self.stem = nn.Sequential(nn.Conv2d(1, width, 3, padding=1), nn.BatchNorm2d(width))
        self.block1 = Block(width, self.neuron)
        self.down = nn.Sequential(
            nn.Conv2d(width, 2 * width, 3, stride=2, padding=1), nn.BatchNorm2d(2 * width)
        )
        self.block2 = Block(2 * width, self.neuron)
        self.fc = nn.Linear(2 * width, classes)

    def forward(self, images):
        x = self.block1(self.stem(spikes.pixels(images)))
        x = self.block2(self.down(self.neuron(x)))
        return self.fc(self.neuron(x.mean((2, 3))))


def build(width=8, classes=10):
    """What a recipe and ``addend check`` call."""
    return MyNet(width, classes)

"""The fixed layers of ``tests.benchmark.hardware``, as networks that hold one of them each.

Counts come in as pixels: the first layer picks one pixel per channel, so that the layer behind it
reads exactly the counts that an image is made of.
"""

from dataclasses import dataclass

import numpy as np

from golden import PIXELS, Conv, Fire, KeyValue, Neuron, Query, Rounding
from golden.analysis.model_builder import ModelBuilder
from golden.ladders import attention_thresholds
from golden.model.executor import run


__all__ = ["FIXED", "FixedLayer", "block", "counts_of", "image", "recorded", "synthetic"]


#: D of the fixed layers, and the mean count that their thresholds aim at.
MAX_COUNT, MEAN_COUNT = 4, 0.6
#: Names of the layer that is measured, and of the two of attention.
CONV, ATTENTION = ("layer",), ("layer.kv", "layer")


@dataclass(frozen=True, kw_only=True)
class FixedLayer:
    """One of the layers that users and papers compare.

    Parameters
    ----------
    name : str
    text : str
    size : int
        Height and width of the map.
    channels, outputs : int
    patch : int
        Height and width of the patch of pixels that holds the channels of a position.
    kernel : int
    depthwise : bool
    heads : int
        Of attention; 0 for a convolution.
    """

    name: str
    text: str
    size: int
    channels: int
    outputs: int
    patch: int
    kernel: int = 1
    depthwise: bool = False
    heads: int = 0

    @property
    def measured(self):
        """Names of the layers of the network that count."""
        return ATTENTION if self.heads else CONV

    def model(self, *, weight_bits=8):
        """The network around the layer.

        Parameters
        ----------
        weight_bits : int

        Returns
        -------
        IntegerModel
        """
        builder = _builder(self, weight_bits)
        if self.heads:
            each = self.channels // 3
            for number, branch in enumerate(("q", "k", "v")):
                builder.append(_picks(self, branch, range(number * each, (number + 1) * each)))
            builder.append(KeyValue("layer.kv", "k.counts", "v.counts", self.heads))
            ladder = attention_thresholds(
                each // self.heads, MAX_COUNT, builder.rounding, self.size**2
            )
            builder.append(
                Query(
                    "layer",
                    "q.counts",
                    "layer.kv",
                    self.heads,
                    Fire(Neuron(ladder, builder.rounding)),
                )
            )
        else:
            builder.append(_picks(self, "inputs", range(self.channels)))
            builder.fire(
                "layer", "inputs.counts", self.outputs, kernel=self.kernel, depthwise=self.depthwise
            )
        return _finished(builder, self.name, "layer.counts")


def _builder(layer, weight_bits=8):
    """Builder whose thresholds follow from synthetic counts."""
    sample = image(layer, counts_of(synthetic(layer, seed=1), MEAN_COUNT))
    return ModelBuilder(
        0,
        sample[np.newaxis],
        max_count=MAX_COUNT,
        weight_bits=weight_bits,
        rounding=Rounding.HALF_UP,
        mean_count=MEAN_COUNT,
    )


def _picks(layer, name, channels):
    """Layer whose output channels are pixels of a patch, up to D."""
    pixels = layer.channels // layer.patch**2
    weight = np.zeros((len(channels), layer.channels), np.int8)
    weight[np.arange(len(channels)), list(channels)] = 1
    ladder = np.arange(1, MAX_COUNT + 1, dtype=np.int64)[np.newaxis]
    return Conv.square(
        name,
        PIXELS,
        weight.reshape(-1, pixels, layer.patch, layer.patch),
        2,
        layer.patch,
        0,
        1,
        Fire(Neuron(ladder, Rounding.HALF_UP)),
    )


def _finished(builder, name, source):
    """The model, with a small stream and a head behind its last layer."""
    builder.write("tail", source, 8, None)
    builder.head("tail", 2, 0)
    return builder.model(name, 2)


def block():
    """A transformer block of 64 tokens, 384 channels, 12 heads and 1,536 hidden channels.

    It reads what L2 reads. Its layers are those whose names begin with ``block.``.

    Returns
    -------
    IntegerModel
    """
    builder = _builder(FIXED[1])
    builder.append(_picks(FIXED[1], "inputs", range(FIXED[1].channels)))
    builder.write("stream", "inputs.counts", FIXED[1].channels, None)
    last = builder.attention("block.attn", "stream", 12, values=1)
    builder.fire("block.mlp.fc1", f"{last}.counts", 4 * FIXED[1].channels)
    last = builder.write("block.mlp", "block.mlp.fc1.counts", FIXED[1].channels, f"{last}.stream")
    return _finished(builder, "block", f"{last}.counts")


FIXED = (
    FixedLayer(
        name="L1", text="linear 64 to 64, 64 tokens", size=8, channels=64, outputs=64, patch=4
    ),
    FixedLayer(
        name="L2", text="linear 384 to 384, 64 tokens", size=8, channels=384, outputs=384, patch=8
    ),
    FixedLayer(
        name="L3", text="linear 384 to 1536, 64 tokens", size=8, channels=384, outputs=1536, patch=8
    ),
    FixedLayer(
        name="L4",
        text="3x3 convolution 32 to 128, 28x28",
        size=28,
        channels=32,
        outputs=128,
        patch=4,
        kernel=3,
    ),
    FixedLayer(
        name="L5",
        text="attention, 196 tokens, 8 heads of 16",
        size=14,
        channels=384,
        outputs=128,
        patch=8,
        heads=8,
    ),
    FixedLayer(
        name="L6",
        text="7x7 depthwise, 64 channels, 14x14",
        size=14,
        channels=64,
        outputs=64,
        patch=4,
        kernel=7,
        depthwise=True,
    ),
)


def image(layer, counts):
    """Pixels that hold counts.

    Parameters
    ----------
    layer : FixedLayer
    counts : int array, shape (channels, size, size)

    Returns
    -------
    uint8 array, shape (height, width, pixel channels)
    """
    patches = counts.reshape(-1, layer.patch, layer.patch, layer.size, layer.size)
    side = layer.size * layer.patch
    return patches.transpose(3, 1, 4, 2, 0).reshape(side, side, -1).astype(np.uint8)


def synthetic(layer, seed=0):
    """Potentials in units of a spike that channels and neighbouring positions share in part.

    Returns
    -------
    float array, shape (channels, size, size)
    """
    rng = np.random.default_rng(seed)
    size = layer.size
    coarse = rng.normal(size=(-(-size // 4),) * 2)
    shared = np.kron(coarse, np.ones((4, 4)))[:size, :size]
    channel = rng.normal(size=(layer.channels, 1, 1))
    return channel + 0.7 * shared + rng.normal(size=(layer.channels, size, size))


def recorded(layer, model, images):
    """Potentials of a trained network, in units of a spike, laid out for a layer.

    Maps of its largest convolution block are taken channel after channel from one image after the
    other, and pieced together where the layer's map is larger.

    Parameters
    ----------
    layer : FixedLayer
    model : IntegerModel
    images : uint8 array, shape (images, height, width, channels)

    Returns
    -------
    float array, shape (channels, size, size)
    """
    tensors = run(model, images, trace=True).tensors
    firing = [one for one in model.layers if one.KIND == "conv" and one.epilogue.KIND == "fire"]
    largest = max(tensors[f"{one.name}.counts"].shape[2] for one in firing)
    maps = []
    for one in firing:
        if tensors[f"{one.name}.counts"].shape[2] == largest:
            *_, sums = one.potentials(tensors, max_count=model.max_count)
            ladder = one.epilogue.neuron.thresholds
            step = np.maximum((ladder[:, -1] - ladder[:, 0]) / (model.max_count - 1), 1)
            across = (1, -1, 1, 1)
            maps.append((sums - ladder[:, 0].reshape(across)) / step.reshape(across))
    potentials = np.concatenate(maps, axis=1)
    pieces = -(-layer.size // largest)
    groups = -(-layer.channels // potentials.shape[1])
    needed = groups * pieces**2
    if needed > len(potentials):
        raise ValueError(
            f"Images must be at least {needed} for layer {layer.name}, not {len(potentials)}"
        )
    tiled = potentials[:needed].reshape(groups, pieces, pieces, *potentials.shape[1:])
    tiled = tiled.transpose(0, 3, 1, 4, 2, 5).reshape(-1, pieces * largest, pieces * largest)
    return tiled[: layer.channels, : layer.size, : layer.size]


def counts_of(potentials, mean):
    """Counts of 0 to D that follow from potentials, moved until their mean is as wanted."""
    low, high = -potentials.max(), MAX_COUNT + 1 - potentials.min()
    for _ in range(60):
        middle = (low + high) / 2
        counts = np.clip(np.floor(potentials + middle), 0, MAX_COUNT)
        low, high = (middle, high) if counts.mean() < mean else (low, middle)
    return counts.astype(np.int64)

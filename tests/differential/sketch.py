"""A graph that grows at random, layer by layer, and is run on its images while it does."""

from dataclasses import dataclass, replace

import numpy as np

from golden import (
    PIXELS,
    AnalogHead,
    Conv,
    Fire,
    KeyValue,
    Neuron,
    Output,
    Query,
    Rounding,
    Sum,
    Write,
    stream_thresholds,
)
from golden.ops.conv import conv_interval

from .values import LIMIT, largest_shift, random_bias, random_thresholds, random_weights


__all__ = ["Sketch", "geometries"]


#: Most positions of a map, and most values that a map holds.
POSITIONS, VALUES = 36, 400

#: Sizes of kernels, and strides; after the last, beyond all maps, there is no second position.
KERNELS, STRIDES = (1, 2, 3, 4, 5, 7, 9), (1, 2, 3, 4, 6, 8, 2**64)


@dataclass(frozen=True)
class _Stream:
    """Range of a stream version by channel, and fraction bits of all its versions."""

    low: np.ndarray
    high: np.ndarray
    fraction_bits: int


def geometries(size, fits):
    """Kernels, strides and paddings for a map whose output sizes pass a test."""
    found = []
    for kernel in KERNELS:
        for stride in STRIDES:
            for padding in range(kernel):
                out = [(n + 2 * padding - kernel) // stride + 1 for n in size]
                if min(out) >= 1 and fits(tuple(out)):
                    found.append((kernel, stride, padding))
    return found


class Sketch:
    """Layers so far, and every tensor that they make of some images.

    Parameters
    ----------
    rng : numpy.random.Generator
    images : uint8 array, shape (images, height, width, channels)
    max_count, pixel_constant : int
    logit_bits : int
        Most bits of a logit.
    most_channels : int
    """

    def __init__(self, rng, images, *, max_count, pixel_constant, logit_bits, most_channels):
        self.rng = rng
        self.max_count = max_count
        self.logit_bits = logit_bits
        self.most_channels = most_channels
        if pixel_constant:
            images = np.concatenate([images, np.full_like(images[..., :1], pixel_constant)], 3)
        self.tensors = {PIXELS: images.transpose(0, 3, 1, 2).astype(np.int64)}
        self.layers, self.streams, self.tokens = [], {}, {}
        self.read = set()
        # A network of one width, or of many.
        self.bits = [int(bits) for bits in rng.integers(2, 9, rng.integers(1, 4))]

    def pick(self, names):
        """One of some tensors: the later and those that nobody has read yet more often."""
        weight = [(1 if name in self.read else 8) * (1 + index) for index, name in enumerate(names)]
        return names[self.rng.choice(len(names), p=np.array(weight) / sum(weight))]

    def counts(self, fits=None):
        """Names of count maps whose (channels, height, width) pass a test."""
        return [name for name, values in self.tensors.items() if name.endswith(".counts")
                and (fits is None or fits(values.shape[1:]))]

    def loose(self):
        """Names of the count maps of layers of which nobody has read anything."""
        return [name for name in self.counts() if name not in self.read
                and name.removesuffix("counts") + "stream" not in self.read]

    def inputs(self):
        """Names of all that a convolution may read."""
        return [PIXELS, *self.counts()]

    def size(self, name):
        """Height and width of a map."""
        return self.tensors[name].shape[2:]

    def chance(self, probability):
        return self.rng.random() < probability

    def geometry(self, size):
        """A kernel, stride and padding, of a style that is drawn first."""
        found = geometries(size, lambda out: out[0] * out[1] <= POSITIONS)
        styles = {
            "pointwise": lambda kernel, stride, padding: (kernel, stride, padding) == (1, 1, 0),
            "same": lambda kernel, stride, padding: stride == 1 and kernel == 2 * padding + 1,
            "down": lambda kernel, stride, padding: 1 < stride <= kernel,
            "large": lambda kernel, stride, padding: kernel > min(size),
            "jump": lambda kernel, stride, padding: stride > kernel,
            "any": lambda kernel, stride, padding: True,
        }
        style = self.rng.choice(list(styles), p=[0.3, 0.25, 0.1, 0.1, 0.1, 0.15])
        return self.one_of([entry for entry in found if styles[style](*entry)] or found)

    def one_of(self, values):
        return values[self.rng.integers(len(values))]

    def channels(self, positions):
        """A number of channels that keeps a map small, odd more often than not."""
        most = max(1, min(self.most_channels, VALUES // positions))
        return min(int(self.rng.choice([1, 2, 3, 4, 5, 6, 7, 9, 11, 13, 17, 23, 37])), most)

    def conv(self, source, channels, geometry, *, depthwise=False, name=None):
        """A convolution without its epilogue."""
        kernel, stride, padding = geometry
        bits = self.one_of(self.bits)
        fan_in = self.tensors[source].shape[1]
        groups = fan_in if depthwise else 1
        weight = random_weights(self.rng, (channels, fan_in // groups, kernel, kernel), bits)
        return Conv.square(name or f"layer{len(self.layers)}", source, weight, bits, stride,
                           padding, groups, None)

    def potentials(self, layer):
        *_, potentials = layer.potentials(self.tensors, max_count=self.max_count)
        return potentials

    def append(self, layer):
        """Adds a layer and runs it; the name of the counts or of the memory that it makes."""
        self.layers.append(layer)
        made = layer.store(self.potentials(layer), self.tensors)
        self.tensors |= made
        self.read |= set(layer.reads)
        return next(name for name in made if not name.endswith(".stream"))

    def rounding(self):
        return self.one_of(list(Rounding))

    def fire(self, layer):
        """Adds a convolution that fires."""
        ends = conv_interval(layer, self.max_count)
        thresholds = random_thresholds(self.rng, self.potentials(layer), *ends, self.max_count)
        return self.append(replace(layer, epilogue=Fire(Neuron(thresholds, self.rounding()))))

    def write(self, layer, previous=None):
        """Adds a convolution that writes a stream, or None where its values would be too large."""
        ends, potentials = conv_interval(layer, self.max_count), self.potentials(layer)
        before = self.streams.get(previous)
        used = 0 if before is None else max(-before.low.min(), before.high.max())
        largest = largest_shift(*ends, (LIMIT - 1 - int(used)) // 4)
        if largest < 0:
            return None
        shift = largest if self.chance(0.1) else int(self.rng.integers(0, min(largest, 4) + 1))
        values = potentials << shift
        if before is not None:
            values = values + self.tensors[previous]
        bits = self.fraction_bits(values) if before is None else before.fraction_bits
        bias = random_bias(self.rng, values, 2**bits)
        low, high = ((end << shift) + bias for end in ends)
        if before is not None:
            low, high = low + before.low, high + before.high
        if low.min() <= -LIMIT or high.max() >= LIMIT:
            return None
        rounding = self.rounding()
        ladder = stream_thresholds(bits, self.max_count, rounding)
        counts = self.append(replace(
            layer, epilogue=Write(previous, shift, bias, bits, Neuron(ladder, rounding))))
        self.streams[f"{layer.name}.stream"] = _Stream(low, high, bits)
        return counts

    def fraction_bits(self, values):
        """Fraction bits for which some values lie about the thresholds, or any others."""
        if self.chance(0.1):
            return int(self.rng.integers(1, 33))
        spread = max(1.0, float(values.std())) * 2 / self.max_count
        return int(np.clip(round(np.log2(spread)), 1, 32))

    def key_value(self, keys, values, heads):
        """Adds the first pass of attention."""
        memory = self.append(KeyValue(f"layer{len(self.layers)}.kv", keys, values, heads))
        self.tokens[memory] = int(np.prod(self.size(keys)))
        return memory

    def query(self, queries, memory):
        """Adds the second pass over a memory."""
        _, heads, dk, dv = self.tensors[memory].shape
        layer = Query(f"layer{len(self.layers)}", queries, memory, heads, None)
        high = np.full(heads * dv, dk * self.max_count**3 * self.tokens[memory])
        thresholds = random_thresholds(self.rng, self.potentials(layer), np.zeros_like(high), high,
                                       self.max_count)
        return self.append(replace(layer, epilogue=Fire(Neuron(thresholds, self.rounding()))))

    def token_sum(self, source):
        """Adds the sum of a stream over its positions, or None where it would be too large."""
        stream, tokens = self.streams[source], int(np.prod(self.size(source)))
        if tokens * max(-stream.low.min(), stream.high.max()) >= LIMIT:
            return None
        rounding = self.rounding()
        ladder = stream_thresholds(stream.fraction_bits, self.max_count, rounding, tokens)
        return self.append(Sum(f"layer{len(self.layers)}", source,
                               Fire(Neuron(ladder, rounding))))

    def logits(self, layer, ends=None):
        """Adds the head; None where its logits would be too large."""
        ends = ends or conv_interval(layer, self.max_count)
        largest = largest_shift(*ends, (2 ** (self.logit_bits - 1) - 1) // 2)
        if largest < 0:
            return None
        shift = largest if self.chance(0.2) else int(self.rng.integers(0, min(largest, 3) + 1))
        room = 2 ** int(self.rng.integers(1, min(self.logit_bits, 20) - 2))
        bias = self.rng.integers(-room, room + 1, len(ends[0]))
        return self.append(replace(layer, epilogue=Output(bias, float(2.0**-shift), shift)))

    def analog_head(self, source, classes):
        """Adds a head on the sums of a stream, or None where its values would be too large."""
        bits = self.one_of(self.bits)
        channels, *size = self.tensors[source].shape[1:]
        weight = random_weights(self.rng, (classes, channels), bits)
        stream = self.streams[source]
        largest = int(np.prod(size)) * channels * 2**bits * int(
            max(-stream.low.min(), stream.high.max()))
        layer = AnalogHead("head", source, weight, bits, None)
        return self.logits(layer, (np.full(classes, -largest, object),
                                   np.full(classes, largest, object)))

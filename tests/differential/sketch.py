"""A graph that grows at random, layer by layer, and is run on its images while it does."""

from dataclasses import replace

import numpy as np

from golden import PIXELS, Conv, Fire, ModelError, Output, Write
from golden.model.ranges import Facts
from golden.ops.heads import tokens_of
from golden.tensor_info import TensorInfo

from .geometry import odd_pair, squares
from .neurons import random_neuron
from .values import LIMIT, largest_shift, random_bias, random_weights


__all__ = ["POSITIONS", "Sketch"]


#: Most positions of a map, and most values that a map holds in a step.
POSITIONS, VALUES = 36, 400


class Sketch:
    """Layers so far, and every tensor that they make of some images.

    Parameters
    ----------
    rng : numpy.random.Generator
    pixels : int64 array, shape (samples, steps, channels, height, width)
        With the constant channel.
    scope : Scope
    features : frozenset of str
    max_count : int
        D of all neurons, unless each has its own.

    Attributes
    ----------
    facts : Facts
        Infos and ranges of what there is.
    states : dict of str to tuple
        Shape, order and sticky bit of each state, by its name.
    """

    def __init__(self, rng, pixels, *, scope, features, max_count):
        self.rng, self.scope, self.features = rng, scope, features
        self.max_count = max_count
        _, steps, channels, *size = pixels.shape
        self.tensors = {PIXELS: pixels}
        self.facts = Facts({PIXELS: TensorInfo("pixels", channels, tuple(size), steps, 255)})
        self.layers, self.states, self.read = [], {}, set()
        # A network of one width, or of many.
        most = 17 if "wide weights" in features else 9
        self.bits = [int(bits) for bits in rng.integers(2, most, rng.integers(1, 4))]
        # Ladders of hundreds of thresholds take long, so few networks have them.
        self.wide_counts = "levels" in features and self.chance(0.2)

    def pick(self, names):
        """One of some tensors: the later and those that nobody has read yet more often."""
        weight = [(1 if name in self.read else 8) * (1 + index) for index, name in enumerate(names)]
        return names[self.rng.choice(len(names), p=np.array(weight) / sum(weight))]

    def counts(self, fits=None):
        """Names of count maps whose info passes a test."""
        return [
            name
            for name, info in self.facts.known.items()
            if info.kind == "counts" and (fits is None or fits(info))
        ]

    @property
    def streams(self):
        """Names of all streams."""
        return [name for name, info in self.facts.known.items() if info.kind == "stream"]

    def loose(self):
        """Names of the count maps of layers of which nobody has read anything."""
        return [
            name
            for name in self.counts()
            if name not in self.read and name.removesuffix("counts") + "stream" not in self.read
        ]

    def inputs(self):
        """Names of all that a convolution may read."""
        return [PIXELS, *self.counts()]

    def info(self, name):
        return self.facts.known[name]

    def chance(self, probability):
        return self.rng.random() < probability

    def has(self, feature, probability):
        """Whether the model has a feature, and makes use of it this time."""
        return feature in self.features and self.chance(probability)

    def one_of(self, values):
        return values[self.rng.integers(len(values))]

    def next_name(self):
        """Name of the layer that comes next."""
        return f"layer{len(self.layers)}"

    def axes(self, size):
        """Axes for a map of a size, of a style that is drawn first."""
        if self.has("axes", 0.5):
            return odd_pair(self.rng, size, POSITIONS)
        found = squares(size, lambda out: out[0] * out[1] <= POSITIONS)
        styles = {
            "pointwise": lambda axis: (axis.kernel, axis.stride, axis.before) == (1, 1, 0),
            "same": lambda axis: axis.stride == 1 and axis.kernel == 2 * axis.before + 1,
            "down": lambda axis: 1 < axis.stride <= axis.kernel,
            "large": lambda axis: axis.kernel > min(size),
            "jump": lambda axis: axis.stride > axis.kernel,
            "any": lambda axis: True,
        }
        style = self.rng.choice(list(styles), p=[0.3, 0.25, 0.1, 0.1, 0.1, 0.15])
        return self.one_of([pair for pair in found if styles[style](pair[0])] or found)

    def channels(self, positions):
        """A number of channels that keeps a map small, odd more often than not."""
        most = max(1, min(self.scope.channels, VALUES // positions))
        return min(int(self.rng.choice([1, 2, 3, 4, 5, 6, 7, 9, 11, 13, 17, 23, 37])), most)

    def conv(self, sources, channels, axes, *, groups=1, name=None):
        """A convolution without its epilogue; its weights are sometimes those of another."""
        fan_in = sum(self.info(source).channels for source in sources)
        kernel = [axis.kernel for axis in axes]
        shape = (channels, fan_in // groups, *kernel)
        alike = [
            layer
            for layer in self.layers
            if isinstance(layer, Conv) and layer.weight.shape == shape
        ]
        if alike and self.chance(0.3):
            layer = self.one_of(alike)
            weight, bits = layer.weight, layer.weight_bits
        else:
            bits = self.one_of(self.bits)
            weight = random_weights(self.rng, shape, bits)
        summed = self.info(sources[0]).steps > 1 and self.chance(0.15)
        return Conv(
            name or self.next_name(),
            tuple(sources),
            weight,
            bits,
            axes,
            groups,
            None,
            "sum" if summed else "each",
        )

    def potentials(self, layer):
        *_, potentials = layer.potentials(self.tensors, max_count=1)
        return potentials

    def map_of(self, layer):
        """Info of the map that weights make, whatever is behind them."""
        epilogue = Output(np.zeros(len(layer.weight), np.int64), 1.0, name="?")
        (info,) = replace(layer, epilogue=epilogue).outputs(self.facts.known).values()
        return info

    def append(self, layer):
        """Adds a layer and runs it.

        Returns
        -------
        str or None
            Name of its counts, or of what it makes else; None if values would be too large.
        """
        known = self.facts.known
        made = layer.outputs(known)
        known |= made
        try:
            layer.record(*layer.interval(self.facts), self.facts)
        except ModelError as error:
            if "values must fit 48 bits" not in str(error):
                raise
            for name in made:
                del known[name]
            return None
        self.tensors |= layer.store(self.potentials(layer), self.tensors)
        self.layers.append(layer)
        self.read |= set(layer.reads)
        return next(
            (name for name in made if not name.endswith((".stream", ".state"))), next(iter(made))
        )

    def fire(self, layer, info, stream=None):
        """Adds a layer that fires; ``stream`` is as for `random_neuron`."""
        values, ends = self.potentials(layer), tuple(layer.interval(self.facts))
        shift, bias = 0, None
        if self.has("epilogues", 0.4):
            shift = int(self.rng.integers(0, 4))
            bias = self.rng.integers(-9, 10, info.channels) << int(self.rng.integers(0, 8))
            values, ends = _moved(values, ends, shift, bias)
            bias = bias if bias.any() else None
        if max(abs(int(end)) for side in ends for end in side) >= LIMIT:
            return None
        neuron = random_neuron(self, layer, info, values, ends, stream)
        return self.append(replace(layer, epilogue=Fire(neuron, shift, bias)))

    def write(self, layer, info, previous=None):
        """Adds a layer that writes a stream, or None where its values would be too large."""
        ends, potentials = tuple(layer.interval(self.facts)), self.potentials(layer)
        before, used = None, 0
        if previous is not None:
            before = self.facts.ranges.stream[previous.removesuffix(".stream")]
            used = max(-before[0].min(), before[1].max())
        largest = largest_shift(*ends, (LIMIT - 1 - int(used)) // 4)
        if largest < 0:
            return None
        shift = largest if self.chance(0.1) else int(self.rng.integers(0, min(largest, 4) + 1))
        values, combine = potentials << shift, "add"
        if previous is not None:
            combine = "max" if self.has("epilogues", 0.4) else "add"
            values = values + self.tensors[previous]
        bits = self.fraction_bits(values) if previous is None else self.info(previous).fraction_bits
        bias = random_bias(self.rng, values, 2**bits)
        values, ends = _moved(potentials, ends, shift, bias)
        if previous is not None:
            merge = np.add if combine == "add" else np.maximum
            values = merge(values, self.tensors[previous])
            ends = [merge(end, side) for end, side in zip(ends, before, strict=True)]
        if max(abs(int(end)) for side in ends for end in side) >= LIMIT:
            return None
        neuron = None
        if not self.has("epilogues", 0.2):
            neuron = random_neuron(self, layer, info, values, ends, (bits, 1))
        return self.append(
            replace(layer, epilogue=Write(previous, shift, bias, bits, neuron, combine))
        )

    def fraction_bits(self, values):
        """Fraction bits for which some values lie about the thresholds, or any others."""
        if self.chance(0.1):
            return int(self.rng.integers(1, 33))
        spread = max(1.0, float(values.std())) * 2 / self.max_count
        return int(np.clip(round(np.log2(spread)), 1, 32))

    def summed(self, layer):
        """Info of the sums of a stream, and what their thresholds follow from."""
        source = self.info(layer.source)
        size = source.size if layer.over == "time" else (1, 1)
        steps = source.steps if layer.over == "space" else 1
        return (
            TensorInfo("counts", source.channels, size, steps),
            (source.fraction_bits, tokens_of(source, layer.over)),
        )

    def output(self, layer, name):
        """Adds a layer that leaves the network; None where its values would be too large."""
        ends = tuple(layer.interval(self.facts))
        largest = largest_shift(*ends, (2 ** (self.scope.logit_bits - 1) - 1) // 2)
        if largest < 0:
            return None
        shift = largest if self.chance(0.2) else int(self.rng.integers(0, min(largest, 3) + 1))
        room = 2 ** int(self.rng.integers(1, min(self.scope.logit_bits, 20) - 2))
        bias = self.rng.integers(-room, room + 1, len(ends[0]))
        return self.append(replace(layer, epilogue=Output(bias, float(2.0**-shift), shift, name)))


def _moved(values, ends, shift, bias):
    """Values and their ranges behind a shift and a bias."""
    ends = [
        np.array([
            (int(end) << shift) + int(offset) for end, offset in zip(side, bias, strict=True)
        ])
        for side in ends
    ]
    return (values << shift) + bias[:, None, None], ends

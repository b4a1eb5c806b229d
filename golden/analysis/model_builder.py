"""Builds a random model layer by layer, with thresholds that fire plausibly."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from golden.interval import saturate
from golden.ladders import Rounding, attention_thresholds, stream_thresholds
from golden.model.integer_model import Input, IntegerModel
from golden.model.ranges import widths
from golden.model.rules import validate
from golden.names import PIXELS
from golden.neuron import Neuron
from golden.ops import Conv, Fire, KeyValue, Operator, Output, Query, Sum, Write
from golden.ops.conv import conv_interval


__all__ = ["ModelBuilder"]


class ModelBuilder:
    """Appends layers and runs each one on the calibration images right away.

    Parameters
    ----------
    seed : int
        Of weights and biases.
    images : uint8 array, shape (images, height, width, channels)
        To choose thresholds on.
    max_count, weight_bits, rounding, pixel_constant
        As in `golden.model.integer_model`.
    mean_count : float
        Aim for the mean count of a branch.
    """

    def __init__(
        self,
        seed: int,
        images: NDArray[np.uint8],
        *,
        max_count: int,
        weight_bits: int,
        rounding: Rounding,
        pixel_constant: int = 0,
        mean_count: float,
    ) -> None:
        self.rng = np.random.default_rng(seed)
        self.mean_count = mean_count
        self.max_count = max_count
        self.weight_bits = weight_bits
        self.rounding = rounding
        self.pixel_constant = pixel_constant
        self.image_shape = images.shape[1:]
        self.layers = []
        if pixel_constant:
            images = np.concatenate([images, np.full_like(images[..., :1], pixel_constant)], 3)
        self.tensors = {PIXELS: images.transpose(0, 3, 1, 2).astype(np.int64)}
        self.fraction_bits = None

    def model(self, name: str, classes: int) -> IntegerModel:
        """The valid model of all layers, with widths; the last one is its head."""
        taken = Input(tuple(self.image_shape), constant=self.pixel_constant)
        model = IntegerModel(name, taken, tuple(self.layers))
        validate(model)
        return replace(model, widths=widths(model))

    def down(
        self,
        name: str,
        channels: int,
        stride: int,
        last: str | None = None,
        *,
        source: str | None = None,
        kernel: int = 3,
    ) -> str:
        self.fraction_bits = None
        return self.write(name, source or f"{last}.counts", channels, None, kernel, stride)

    def conv_block(self, name: str, last: str) -> str:
        channels = self.channels(f"{last}.counts")
        last = self.separable(f"{name}.Conv", last, 7)
        self.fire(f"{name}.conv1", f"{last}.counts", 4 * channels, kernel=3)
        return self.write(name, f"{name}.conv1.counts", channels, f"{last}.stream", 3)

    def transformer_block(self, name: str, last: str, heads: int) -> str:
        last = self.separable(f"{name}.conv", last, 3)
        last = self.attention(f"{name}.attn", last, heads)
        channels = self.channels(f"{last}.counts")
        self.fire(f"{name}.mlp.fc1", f"{last}.counts", 4 * channels)
        return self.write(name, f"{name}.mlp.fc1.counts", channels, f"{last}.stream")

    def separable(self, name: str, last: str, kernel: int) -> str:
        channels = self.channels(f"{last}.counts")
        self.fire(f"{name}.pwconv1", f"{last}.counts", 2 * channels)
        self.fire(
            f"{name}.dwconv", f"{name}.pwconv1.counts", 2 * channels, kernel=kernel, depthwise=True
        )
        return self.write(name, f"{name}.dwconv.counts", channels, f"{last}.stream")

    def attention(self, name: str, last: str, heads: int, values: int = 4) -> str:
        """Queries, keys, ``values`` times as many values, both passes, and the projection."""
        _, channels, *size = self.tensors[f"{last}.counts"].shape
        dk, tokens = channels // heads, size[0] * size[1]
        # With this mean count the potentials of attention lie in the middle of its thresholds.
        mean = (0.6 * self.max_count**3 * dk**0.5 / (dk * tokens)) ** (1 / 3)
        for branch, width in (("q", channels), ("k", channels), ("v", values * channels)):
            self.fire(f"{name}.{branch}", f"{last}.counts", width, mean=mean)
        self.append(KeyValue(f"{name}.kv", f"{name}.k.counts", f"{name}.v.counts", heads))
        thresholds = attention_thresholds(dk, self.max_count, self.rounding, tokens)
        self.append(
            Query(
                f"{name}.attn",
                f"{name}.q.counts",
                f"{name}.kv",
                heads,
                Fire(Neuron(thresholds, self.rounding)),
            )
        )
        return self.write(name, f"{name}.attn.counts", channels, f"{last}.stream")

    def head(self, last: str, classes: int, shift: int) -> None:
        _, _, height, width = self.tensors[f"{last}.stream"].shape
        ladder = stream_thresholds(
            self.fraction_bits, self.max_count, self.rounding, height * width
        )
        self.append(Sum("head.sum", f"{last}.stream", Fire(Neuron(ladder, self.rounding))))
        layer = self.conv("head", "head.sum.counts", classes)
        bias = self.rng.integers(-20, 21, classes)
        self.append(replace(layer, epilogue=Output(bias, 2.0**-6, shift)))

    def fire(
        self,
        name: str,
        source: str,
        channels: int,
        *,
        kernel: int = 1,
        depthwise: bool = False,
        mean: float | None = None,
    ) -> None:
        layer = self.conv(name, source, channels, kernel, depthwise=depthwise)
        samples = np.moveaxis(self.potentials(layer), 1, 0).reshape(channels, -1)
        mean = self.mean_count if mean is None else mean
        share = min(0.9, 2 * mean / (self.max_count + 1))
        quantiles = 1 - share * np.arange(self.max_count, 0, -1) / self.max_count
        # One more than the quantile, lest a channel that is mostly silent fires on every zero.
        thresholds = np.floor(np.quantile(samples, quantiles, axis=1)).T.astype(np.int64)
        thresholds = np.sort(thresholds + self.rng.integers(1, 3, thresholds.shape), axis=1)
        thresholds = saturate(thresholds, *conv_interval(layer, self.max_count))
        self.append(replace(layer, epilogue=Fire(Neuron(thresholds, self.rounding))))

    def write(
        self,
        name: str,
        source: str,
        channels: int,
        previous: str | None,
        kernel: int = 1,
        stride: int = 1,
    ) -> str:
        layer = self.conv(name, source, channels, kernel, stride)
        potentials = self.potentials(layer)
        spread = max(1.0, float(potentials.std()))
        if previous is None:
            shift = int(self.rng.integers(0, 3))
            unit = spread * 2**shift * 3 / self.max_count
            self.fraction_bits = max(1, round(np.log2(unit)))
        else:
            aim = 2**self.fraction_bits * self.max_count / 5
            shift = max(0, round(np.log2(aim / spread)))
            if aim < spread:
                # Fewer synapses, since neither shift nor weights can make a branch weaker.
                kept = self.rng.random(layer.weight.shape) < max(0.05, (aim / spread) ** 2)
                layer = replace(layer, weight=layer.weight * kept.astype(np.int8))
                potentials = self.potentials(layer)
        stream = potentials << shift
        if previous is not None:
            stream = stream + self.tensors[previous]
        aim = self.rng.uniform(-0.23, 1.36, channels) * self.mean_count * 2**self.fraction_bits
        bias = np.floor(aim - stream.mean(axis=(0, 2, 3))).astype(np.int64)
        ladder = stream_thresholds(self.fraction_bits, self.max_count, self.rounding)
        self.append(
            replace(
                layer,
                epilogue=Write(
                    previous, shift, bias, self.fraction_bits, Neuron(ladder, self.rounding)
                ),
            )
        )
        return name

    def conv(
        self,
        name: str,
        source: str,
        channels: int,
        kernel: int = 1,
        stride: int = 1,
        *,
        depthwise: bool = False,
    ) -> Conv:
        """A layer that still lacks its epilogue."""
        fan_in = 1 if depthwise else self.channels(source)
        limit = 2 ** (self.weight_bits - 1) - 1
        weight = self.rng.integers(-limit, limit + 1, (channels, fan_in, kernel, kernel))
        return Conv.square(
            name,
            source,
            weight.astype(np.int8),
            self.weight_bits,
            stride,
            kernel // 2,
            channels if depthwise else 1,
            epilogue=None,
        )

    def channels(self, name: str) -> int:
        return self.tensors[name].shape[1]

    def potentials(self, layer: Operator) -> NDArray[np.int64]:
        *_, potentials = layer.potentials(self.tensors, max_count=self.max_count)
        return potentials

    def append(self, layer: Operator) -> None:
        self.layers.append(layer)
        self.tensors |= layer.store(self.potentials(layer), self.tensors)

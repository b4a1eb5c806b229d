"""Folding a quantised network into integers: thresholds in exact rationals, layers in order."""

from dataclasses import replace
from fractions import Fraction
from math import ceil

import numpy as np

from golden.axis import Axis
from golden.ladders import Rounding, attention_thresholds, stream_thresholds
from golden.model.integer_model import Input, IntegerModel
from golden.names import PIXELS
from golden.neuron import Neuron
from golden.ops import AnalogHead, Conv, Fire, KeyValue, Output, Query, Sum, Write
from golden.ops.conv import conv_interval
from train.network.arithmetic import PIXEL_DIVISOR, Stream
from train.quant.folded import fold_fire, fold_logits, fold_write
from train.quant.grids import weight_limit


__all__ = ["ExportError", "fold_thresholds", "integer_model"]


class ExportError(ValueError):
    """The integer model would not be, or is not, what the quantised network computes."""


def integer_model(quantised, *, name, notes=None, takes=None):
    """Fold a quantised network into integers.

    Parameters
    ----------
    quantised : QuantisedNetwork
    name : str
    notes : dict, optional
        Where the model comes from, as JSON values.
    takes : ModelInput, optional
        How pictures come to it, and its classes.

    Returns
    -------
    IntegerModel
        Without mean counts.

    Raises
    ------
    ExportError
        If a parameter is not finite; the sentence names the layer.
    """
    folder = _Folder(quantised)
    quantised.network(None, folder)
    shape = quantised.shape
    model = IntegerModel(
        name=name,
        input=Input(tuple(shape.image), constant=shape.pixel_constant),
        layers=tuple(folder.layers),
        notes=notes or {},
    )
    return model if takes is None else takes.onto(model)


def fold_thresholds(slope, offset, *, max_count, rounding, low, high):
    """Least integer potentials that fire the 1st, 2nd, ... spike of one neuron.

    Spike j fires where ``slope * I + offset >= j - 1/2``; under half-to-even an odd spike needs
    more than that. The arithmetic is rational, so no threshold depends on a rounding error.

    Parameters
    ----------
    slope : float
        At least 0: the weights of a neuron whose slope is negative are negated first.
    offset : float
    max_count : int
        ``D``.
    rounding : Rounding
    low, high : int
        Interval of the potential ``I``.

    Returns
    -------
    int64 array, shape (D,)
        Never decreasing; ``low`` where a spike always fires, ``high + 1`` where it never does.

    Raises
    ------
    ValueError
        If ``slope`` is negative, or one of ``slope`` and ``offset`` is not finite.

    References
    ----------
    Umuroglu and Jahre, arXiv:1709.04060 (folding scale and bias into thresholds).

    Examples
    --------
    >>> fold_thresholds(0.25, 0.0, max_count=4, rounding=Rounding.HALF_UP, low=-9, high=9)
    array([ 2,  6, 10, 10])
    >>> fold_thresholds(0.25, 0.0, max_count=4, rounding=Rounding.HALF_EVEN, low=-9, high=9)
    array([ 3,  6, 10, 10])
    """
    if not (np.isfinite(slope) and np.isfinite(offset)):
        raise ValueError(f"slope and offset must be finite, not {slope} and {offset}")
    if slope < 0:
        raise ValueError(f"slope must be at least 0, not {slope}")
    slope, offset = Fraction(slope), Fraction(offset)
    return np.array(
        [
            min(max(_threshold(slope, offset, spike, rounding, low, high), low), high + 1)
            for spike in range(1, max_count + 1)
        ],
        dtype=np.int64,
    )


def _threshold(slope, offset, spike, rounding, low, high):
    """Threshold of one spike before it is limited to the potential's interval."""
    strict = rounding is Rounding.HALF_EVEN and spike % 2 == 1
    distance = Fraction(2 * spike - 1, 2) - offset
    if slope == 0:
        fires = distance < 0 if strict else distance <= 0
        return low if fires else high + 1
    tie = distance / slope
    least = ceil(tie)
    return least + 1 if strict and least == tie else least


class _Folder:
    """Arithmetic whose tensors are names; it appends one integer layer per step."""

    def __init__(self, quantised):
        self.layers = []
        self._grids = quantised.grids
        self._bits = quantised.weight_bits
        self._limit = weight_limit(quantised.weight_bits)
        self._shape = quantised.shape
        self._rounding = quantised.shape.rounding
        self._maps = {PIXELS: quantised.shape.image[:2]}
        self._channels = {}

    def pixels(self, images):
        return PIXELS

    def fire(self, name, conv, norm, spikes):
        folded = fold_fire(
            conv,
            norm,
            scales=self._grids.scales[name].double(),
            limit=self._limit,
            divisor=self._shape.divisor,
        )
        weight, slope = _whole(folded.weight), _numbers(folded.slope)
        # A negative slope would turn the comparison round; negating the row keeps one kind.
        sign = np.where(slope < 0, -1, 1)
        weight = weight * sign.reshape(-1, *[1] * (weight.ndim - 1))
        layer = self._conv(name, conv, spikes, weight)
        thresholds = self._thresholds(layer, slope * sign, _numbers(folded.offset))
        return self._append(layer, Fire(Neuron(thresholds, self._rounding)))

    def stem(self, name, conv, norm, pixels):
        return self._written(name, conv, norm, pixels, divisor=PIXEL_DIVISOR, previous=None)

    def write(self, name, conv, norm, spikes, *, previous):
        return self._written(
            name, conv, norm, spikes, divisor=self._shape.divisor, previous=previous
        )

    def attention(self, name, queries, keys, values, *, heads):
        height, width = self._maps[queries]
        dk = self._channels[queries] // heads
        thresholds = attention_thresholds(
            dk,
            self._shape.max_count,
            self._rounding,
            height * width,
            divisor=self._shape.divisor,
            scale=self._shape.attention_scale(dk),
        )
        epilogue = Fire(Neuron(thresholds, self._rounding))
        self.layers.append(KeyValue(f"{name}.kv", keys, values, heads))
        self.layers.append(Query(f"{name}.attn", queries, f"{name}.kv", heads, epilogue))
        self._maps[f"{name}.attn.counts"] = height, width
        return f"{name}.attn.counts"

    def token_mean(self, name, stream):
        height, width = self._maps[stream.spikes]
        bits = self._grids.fraction_bits[stream.name]
        thresholds = stream_thresholds(bits, self._shape.max_count, self._rounding, height * width)
        self.layers.append(Sum(name, stream.value, Fire(Neuron(thresholds, self._rounding))))
        return f"{name}.counts"

    def logits(self, name, linear, spikes):
        scale = float(self._grids.scales[name])
        folded = fold_logits(linear, scale=scale, limit=self._limit, shift=self._grids.logit_shift)
        weight = _whole(folded.weight).astype(np.int8)
        self.layers.append(
            Conv(
                name=name,
                sources=(spikes,),
                weight=weight[:, :, None, None],
                weight_bits=self._bits,
                axes=(Axis(1), Axis(1)),
                groups=1,
                epilogue=Output(_whole(folded.bias), folded.scale, folded.shift),
            )
        )

    def analog_logits(self, name, linear, stream):
        height, width = self._maps[stream.spikes]
        folded = fold_logits(
            linear,
            scale=float(self._grids.scales[name]),
            limit=self._limit,
            units=height * width * 2 ** self._grids.fraction_bits[stream.name],
        )
        self.layers.append(
            AnalogHead(
                name,
                stream.value,
                _whole(folded.weight).astype(np.int8),
                self._bits,
                Output(_whole(folded.bias), folded.scale),
            )
        )

    def _written(self, name, conv, norm, inputs, *, divisor, previous):
        fraction_bits = self._grids.fraction_bits[name]
        folded = fold_write(
            conv,
            norm,
            exponent=self._grids.exponents[name],
            fraction_bits=fraction_bits,
            limit=self._limit,
            divisor=divisor,
        )
        thresholds = stream_thresholds(fraction_bits, self._shape.max_count, self._rounding)
        epilogue = Write(
            previous=None if previous is None else previous.value,
            shift=fraction_bits - folded.exponent,
            bias=_whole(folded.bias),
            fraction_bits=fraction_bits,
            neuron=Neuron(thresholds, self._rounding),
        )
        layer = self._conv(name, conv, inputs, _whole(folded.weight))
        return Stream(name, f"{name}.stream", self._append(layer, epilogue))

    def _thresholds(self, layer, slopes, offsets):
        lows, highs = conv_interval(layer, self._shape.max_count)
        try:
            return np.stack([
                fold_thresholds(
                    float(slope),
                    float(offset),
                    max_count=self._shape.max_count,
                    rounding=self._rounding,
                    low=int(low),
                    high=int(high),
                )
                for slope, offset, low, high in zip(slopes, offsets, lows, highs, strict=True)
            ])
        except ValueError as error:
            raise ExportError(f"{layer.name}: {error}") from error

    def _conv(self, name, conv, source, weight):
        """Layer whose epilogue is still to be found."""
        weight = weight[..., None] if weight.ndim == 3 else weight
        return Conv.square(
            name=name,
            source=source,
            weight=weight.astype(np.int8),
            weight_bits=self._bits,
            stride=conv.stride[0],
            padding=conv.padding[0],
            groups=conv.groups,
            epilogue=None,
        )

    def _append(self, layer, epilogue):
        """Append the layer; returns the name of its counts."""
        self.layers.append(replace(layer, epilogue=epilogue))
        counts = f"{layer.name}.counts"
        self._maps[counts] = tuple(
            axis.length(size)
            for axis, size in zip(layer.axes, self._maps[layer.source], strict=True)
        )
        self._channels[counts] = len(layer.weight)
        return counts


def _numbers(values):
    return values.detach().numpy()


def _whole(values):
    """Whole numbers as int64."""
    return _numbers(values).astype(np.int64)

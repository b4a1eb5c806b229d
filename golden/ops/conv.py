"""Convolution of counts or pixels with integer weights, exact and at the speed of BLAS."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from golden.errors import ModelError
from golden.exact import exact_dtype
from golden.names import PIXELS

from .fire import Fire
from .logits import Logits
from .operator import Operator, look_up, require_epilogue
from .weights import check_weights
from .write import Write


__all__ = ["Conv", "conv_interval", "convolve", "output_size", "tap_cover"]


@dataclass(frozen=True, eq=False)
class Conv(Operator):
    """Convolution of counts (or pixels) with integer weights, zero padded.

    Dense and depthwise, strided or not; a pointwise layer, a projection and the head are its 1x1
    case.

    Parameters
    ----------
    name : str
        ``state_dict`` prefix of the layer, such as ``block3.0.attn.q``.
    source : str
        Tensor that is read: ``pixels`` or a ``*.counts`` tensor.
    weight : int8 array, shape (out_channels, in_channels // groups, kernel, kernel)
        Symmetric: within ``+-(2**(weight_bits - 1) - 1)``.
    weight_bits : int
        2 to 8.
    stride, padding, groups : int
        Padding is the same on all four sides. ``groups`` is 1 or the number of channels
        (depthwise).
    drain : Fire or Write or Logits
    """

    KIND, TENSORS = "conv", ("weight",)
    FIELDS: ClassVar = {"source": str, "weight_bits": int, "stride": int, "padding": int,
                        "groups": int}

    name: str
    source: str
    weight: np.ndarray
    weight_bits: int
    stride: int
    padding: int
    groups: int
    drain: Fire | Write | Logits

    @property
    def depthwise(self):
        """Whether each output channel sees one input channel only."""
        return self.groups > 1

    @property
    def channels(self):
        """Number of output channels."""
        return len(self.weight)

    @property
    def reads(self):
        # A layer that is being built may lack its epilogue.
        return [self.source, *(self.drain.reads if self.drain else ())]

    def outputs(self, known, model):
        channels, height, width = look_up(self, self.source, known, "counts", "pixels")
        shape = self.weight.shape
        if len(shape) != 4 or min(shape) < 1 or shape[2] != shape[3]:
            raise ModelError(f"Layer {self.name}: weights must have shape (out, in, kernel, "
                             f"kernel), not {shape}")
        out_channels, fan_in, kernel, _ = shape
        if self.groups not in (1, channels) or (self.groups > 1 and out_channels != channels):
            raise ModelError(f"Layer {self.name}: groups must be 1, or equal to {channels} input "
                             f"and output channels, not {self.groups}")
        if fan_in * self.groups != channels:
            raise ModelError(f"Layer {self.name}: weights must take {channels} channels of "
                             f"{self.source}, not {fan_in * self.groups}")
        if self.stride < 1 or not 0 <= self.padding < kernel:
            raise ModelError(f"Layer {self.name}: stride must be at least 1 and padding 0 to "
                             f"{kernel - 1}, not {self.stride} and {self.padding}")
        size = [output_size(n, kernel, self.stride, self.padding) for n in (height, width)]
        if min(size) < 1:
            raise ModelError(f"Layer {self.name}: a map of {height}x{width} must not be smaller "
                             f"than the {kernel}x{kernel} kernel")
        require_epilogue(self, Fire, Write, Logits)
        return self.drain.outputs(self, (out_channels, *size), known, model)

    def check_values(self, max_count):
        check_weights(self)
        super().check_values(max_count)

    def linear(self, tensors):
        def convolved(counts):
            return convolve(counts, self.weight, stride=self.stride, padding=self.padding,
                            depthwise=self.depthwise)

        return convolved

    def interval(self, facts):
        return conv_interval(self, facts.model.max_count)

    def events(self, tensors, weigh):
        """A spike is added once for every output position that it reaches."""
        source = tensors[self.source]
        kernel = self.weight.shape[2]
        rows, columns = (tap_cover(size, kernel, self.stride, self.padding)
                         for size in source.shape[2:])
        lanes = 1 if self.depthwise else self.channels
        return weigh(source, self.source).sum(axis=1) @ columns @ rows * lanes

    def products(self, known):
        """Rows are output positions, row-major."""
        return self._positions(known), self.channels, self.weight[0].size

    def operands(self, tensors, row):
        source, kernel = tensors[self.source][0], self.weight.shape[2]
        padded = np.pad(source, ((0, 0), *[(self.padding, self.padding)] * 2))
        width = (padded.shape[2] - kernel) // self.stride + 1
        top, left = (number * self.stride for number in divmod(row, width))
        window = padded[:, top:top + kernel, left:left + kernel].reshape(len(source), -1)
        weights = self.weight.reshape(self.channels, -1).astype(np.int64)
        if self.depthwise:
            return window, weights
        return np.broadcast_to(window.reshape(1, -1), weights.shape), weights

    def by_row(self, potentials):
        return potentials[0].reshape(self.channels, -1).T

    def unfolded(self, known):
        return self.weight[0].size * self.groups * self._positions(known)

    def operand_bits(self, model, bits):
        return self.weight_bits

    def _positions(self, known):
        """Number of output positions."""
        kernel = self.weight.shape[2]
        return math.prod(output_size(size, kernel, self.stride, self.padding)
                         for size in known[self.source][1:])


def conv_interval(layer, max_count):
    """Least and largest potential of every channel of a convolution.

    The bounds are attained: every input at its largest where the weight is positive, or where it
    is negative.

    Parameters
    ----------
    layer : Conv
        Its drain is not looked at.
    max_count : int
        D; pixels go to 255.

    Returns
    -------
    low, high : int64 arrays, shape (out_channels,)
    """
    largest = 255 if layer.source == PIXELS else max_count
    weight = layer.weight.reshape(len(layer.weight), -1).astype(np.int64)
    low = largest * np.minimum(weight, 0).sum(axis=1)
    high = largest * np.maximum(weight, 0).sum(axis=1)
    return low, high


def output_size(size, kernel, stride, padding):
    """Number of output positions along one axis."""
    return (size + 2 * padding - kernel) // stride + 1


def tap_cover(size, kernel, stride, padding):
    """Number of output positions that each input position reaches along one axis.

    >>> tap_cover(4, 3, 2, 1).tolist()
    [1, 2, 1, 1]
    """
    positions = np.arange(output_size(size, kernel, stride, padding))[:, np.newaxis]
    # The stride to the next position may be any integer where there is none.
    begins = positions * stride if len(positions) > 1 else positions
    reached = begins + np.arange(kernel) - padding
    inside = reached[(reached >= 0) & (reached < size)]
    return np.bincount(inside, minlength=size)


def convolve(counts, weight, *, stride=1, padding=0, depthwise=False):
    """Potentials of a convolution with zero padding.

    Parameters
    ----------
    counts : integer array, shape (images, in_channels, height, width)
        Spike counts or pixels; never negative.
    weight : integer array, shape (out_channels, in_channels, kernel, kernel)
        The second axis has length 1 if ``depthwise``.
    stride, padding : int
    depthwise : bool
        Whether output channel c sees input channel c only.

    Returns
    -------
    int64 array, shape (images, out_channels, out_height, out_width)

    Raises
    ------
    ValueError
        If a count is negative.
    OverflowError
        If a sum could leave the integers that a float64 holds.

    Examples
    --------
    >>> convolve(np.array([[[[1, 2, 3]]]]), np.array([[[[1, 1, -1]]]])).tolist()
    [[[[0]]]]
    """
    if counts.size and counts.min() < 0:
        raise ValueError(f"Counts must not be negative, not {counts.min()}")
    dtype = exact_dtype(_largest_sum(counts, weight))
    if padding:
        border = (padding, padding)
        counts = np.pad(counts, ((0, 0), (0, 0), border, border))
    # The layout that both forms below read: one window per tap, out of the padded map.
    height, width = weight.shape[2:]
    windows = sliding_window_view(counts.astype(dtype), (height, width), axis=(2, 3))
    windows = windows[:, :, ::stride, ::stride]
    form = _depthwise if depthwise else _dense
    return form(windows, weight.astype(dtype)).astype(np.int64)


def _largest_sum(counts, weight):
    """Bound on every partial sum: the larger of the positive and the negative side."""
    per_channel = weight.reshape(len(weight), -1).astype(np.int64)
    above = np.maximum(per_channel, 0).sum(axis=1).max(initial=0)
    below = -np.minimum(per_channel, 0).sum(axis=1).min(initial=0)
    return int(counts.max(initial=0)) * int(max(above, below))


def _dense(windows, weight):
    images, _, height, width = windows.shape[:4]
    columns = windows.transpose(0, 1, 4, 5, 2, 3).reshape(images, -1, height * width)
    potential = weight.reshape(len(weight), -1) @ columns
    return potential.reshape(images, len(weight), height, width)


def _depthwise(windows, weight):
    potential = np.zeros(windows.shape[:4], weight.dtype)
    for row, column in np.ndindex(*weight.shape[2:]):
        potential += windows[..., row, column] * weight[:, 0, row, column, None, None]
    return potential

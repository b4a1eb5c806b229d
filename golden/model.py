"""The integer model: what is computed, with nothing left to interpret.

A model is a tuple of layers in execution order. Every layer forms integer potentials and hands them
to a *drain*, which fires spikes, adds to the residual stream, or emits logits. Training writes
models, the golden executor and the hardware generator read them.
"""

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np


__all__ = [
    "AnalogHead", "Conv", "Fire", "IntegerModel", "KeyValue", "Layer", "LOGITS", "Logits",
    "ModelError", "Neuron", "PIXELS", "Query", "Rounding", "TokenSum", "Write",
]


#: Name of the input tensor: 8-bit pixels, shape (images, channels, height, width).
PIXELS = "pixels"

#: Name of the output tensor, shape (images, classes).
LOGITS = "logits"


class ModelError(ValueError):
    """A model, or the file that holds it, breaks a rule; the message is one sentence."""


class Rounding(StrEnum):
    """Rounding rule of a neuron: it decides which way an exact tie ``u = j - 1/2`` goes.

    Half-up fires the j-th spike on the tie. Half-to-even, the rule of ``torch.round`` and of the
    published checkpoints, fires it at even ``j`` only.

    References
    ----------
    Yao et al., TPAMI 47(4), 2025, doi:10.1109/TPAMI.2025.3530246 (spike firing approximation).
    """

    HALF_UP = "half-up"
    HALF_EVEN = "half-even"


@dataclass(frozen=True, eq=False)
class Neuron:
    """Integer firing: a neuron fires once for every threshold that its potential has reached.

    Parameters
    ----------
    thresholds : int64 array, shape (channels, D) or (1, D)
        Least potential that fires the 1st, 2nd, ... spike; ``(1, D)`` serves every channel.
    rounding : Rounding
        The rule that was folded into ``thresholds``.
    """

    thresholds: np.ndarray
    rounding: Rounding


@dataclass(frozen=True, eq=False)
class Fire:
    """Drain of a branch: counts ``NAME.counts`` from per-channel thresholds."""

    neuron: Neuron


@dataclass(frozen=True, eq=False)
class Write:
    """Drain into the residual stream, and the neuron that every reader of that version shares.

    ``stream = previous + (potential << shift) + bias``; the result is ``NAME.stream`` and its
    counts are ``NAME.counts``.

    Parameters
    ----------
    previous : str or None
        Name of the stream tensor that is added to (``block3.0.attn.stream``), or ``None`` where a
        downsampling layer starts a new stream.
    shift : int
        ``F - S``: stream fraction bits less weight fraction bits, at least 0.
    bias : int64 array, shape (channels,)
        In units of the stream.
    fraction_bits : int
        ``F``; the stream's real value is ``stream * 2**-F``.
    neuron : Neuron
        Thresholds of shape (1, D), ``(2 j - 1) 2**(F - 1)``, plus 1 at odd ``j`` for half-to-even.
    """

    previous: str | None
    shift: int
    bias: np.ndarray
    fraction_bits: int
    neuron: Neuron


@dataclass(frozen=True, eq=False)
class Logits:
    """Drain of the head: ``logits = (potential << shift) + bias``.

    Parameters
    ----------
    bias : int64 array, shape (classes,)
    scale : float
        ``logits * scale`` are the float logits.
    shift : int
        0 to 32: fraction bits of the bias beyond those of the weights.
    """

    bias: np.ndarray
    scale: float
    shift: int = 0


@dataclass(frozen=True, eq=False)
class Conv:
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


@dataclass(frozen=True, eq=False)
class KeyValue:
    """First pass of attention: the memory ``NAME = k^T v`` of every head.

    ``NAME`` itself is the tensor's name (``block3.0.attn.kv``), shape (images, heads, dk, dv).
    Channel ``head * dk + i`` of ``keys`` and ``head * dv + i`` of ``values``; tokens row-major.
    """

    name: str
    keys: str
    values: str
    heads: int


@dataclass(frozen=True, eq=False)
class Query:
    """Second pass of attention: potentials ``q (k^T v)``; all scales are in the thresholds."""

    name: str
    queries: str
    key_values: str
    heads: int
    drain: Fire


@dataclass(frozen=True, eq=False)
class TokenSum:
    """Sum of a stream over its tokens; the mean's 1/tokens is in the thresholds."""

    name: str
    source: str
    drain: Fire


@dataclass(frozen=True, eq=False)
class AnalogHead:
    """Classifier on the sum of a stream over its tokens; the mean's 1/tokens is in ``scale``.

    Its inputs are stream values and no spikes, so hardware does not run it.

    Parameters
    ----------
    name : str
    source : str
        Stream tensor that is read.
    weight : int8 array, shape (classes, channels)
    weight_bits : int
    drain : Logits
    """

    name: str
    source: str
    weight: np.ndarray
    weight_bits: int
    drain: Logits


Layer = Conv | KeyValue | Query | TokenSum | AnalogHead


@dataclass(frozen=True, eq=False)
class IntegerModel:
    """A whole network in integers.

    Parameters
    ----------
    name : str
    max_count : int
        ``D``, 1 to 15: most spikes that a neuron fires at once.
    image_shape : tuple of int
        (height, width, channels) of the 8-bit input.
    pixel_constant : int
        1 to 255: value of one more pixel channel that is the same all over the image, and zero on
        the padding around it as all others are. 0 for none.
    classes : int
    layers : tuple of Layer
        In execution order; the last one's drain is ``Logits``.
    mean_counts : dict of str to float
        Mean spike count of each ``*.counts`` tensor (and mean set bits of ``pixels``), measured at
        export; cycle estimates without images use it.
    notes : dict
        Where the model comes from (seed, accuracy, versions), as JSON values.
    widths : dict of str to dict of str to int
        Per layer, bits of ``potential``, ``stream``, ``kv`` and ``logits``, as
        `golden.ranges.widths` derives them. ``golden.save`` and ``golden.run`` derive the widths
        of a model that has none.
    """

    name: str
    max_count: int
    image_shape: tuple[int, int, int]
    classes: int
    layers: tuple[Layer, ...]
    mean_counts: dict[str, float] = field(default_factory=dict)
    notes: dict = field(default_factory=dict)
    widths: dict[str, dict[str, int]] = field(default_factory=dict)
    pixel_constant: int = 0

    def mean_count(self, name):
        """Mean count of a map, or mean set bits of pixels.

        Where ``mean_counts`` does not say, a quarter of D, or half of the bits.
        """
        return self.mean_counts.get(name, 4.0 if name == PIXELS else self.max_count / 4)

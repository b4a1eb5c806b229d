"""Epilogue into the residual stream, in fixed point."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from golden.errors import ModelError
from golden.interval import require_width
from golden.names import counts_name, stream_name
from golden.neuron import Neuron, spike_count

from .operator import Epilogue, look_up
from .shifted import check_shifted, shifted_interval


__all__ = ["Write", "add"]


@dataclass(frozen=True, eq=False)
class Write(Epilogue):
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

    KIND, TENSORS = "write", ("thresholds", "bias")
    FIELDS: ClassVar = {"previous": (str, type(None)), "shift": int, "fraction_bits": int}

    previous: str | None
    shift: int
    bias: np.ndarray
    fraction_bits: int
    neuron: Neuron

    @property
    def reads(self):
        return [] if self.previous is None else [self.previous]

    def outputs(self, layer, shape, known, model):
        if self.previous is not None and look_up(layer, self.previous, known, "stream") != shape:
            raise ModelError(f"Layer {layer.name}: {self.previous} must have shape {shape}, "
                             f"not {known[self.previous]}")
        return {stream_name(layer): shape, counts_name(layer): shape}

    def check_values(self, layer, max_count):
        check_shifted(layer, self, layer.channels)
        if not 1 <= self.fraction_bits <= 32:
            raise ModelError(f"Layer {layer.name}: fraction bits F must be 1 to 32, "
                             f"not {self.fraction_bits!r}")
        self.neuron.check(layer, max_count)

    def check(self, layer, facts):
        """Versions of a stream have the same fraction bits, which the thresholds follow from."""
        before = facts.fraction_bits.get(self.previous, self.fraction_bits)
        if before != self.fraction_bits:
            raise ModelError(f"Layer {layer.name}: fraction bits F must be {before} like those of "
                             f"{self.previous}, not {self.fraction_bits}")
        facts.fraction_bits[stream_name(layer)] = self.fraction_bits
        self.neuron.check_ladder(layer, self.fraction_bits)

    def store(self, layer, potentials, tensors):
        previous = None if self.previous is None else tensors[self.previous]
        value = add(potentials, previous=previous, shift=self.shift, bias=self.bias)
        return {stream_name(layer): value,
                counts_name(layer): spike_count(value, self.neuron.thresholds)}

    def record(self, layer, low, high, ranges):
        low, high = shifted_interval(layer, self, low, high)
        if self.previous is not None:
            before = ranges.stream[self.previous.removesuffix(".stream")]
            low, high = low + before[0], high + before[1]
            require_width(layer, low, high)
        ranges.stream[layer.name] = low, high

    def stream_bits(self, layer, known, bits):
        size = int(np.prod(known[stream_name(layer)]))
        return size * bits[layer.name]["stream"] * (1 if self.previous is None else 2)


def add(potential, *, previous, shift, bias):
    """Add a branch to the stream, in fixed point.

    The weights' scale is a power of two, so aligning it with the stream's fraction bits is a shift.

    Parameters
    ----------
    potential : int64 array, shape (images, channels, height, width)
    previous : int64 array of the same shape, or None
        The stream so far; ``None`` starts a new one.
    shift : int
        At least 0.
    bias : int64 array, shape (channels,)
        In units of the stream.

    Returns
    -------
    int64 array, shape of ``potential``

    Examples
    --------
    >>> add(np.array([[[[3]]]]), previous=None, shift=2, bias=np.array([-1])).ravel()
    array([11])
    """
    stream = (potential << shift) + bias[:, np.newaxis, np.newaxis]
    return stream if previous is None else previous + stream

"""Epilogue into the residual stream, in fixed point."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from golden.errors import ModelError
from golden.hints import Infos, Tensors, Widths
from golden.interval import require_width
from golden.names import stream_name
from golden.neuron import Neuron
from golden.tensor_info import TensorInfo

from .facts import Facts
from .firing import fire, fired_info, record_fired
from .operator import Epilogue, Operator, look_up
from .shifted import check_shifted, shifted, shifted_interval


__all__ = ["Write", "add"]


@dataclass(frozen=True, eq=False)
class Write(Epilogue):
    """Write into the residual stream, and the neuron that every reader of that version shares.

    ``stream = previous + (potential << shift) + bias``, or the larger of the two sides of the first
    plus; the result is ``NAME.stream`` and its counts are ``NAME.counts``.

    Parameters
    ----------
    previous : str or None
        Name of the stream tensor that is combined with (``block3.0.attn.stream``), or ``None``
        where a downsampling layer starts a new stream.
    shift : int
        ``F - S``: stream fraction bits less weight fraction bits, at least 0.
    bias : int64 array, shape (channels,)
        In units of the stream.
    fraction_bits : int
        ``F``; the stream's real value is ``stream * 2**-F``.
    neuron : Neuron or None
        Without a membrane: thresholds of shape (1, D), ``(2 j - 1) 2**(F - 1)``, plus 1 at odd
        ``j`` for half-to-even. ``None`` where nobody reads counts.
    combine : str
        ``add`` or ``max``.
    """

    KIND, TENSORS = "write", ("bias",)
    FIELDS: ClassVar = {
        "previous": (str, type(None)),
        "combine": str,
        "shift": int,
        "fraction_bits": int,
    }

    previous: str | None
    shift: int
    bias: NDArray[np.int64]
    fraction_bits: int
    neuron: Neuron | None
    combine: str = "add"

    @property
    def reads(self) -> list[str]:
        return [] if self.previous is None else [self.previous]

    def outputs(self, layer: Operator, info: TensorInfo, known: Infos) -> dict[str, TensorInfo]:
        if not 1 <= self.fraction_bits <= 32:
            raise ModelError(
                f"Layer {layer.name}: fraction bits F must be 1 to 32, not {self.fraction_bits!r}"
            )
        if self.combine not in ("add", "max") or (self.combine == "max" and self.previous is None):
            raise ModelError(
                f"Layer {layer.name}: combine must be add, or max with a previous "
                f"stream, not {self.combine!r}"
            )
        if self.bias is None:
            raise ModelError(f"Layer {layer.name}: the bias of a write must be given")
        check_shifted(layer, self, info.channels)
        if self.previous is not None:
            before = look_up(layer, self.previous, known, "stream")
            if before.shape != info.shape:
                raise ModelError(
                    f"Layer {layer.name}: {self.previous} must have shape "
                    f"{info.shape}, not {before.shape}"
                )
            if before.steps != info.steps:
                raise ModelError(
                    f"Layer {layer.name}: {self.previous} must have {info.steps} "
                    f"steps, not {before.steps}"
                )
            if before.fraction_bits != self.fraction_bits:
                raise ModelError(
                    f"Layer {layer.name}: fraction bits F must be {before.fraction_bits} like "
                    f"those of {self.previous}, not {self.fraction_bits}"
                )
        stream = TensorInfo(
            "stream", info.channels, info.size, info.steps, fraction_bits=self.fraction_bits
        )
        made = {stream_name(layer): stream}
        if self.neuron is not None:
            self.neuron.check(layer, info.channels)
            made |= fired_info(layer, self.neuron, stream)
        return made

    def check(self, layer: Operator, facts: Facts) -> None:
        """Thresholds follow from the stream's fraction bits."""
        if self.neuron is not None:
            self.neuron.check_ladder(layer, self.fraction_bits)

    def store(
        self,
        layer: Operator,
        potentials: NDArray[np.int64],
        tensors: Tensors,
    ) -> dict[str, NDArray[np.int64]]:
        previous = None if self.previous is None else tensors[self.previous]
        value = add(
            potentials, previous=previous, shift=self.shift, bias=self.bias, combine=self.combine
        )
        made = {stream_name(layer): value}
        if self.neuron is not None:
            made |= fire(layer, self.neuron, value, tensors)
        return made

    def record(self, layer: Operator, low: np.ndarray, high: np.ndarray, facts: Facts) -> None:
        low, high = shifted_interval(layer, self, low, high)
        if self.previous is not None:
            before = facts.ranges.stream[self.previous.removesuffix(".stream")]
            merge = np.add if self.combine == "add" else np.maximum
            low, high = merge(low, before[0]), merge(high, before[1])
            require_width(layer, low, high)
        facts.ranges.stream[layer.name] = low, high
        if self.neuron is not None:
            record_fired(layer, self.neuron, low, high, facts)

    def stream_bits(self, layer: Operator, known: Infos, bits: Widths) -> int:
        values = known[stream_name(layer)].values
        return values * bits[layer.name]["stream"] * (1 if self.previous is None else 2)


def add(
    potential: NDArray[np.int64],
    *,
    previous: NDArray[np.int64] | None,
    shift: int,
    bias: NDArray[np.int64],
    combine: str = "add",
) -> NDArray[np.int64]:
    """Combine a branch with the stream, in fixed point.

    The weights' scale is a power of two, so aligning it with the stream's fraction bits is a shift.

    Parameters
    ----------
    potential : int64 array, shape (..., channels, height, width)
    previous : int64 array of the same shape, or None
        The stream so far; ``None`` starts a new one.
    shift : int
        At least 0.
    bias : int64 array, shape (channels,)
        In units of the stream.
    combine : str
        ``add`` or ``max``.

    Returns
    -------
    int64 array, shape of ``potential``

    Examples
    --------
    >>> add(np.array([[[[3]]]]), previous=None, shift=2, bias=np.array([-1])).ravel()
    array([11])
    """
    stream = shifted(potential, shift, bias)
    if previous is None:
        return stream
    return previous + stream if combine == "add" else np.maximum(previous, stream)

"""Largest count in a window: max pooling of spikes."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from golden.axis import Axis
from golden.errors import ModelError
from golden.hints import Infos, Interval, Linear, Tensors, Widths
from golden.names import counts_name
from golden.tensor_info import TensorInfo

from .facts import Facts
from .operator import Operator, look_up


__all__ = ["Max", "largest_count"]


@dataclass(frozen=True, eq=False)
class Max(Operator):
    """Largest count in a window of each channel; counts ``NAME.counts`` of the same D.

    Parameters
    ----------
    name, source : str
    axes : (Axis, Axis)
        Of height and width; padding and stretching add counts of 0.
    """

    KIND, SPIKING, epilogue = "max", False, None
    FIELDS: ClassVar = {"source": str, "axes": list}

    name: str
    source: str
    axes: tuple[Axis, Axis]

    @property
    def reads(self) -> list[str]:
        return [self.source]

    def outputs(self, known: Infos) -> dict[str, TensorInfo]:
        source, where = look_up(self, self.source, known, "counts"), f"Layer {self.name}"
        if len(self.axes) != 2:
            raise ModelError(f"{where}: there must be two axes, not {len(self.axes)}")
        for axis in self.axes:
            axis.check(where)
        size = tuple(
            axis.length(length) for axis, length in zip(self.axes, source.size, strict=True)
        )
        if min(size) < 1:
            raise ModelError(
                f"{where}: a map of {source.size[0]}x{source.size[1]} must not be "
                f"smaller than the {self.axes[0].kernel}x{self.axes[1].kernel} window"
            )
        return {
            counts_name(self): TensorInfo(
                "counts", source.channels, size, source.steps, source.levels
            )
        }

    def linear(self, tensors: Tensors) -> Linear:
        return lambda counts: largest_count(counts, self.axes)

    def store(
        self,
        potentials: NDArray[np.int64],
        tensors: Tensors,
    ) -> dict[str, NDArray[np.int64]]:
        return {counts_name(self): potentials}

    def interval(self, facts: Facts) -> Interval:
        info = facts.known[counts_name(self)]
        return np.zeros(info.channels, np.int64), np.full(info.channels, info.levels)

    def record(self, low: np.ndarray, high: np.ndarray, facts: Facts) -> None:
        """Counts go from 0 to D, as their info says."""

    def operand_bits(self, known: Infos, bits: Widths) -> int:
        return known[self.source].levels.bit_length()


def largest_count(counts: NDArray[np.int64], axes: tuple[Axis, Axis]) -> NDArray[np.int64]:
    """Largest count in each window, 0 outside of the map; one axis after the other.

    >>> largest_count(np.array([[[[1, 0, 3, 2]]]]), (Axis(1), Axis(2, 2))).tolist()
    [[[[1, 3]]]]
    """
    for place, axis in zip((-2, -1), axes, strict=True):
        reads = axis.reads(counts.shape[place])
        # One more position of zeros, which -1 reads.
        padding = [(0, 0)] * counts.ndim
        padding[place] = 0, 1
        padded, best = np.pad(counts, padding), 0
        for tap in range(axis.kernel):
            best = np.maximum(best, padded.take(reads[:, tap], axis=place))
        counts = best
    return counts

"""Neurons: integer firing by thresholds or by a uniform step, with or without a membrane."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self

import numpy as np
from numpy.typing import NDArray

from golden.errors import ModelError
from golden.ladders import Rounding, stream_thresholds
from golden.membrane import Membrane
from golden.names import Named


__all__ = ["MAX_LADDER", "Neuron", "Rule", "spike_count"]


#: Largest count of a ladder of thresholds, and bits of the largest count of a uniform rule.
MAX_LADDER, MAX_BITS = 255, 9

#: Most fraction bits of a uniform rule.
MAX_FRACTION = 47


class Rule(StrEnum):
    """How a value becomes a count.

    A ladder has a threshold for every spike. The uniform rule is
    ``clamp((p + 2**(F - 1)) >> F, 0, D)``, half-up, with D one less than a power of two.
    """

    LADDER = "ladder"
    UNIFORM = "uniform"


@dataclass(frozen=True, eq=False)
class Neuron:
    """Integer firing: a neuron fires once for every threshold that its potential has reached.

    Parameters
    ----------
    thresholds : int64 array, shape (channels, D) or (1, D), or None
        Least potential that fires the 1st, 2nd, ... spike; ``(1, D)`` serves every channel.
        ``None`` for the uniform rule.
    rounding : Rounding
        The rule that was folded into ``thresholds``; half-up for the uniform rule.
    membrane : Membrane or None
    fraction_bits, bits : int or None
        F, and the width of counts, of the uniform rule: D is ``2**bits - 1``.
    """

    thresholds: NDArray[np.int64] | None
    rounding: Rounding
    membrane: Membrane | None = None
    fraction_bits: int | None = None
    bits: int | None = None

    @classmethod
    def uniform(cls, fraction_bits: int, bits: int, membrane: Membrane | None = None) -> Self:
        """Neuron of the uniform rule."""
        return cls(None, Rounding.HALF_UP, membrane, fraction_bits, bits)

    @property
    def rule(self) -> Rule:
        """How a value becomes a count."""
        return Rule.UNIFORM if self.thresholds is None else Rule.LADDER

    @property
    def levels(self) -> int:
        """D: the largest count."""
        return 2**self.bits - 1 if self.thresholds is None else self.thresholds.shape[1]

    @property
    def ladder(self) -> NDArray[np.int64]:
        """Thresholds of either rule, shape (channels, D) or (1, D)."""
        if self.thresholds is not None:
            return self.thresholds
        return stream_thresholds(self.fraction_bits, self.levels, Rounding.HALF_UP)

    def check(self, layer: Named, channels: int) -> None:
        """Demand fields of the right form.

        Parameters
        ----------
        layer : Operator
            That fires so, for errors.
        channels : int

        Raises
        ------
        ModelError
        """
        if not isinstance(self.rounding, Rounding):
            raise ModelError(
                f"Layer {layer.name}: the rounding rule must be half-up or "
                f"half-even, not {self.rounding!r}"
            )
        if self.rule is Rule.UNIFORM:
            self._check_uniform(layer)
        else:
            self._check_thresholds(layer, channels)
        if self.membrane is not None:
            self.membrane.check(layer, channels, self.rounding is Rounding.HALF_EVEN)

    def _check_uniform(self, layer):
        if not (type(self.bits) is int and 1 <= self.bits <= MAX_BITS):
            raise ModelError(
                f"Layer {layer.name}: the largest count of a uniform neuron must be "
                f"2^B - 1 with B of 1 to {MAX_BITS}"
            )
        if not (type(self.fraction_bits) is int and 1 <= self.fraction_bits <= MAX_FRACTION):
            raise ModelError(
                f"Layer {layer.name}: fraction bits of a uniform neuron must be 1 to "
                f"{MAX_FRACTION}, not {self.fraction_bits!r}"
            )
        if self.rounding is not Rounding.HALF_UP:
            raise ModelError(
                f"Layer {layer.name}: the rounding of a uniform neuron must be half-up"
            )

    def _check_thresholds(self, layer, channels):
        thresholds = self.thresholds
        if thresholds.dtype != np.int64 or thresholds.ndim != 2:
            raise ModelError(
                f"Layer {layer.name}: thresholds must be int64 of shape (channels, "
                f"D), not {thresholds.dtype} of shape {thresholds.shape}"
            )
        if not 1 <= thresholds.shape[1] <= MAX_LADDER:
            raise ModelError(
                f"Layer {layer.name}: the largest count D must be 1 to {MAX_LADDER}, "
                f"not {thresholds.shape[1]}"
            )
        if len(thresholds) not in (1, channels):
            raise ModelError(
                f"Layer {layer.name}: thresholds must have 1 or {channels} rows, not "
                f"{len(thresholds)}"
            )
        falling = np.argwhere(thresholds[:, 1:] < thresholds[:, :-1])
        if len(falling):
            raise ModelError(
                f"Layer {layer.name}: thresholds must not decrease, as those of "
                f"channel {falling[0][0]} do"
            )

    def check_ladder(self, layer: Named, fraction_bits: int, tokens: int = 1) -> None:
        """Demand the thresholds that follow from a stream's fraction bits and the rounding rule.

        A membrane may have others, since its leak is folded into them.

        Parameters
        ----------
        layer : Operator
        fraction_bits : int
            F of the stream.
        tokens : int
            Number of tokens that were summed.

        Raises
        ------
        ModelError
        """
        ladder = stream_thresholds(fraction_bits, self.levels, self.rounding, tokens)
        if self.membrane is None and not np.array_equal(self.ladder, ladder):
            raise ModelError(
                f"Layer {layer.name}: thresholds must be the {self.rounding.value} "
                f"ladder {ladder.tolist()} of {fraction_bits} fraction bits, not "
                f"{self.ladder.tolist()}"
            )

    def fire(
        self,
        values: NDArray[np.int64],
        carry: NDArray[np.int64] | None = None,
    ) -> tuple[NDArray[np.int64], NDArray[np.int64] | None, NDArray[np.int64] | None]:
        """Counts, and what a membrane leaves.

        Parameters
        ----------
        values : int64 array, shape (samples, steps, channels, ...)
            Without the axis of steps, too, if there is no membrane.
        carry : int64 array, optional
            As for `Membrane.run`.

        Returns
        -------
        counts : int64 array
        states : int64 array or None
        carry : int64 array or None
        """
        if self.membrane is None:
            return self._count(values, values.ndim - 3), None, None
        return self.membrane.run(values, self._count_step, carry)

    def _count(self, values, axis):
        if self.rule is Rule.UNIFORM:
            half = 1 << self.fraction_bits - 1
            return np.clip((values + half) >> self.fraction_bits, 0, self.levels)
        return spike_count(values, self.thresholds, axis=axis)

    def _count_step(self, values, lost):
        """Counts of one step, shape (samples, channels, ...); a lost bit breaks ties upwards."""
        if isinstance(lost, int):
            return self._count(values, 1)
        # Half-to-even: thresholds of the 1st, 3rd, ... spike are one above the tie.
        return spike_count(values + lost, self.thresholds[:, ::2]) + spike_count(
            values, self.thresholds[:, 1::2]
        )


def spike_count(
    potential: NDArray[np.int64],
    thresholds: NDArray[np.int64],
    axis: int = 1,
) -> NDArray[np.int64]:
    """Number of spikes that each neuron fires, for integer (SFA) firing.

    A neuron fires once for every threshold that its membrane potential has reached. This is
    ``round(clip(scale * potential + bias, 0, D))`` of training, with scale, bias and rounding
    folded into integers by the exporter.

    Parameters
    ----------
    potential : int64 array, shape (images, channels, ...)
        Membrane potentials.
    thresholds : int64 array, shape (channels, D) or (1, D)
        Least potential that fires the 1st, 2nd, ... spike.
    axis : int
        That of channels.

    Returns
    -------
    int64 array, shape of ``potential``
        Spike counts in 0..D.

    Raises
    ------
    ValueError
        If the thresholds of a neuron decrease.

    References
    ----------
    Yao et al., TPAMI 47(4), 2025, doi:10.1109/TPAMI.2025.3530246 (spike firing approximation).
    Umuroglu and Jahre, arXiv:1709.04060 (folding scale and bias into thresholds).

    Examples
    --------
    >>> spike_count(np.array([[-3], [4], [5], [99]]), np.array([[1, 5, 9, 13]])).ravel()
    array([0, 1, 2, 4])
    """
    if (thresholds[:, 1:] < thresholds[:, :-1]).any():
        raise ValueError("Thresholds of a neuron must not decrease")
    count = np.zeros(potential.shape, np.uint8)
    across = (len(thresholds),) + (1,) * (potential.ndim - 1 - axis)
    for step in range(thresholds.shape[1]):
        count += potential >= thresholds[:, step].reshape(across)
    return count.astype(np.int64)

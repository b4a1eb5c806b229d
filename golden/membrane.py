"""Membranes: the state that a neuron carries from one time step to the next, in integers."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from golden.errors import ModelError
from golden.hints import Bounds
from golden.leak import MAX_SHIFT, Leak, LeakKind
from golden.names import Named


__all__ = ["Carried", "Membrane", "Order", "Reset"]


#: Takes the membranes of a step, and whether a bit was lost from each; returns counts.
Count = Callable[[NDArray[np.int64], np.ndarray | int], NDArray[np.int64]]

#: Least and largest value of a state by channel, and the thresholds that fired there.
Carried = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]
#: What no legal membrane reaches; sums of a few such numbers fit int64.
FAR = 1 << 60


class Reset(StrEnum):
    """What becomes of a state whose neuron fired."""

    NONE = "none"
    ZERO = "zero"
    SUBTRACT = "subtract"


class Order(StrEnum):
    """When a count is subtracted: in its own step, or in the next one behind the leak."""

    EARLY = "early"
    LATE = "late"


@dataclass(frozen=True)
class Membrane:
    """State s of a neuron; it is 0 before the first step.

    In each step the neuron fires ``k`` by the membrane ``m = L(s) + p``, where p is the potential,
    and s becomes m after a reset: m itself, 0 if k > 0, or ``m - (k << unit)``. An order of
    ``late`` keeps s = m and takes ``m = L(s) - (k << unit) + p`` with the k of the step before.

    Parameters
    ----------
    leak : tuple of Leak
        One for all channels, or one for each.
    reset : Reset
    unit : int
        Bits by which a count is shifted before it is subtracted.
    order : Order
    sticky : bool
        Whether a membrane at a tie counts as above it if a bit other than 0 was shifted out since
        the state was last exact, which it is at the start and where it is set to 0.
    state : str or None
        Name of the state; layers of the same name go on with it, one after the other. The layer's
        own name, if ``None``.

    References
    ----------
    Nested floors of halvings are exact in their spikes: floor((floor(y) + n) / 2) is
    floor((y + n) / 2) for integers n.
    """

    leak: tuple[Leak, ...] = (Leak(LeakKind.KEEP),)
    reset: Reset = Reset.NONE
    unit: int = 0
    order: Order = Order.EARLY
    sticky: bool = False
    state: str | None = None

    def check(self, layer: Named, channels: int, half_even: bool) -> None:
        """Raises ModelError unless the fields are legal for so many channels."""
        where = f"Layer {layer.name}"
        if len(self.leak) not in (1, channels):
            raise ModelError(
                f"{where}: leaks of the membrane must be 1 or {channels}, not {len(self.leak)}"
            )
        for leak in self.leak:
            shifts = leak.kind in (LeakKind.SHIFT, LeakKind.SUBTRACT)
            if not (1 <= leak.shift <= MAX_SHIFT if shifts else leak.shift == 0):
                raise ModelError(
                    f"{where}: a leak must shift by 1 to {MAX_SHIFT} bits, or by 0 "
                    f"where it does not shift, not by {leak.shift!r}"
                )
        if not 0 <= self.unit <= MAX_SHIFT or (self.unit and self.reset is not Reset.SUBTRACT):
            raise ModelError(
                f"{where}: the unit of a membrane must be 0 to {MAX_SHIFT}, and 0 "
                f"unless its reset subtracts, not {self.unit!r}"
            )
        if self.order is Order.LATE and self.reset is not Reset.SUBTRACT:
            raise ModelError(
                f"{where}: a membrane of late order must have a reset that subtracts, "
                f"not {self.reset.value}"
            )
        if self.sticky and not half_even:
            raise ModelError(
                f"{where}: a membrane must be sticky only where rounding is "
                "half-even, since half-up needs no such bit"
            )
        # s - (s >> r) rounds up, so that what was shifted out is missing and not left over.
        if self.sticky and any(leak.kind is LeakKind.SUBTRACT for leak in self.leak):
            raise ModelError(f"{where}: a sticky membrane must not leak by subtraction")

    def leaked(self, state: NDArray[np.int64]) -> NDArray[np.int64]:
        """State of shape (samples, channels, ...) after the leak of each channel.

        >>> leaky = Membrane((Leak(LeakKind.SHIFT, 1), Leak(LeakKind.SUBTRACT, 2)))
        >>> leaky.leaked(np.array([[-3, -3]])).tolist()
        [[-2, -2]]
        """
        shifts, subtracts, clears = self._leaks(state.ndim)
        kept = state >> shifts
        return np.where(clears, 0, np.where(subtracts, state - kept, kept))

    def run(
        self,
        potentials: NDArray[np.int64],
        count: Count,
        carry: NDArray[np.int64] | None = None,
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Counts and states of all steps.

        Parameters
        ----------
        potentials : int64 array, shape (samples, steps, channels, ...)
        count : function of (int64 array, bool array or 0)
            Counts of membranes of a step, and whether a bit was lost from each.
        carry : int64 array, shape (samples, 3, channels, ...), optional
            What this returned for the layer that had the state before.

        Returns
        -------
        counts, states : int64 arrays of the shape of ``potentials``
        carry : int64 array
        """
        first = potentials[:, 0]
        state, lost, before = (
            (np.zeros_like(first) for _ in range(3))
            if carry is None
            else (carry[:, index] for index in range(3))
        )
        counts, states = np.empty_like(potentials), np.empty_like(potentials)
        for step in range(potentials.shape[1]):
            leaked = self.leaked(state)
            if self.sticky:
                lost = self._lost(state, lost)
            if self.order is Order.LATE:
                leaked = leaked - (before << self.unit)
            membrane = leaked + potentials[:, step]
            before = count(membrane, lost if self.sticky else 0)
            state = membrane
            if self.reset is Reset.ZERO:
                state = np.where(before > 0, 0, membrane)
                lost = np.where(before > 0, 0, lost)
            elif self.reset is Reset.SUBTRACT and self.order is Order.EARLY:
                state = membrane - (before << self.unit)
            counts[:, step], states[:, step] = before, state
        return counts, states, np.stack([state, lost, before], axis=1)

    def _lost(self, state, lost):
        """1 where a bit other than 0 was shifted out since the state was exact."""
        shifts, _, clears = self._leaks(state.ndim)
        return np.where(clears, 0, lost | ((state & (1 << shifts) - 1) != 0))

    def _leaks(self, dimensions):
        """Shifts, and what subtracts or clears, along the second of so many axes."""
        shape = (-1,) + (1,) * (dimensions - 2)
        return [entries.reshape(shape) for entries in self._leaks_of_channels]

    @cached_property
    def _leaks_of_channels(self):
        kinds = [leak.kind for leak in self.leak]
        return (
            np.array([leak.shift for leak in self.leak]),
            np.array([kind is LeakKind.SUBTRACT for kind in kinds]),
            np.array([kind is LeakKind.CLEAR for kind in kinds]),
        )

    def interval(
        self,
        low: NDArray[np.int64],
        high: NDArray[np.int64],
        steps: int,
        ladder: NDArray[np.int64],
        start: Carried | None = None,
    ) -> tuple[Bounds, Bounds, Bounds]:
        """Least and largest membrane, and the same of the state, over all steps.

        A neuron that may fire need not: the interval holds whatever its thresholds are, and for
        a reset that subtracts it holds what is left of the membrane at each threshold. Once a
        membrane needs more than 60 bits, what later steps add is left out.

        Parameters
        ----------
        low, high : int64 arrays, shape (channels,)
            Of the potential, less than 2^48 from 0.
        steps : int
        ladder : int64 array, shape (channels or 1, D)
            Thresholds.
        start : (int64 array, int64 array, int64 array), optional
            Interval of the state before the first step, and the thresholds that fired there.

        Returns
        -------
        membrane, state : (int64 array, int64 array)
            Least and largest, by channel.
        last : (int64 array, int64 array)
            Of the state after the last step.
        """
        silent = np.empty((1, 0), np.int64)
        least, most, before = start or (np.zeros_like(low), np.zeros_like(high), silent)
        counts, before = self._counts(ladder), self._counts(before)
        seen = held = None
        for _ in range(steps):
            leaked = self.leaked(np.stack([least, most]))
            if self.order is Order.LATE:
                leaked[0] = self._least_left(least, most, before, leak=True)
                before = counts
            membrane = leaked[0] + low, leaked[1] + high
            state = self._reset_interval(*membrane, counts)
            settled = seen is not None and np.array_equal((least, most), state)
            seen, held = _hull(seen, membrane), _hull(held, state)
            least, most = state
            if settled or np.abs(membrane).max() >= FAR:
                break
        return seen, held, (least, most)

    def _reset_interval(self, low, high, counts):
        """Interval of the state that membranes of ``low`` to ``high`` leave."""
        if self.reset is Reset.ZERO:
            return np.minimum(low, 0), np.maximum(high, 0)
        if self.reset is Reset.SUBTRACT and self.order is Order.EARLY:
            return self._least_left(low, high, counts, leak=False), high
        return low, high

    def _counts(self, ladder):
        """Least membrane that fires each count, 0 first, and what is subtracted for it."""
        # A sticky bit makes a neuron fire one below its threshold at most.
        reached = np.clip(ladder, -FAR, FAR) - int(self.sticky)
        always = np.full((len(ladder), 1), np.iinfo(np.int64).min)
        # Python's integers, of which a unit of 47 bits makes no overflow.
        subtracted = [min(number << self.unit, FAR) for number in range(ladder.shape[1] + 1)]
        return np.concatenate([always, reached], axis=1), np.array(subtracted, np.int64)

    def _least_left(self, low, high, counts, *, leak):
        """Least that is left of values of ``low`` to ``high``, by channel, less their counts.

        A value is at least what fires its count.
        """
        reached, subtracted = counts
        values = np.maximum(low[:, np.newaxis], reached)
        if leak:
            values = self.leaked(values[np.newaxis])[0]
        return np.where(reached <= high[:, np.newaxis], values - subtracted, FAR).min(axis=1)


def _hull(bounds, more):
    """Least and largest of two pairs; the first may be None."""
    if bounds is None:
        return more
    return np.minimum(bounds[0], more[0]), np.maximum(bounds[1], more[1])

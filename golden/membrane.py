"""Membranes: the state that a neuron carries from one time step to the next, in integers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from golden.errors import ModelError
from golden.leak import MAX_SHIFT, Leak, LeakKind
from golden.names import Named


__all__ = ["Carried", "Ends", "Membrane", "Order", "Reset"]


#: Takes the membranes of a step, and whether a bit was lost from each; returns counts.
Count = Callable[[NDArray[np.int64], np.ndarray | int], NDArray[np.int64]]

#: Least and largest value by channel, in Python integers.
Ends = tuple[list[int], list[int]]
#: The same of a state, and the thresholds of each channel that fired there.
Carried = tuple[list[int], list[int], Sequence[Sequence[int]]]


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
        """State of shape (samples, channels, ...) after the leak of each channel."""
        if len(self.leak) == 1:
            return self.leak[0].apply(state)
        return np.stack(
            [leak.apply(state[:, channel]) for channel, leak in enumerate(self.leak)], axis=1
        )

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
        across = (1, -1) + (1,) * (state.ndim - 2)
        shifts = np.array([leak.shift for leak in self.leak]).reshape(across)
        clears = np.array([leak.kind is LeakKind.CLEAR for leak in self.leak]).reshape(across)
        return np.where(clears, 0, lost | ((state & (1 << shifts) - 1) != 0))

    def interval(
        self,
        low: Sequence[int],
        high: Sequence[int],
        steps: int,
        thresholds: Sequence[Sequence[int]],
        start: Carried | None = None,
    ) -> tuple[Ends, Ends, Ends]:
        """Least and largest membrane, and the same of the state, over all steps.

        A neuron that may fire need not: the interval holds whatever its thresholds are, and for
        a reset that subtracts it holds what is left of the membrane at each threshold.

        Parameters
        ----------
        low, high : lists of int
            Of the potential, by channel; Python integers.
        steps : int
        thresholds : list of list of int
            Of each channel, or of all of them.
        start : (list of int, list of int, list of list of int), optional
            Interval of the state before the first step, and the thresholds that fired there.

        Returns
        -------
        membrane, state : (list of int, list of int)
            Least and largest, by channel.
        last : (list of int, list of int)
            Of the state after the last step.
        """
        zeros = [0] * len(low)
        least, most, before = start or (zeros, zeros, [[]])
        result = [
            self._channel_interval(
                potential,
                steps,
                _of_channel(thresholds, channel),
                _of_channel(self.leak, channel),
                (least[channel], most[channel]),
                _of_channel(before, channel),
            )
            for channel, potential in enumerate(zip(low, high, strict=True))
        ]
        return tuple(
            tuple([ends[side] for ends in part] for side in (0, 1))
            for part in zip(*result, strict=True)
        )

    def _channel_interval(self, potential, steps, thresholds, leak, state, before):
        membranes, states = [], []
        for step in range(steps):
            low, high = leak.apply(state[0]), leak.apply(state[1])
            if self.order is Order.LATE:
                # A state is at least its j-th threshold where j counts are subtracted.
                low = min([
                    low,
                    *(
                        leak.apply(max(state[0], reached)) - (number << self.unit)
                        for number, reached in self._reached(before, state[1])
                    ),
                ])
                before = thresholds
            membrane = low + potential[0], high + potential[1]
            membranes.append(membrane)
            low, high = membrane
            if self.reset is Reset.ZERO:
                low, high = min(low, 0), max(high, 0)
            elif self.reset is Reset.SUBTRACT and self.order is Order.EARLY:
                low = min([
                    low,
                    *(
                        max(low, reached) - (number << self.unit)
                        for number, reached in self._reached(thresholds, high)
                    ),
                ])
            state = low, high
            states.append(state)
            if step and states[-1] == states[-2] and membranes[-1] == membranes[-2]:
                break
        return _hull(membranes), _hull(states), states[-1]

    def _reached(self, thresholds, high):
        """Numbers of the counts that a membrane of at most ``high`` may fire, and where."""
        early = 1 if self.sticky else 0
        return [
            (number, threshold - early)
            for number, threshold in enumerate(thresholds, 1)
            if threshold - early <= high
        ]


def _of_channel(entries, channel):
    """Entry of a channel, where there may be one for all."""
    return entries[channel if len(entries) > 1 else 0]


def _hull(intervals):
    return min(low for low, _ in intervals), max(high for _, high in intervals)

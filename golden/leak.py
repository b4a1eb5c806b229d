"""Leaks: what is left of a membrane's state in the next time step."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray


__all__ = ["MAX_SHIFT", "Leak", "LeakKind"]


#: Most bits that a leak shifts by, and largest unit.
MAX_SHIFT = 47

#: A state: of many neurons, or one end of an interval.
State = TypeVar("State", int, NDArray[np.int64])


class LeakKind(StrEnum):
    """What a leak makes of a state s; all shifts are arithmetic."""

    KEEP = "keep"  # s
    SHIFT = "shift"  # s >> r
    SUBTRACT = "subtract"  # s - (s >> r)
    CLEAR = "clear"  # 0


@dataclass(frozen=True)
class Leak:
    """Leak of a channel.

    Parameters
    ----------
    kind : LeakKind
    shift : int
        r, 1 to 47 where the kind shifts, else 0.
    """

    kind: LeakKind
    shift: int = 0

    def apply(self, state: State) -> State:
        """The state after the leak.

        >>> Leak(LeakKind.SHIFT, 1).apply(-3), Leak(LeakKind.SUBTRACT, 2).apply(-3)
        (-2, -2)
        """
        match self.kind:
            case LeakKind.KEEP:
                return state
            case LeakKind.SHIFT:
                return state >> self.shift
            case LeakKind.SUBTRACT:
                return state - (state >> self.shift)
        return state * 0

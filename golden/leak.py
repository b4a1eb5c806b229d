"""Leaks: what is left of a membrane's state in the next time step."""

from dataclasses import dataclass
from enum import StrEnum


__all__ = ["MAX_SHIFT", "Leak", "LeakKind"]


#: Most bits that a leak shifts by, and largest unit.
MAX_SHIFT = 47


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

"""Placing spike maps in one memory: maps that are never needed together share words."""

__all__ = ["Allocator"]


class Allocator:
    """First fit by lifetime.

    Parameters
    ----------
    last_use : dict of str to int
        Step at which each map is read last.
    """

    def __init__(self, last_use):
        self._last_use = last_use
        self._placed = []
        self.depth = 0

    def place(self, name, size, step):
        """Base address for a map of ``size`` words that is written at ``step``."""
        alive = sorted((base, length) for base, length, last in self._placed if last >= step)
        base = 0
        for start, length in alive:
            if base + size <= start:
                break
            base = max(base, start + length)
        self._placed.append((base, size, self._last_use.get(name, step)))
        self.depth = max(self.depth, base + size)
        return base

"""Placing tensors in one memory: those that are never needed together share words."""

__all__ = ["Allocator"]


class Allocator:
    """First fit by lifetime.

    Attributes
    ----------
    depth : int
        Words of the memory so far.
    """

    def __init__(self):
        self._placed = []
        self.depth = 0

    def place(self, size, *, step, last, align=1):
        """Base address for ``size`` words that are written at one step and read until another.

        Parameters
        ----------
        size : int
        step : int
            At which the words are written, while what is read at this step is still needed.
        last : int
            At which they are read last; ``step`` if never.
        align : int
            What the address is a multiple of.

        Returns
        -------
        int
        """
        alive = sorted((base, length) for base, length, until in self._placed if until >= step)
        base = 0
        for start, length in alive:
            if base + size <= start:
                break
            base = max(base, -(-(start + length) // align) * align)
        return self.keep(base, size, last=last)

    def keep(self, base, size, *, last):
        """Keeps ``size`` words at a known address until a step, as where they change in place."""
        self._placed.append((base, size, last))
        self.depth = max(self.depth, base + size)
        return base

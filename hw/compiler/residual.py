"""Where the versions of the residual streams lie in the columns' residual memories."""

from dataclasses import dataclass

from golden.names import stream_name

from ..isa.pairs import pairs_of
from .allocate import Allocator


__all__ = ["ResidualMemory", "Version"]


@dataclass(frozen=True)
class Version:
    """One version of a stream.

    A position's pairs of channels lie side by side, ``step`` words from a column's position to its
    next.

    Parameters
    ----------
    base : int
        Address of the first word.
    step : int
    pairs : int
        Words of a tile.
    """

    base: int
    step: int
    pairs: int

    def of_tile(self, number):
        """Address of a tile's first word."""
        return self.base + number * self.pairs


class ResidualMemory:
    """Places each version when it is written.

    A write takes the place of the version that it adds to, unless a later layer still reads that
    one: then it gets a place of its own.

    Parameters
    ----------
    columns, lanes : int
        Columns take the lines of a map in turn.
    last : dict of str to int
        Step at which each stream tensor is read last.

    Attributes
    ----------
    versions : dict of str to Version
        By the stream tensor's name.
    branches : bool
        Whether a write left the version that it added to where it was.
    """

    def __init__(self, columns, lanes, last):
        self._columns, self._pairs, self._last = columns, pairs_of(lanes), last
        self._allocator = Allocator()
        self.versions = {}
        self.branches = False

    @property
    def depth(self):
        """Words of each column's memory, at least one."""
        return max(1, self._allocator.depth)

    def write(self, layer, *, step, size, tiles):
        """Places the version that a layer writes.

        Parameters
        ----------
        layer : Conv
            With the epilogue `Write`.
        step : int
        size : (int, int)
            Lines and positions of each.
        tiles : int

        Returns
        -------
        read, written : Version
            The version that is added to, and the new one; the same where there is none before.
        """
        name, previous = stream_name(layer), self.versions.get(layer.epilogue.previous)
        words = tiles * self._pairs
        n_words = -(-size[0] // self._columns) * size[1] * words
        last = self._last.get(name, step)
        if previous is not None and self._last[layer.epilogue.previous] == step:
            base = self._allocator.keep(previous.base, n_words, step=step, last=last)
        else:
            base = self._allocator.place(n_words, step=step, last=last)
            self.branches |= previous is not None
        self.versions[name] = Version(base, words, self._pairs)
        return previous or self.versions[name], self.versions[name]

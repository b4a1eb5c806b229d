"""Placing tensors in one memory: those that are never needed together share words."""

from dataclasses import dataclass


__all__ = ["Allocator"]


@dataclass(frozen=True)
class Block:
    """Words that are needed from one step to another.

    Parameters
    ----------
    size : int
    step : int
        At which the words are written, while what is read at this step is still needed.
    last : int
        At which they are read last.
    align : int
        What the address is a multiple of.
    """

    size: int
    step: int
    last: int
    align: int = 1

    def meets(self, other):
        """Whether both are needed at the same step."""
        return self.step <= other.last and other.step <= self.last


class Allocator:
    """Places blocks as they come, first fit by lifetime, or where it is told to.

    Parameters
    ----------
    bases : sequence of int
        Addresses of the first blocks that are placed, if they are known.

    Attributes
    ----------
    placed : list of (Block, int)
        Blocks so far, and their addresses.
    """

    def __init__(self, bases=()):
        self._bases = iter(bases)
        self.placed = []

    @property
    def depth(self):
        """Words of the memory so far."""
        return _depth(self.placed)

    def arranged(self):
        """Addresses at which the blocks that were placed take fewer words, or () if none are known.

        Those of the most crowded steps are placed first. Where a network is a chain, its maps so
        take no more words than are needed at once; first fit in the order of the chain leaves gaps
        in which the next map has no room.
        """
        blocks = [block for block, _ in self.placed]
        needed = {
            step: sum(block.size for block in blocks if block.step <= step <= block.last)
            for step in range(max((block.last for block in blocks), default=0) + 1)
        }
        crowds = [max(needed[step] for step in range(each.step, each.last + 1)) for each in blocks]
        bases, placed = {}, []
        for number in sorted(range(len(blocks)), key=lambda number: (-crowds[number], number)):
            bases[number] = _fit(blocks[number], placed)
            placed.append((blocks[number], bases[number]))
        return [bases[number] for number in sorted(bases)] if _depth(placed) < self.depth else ()

    def place(self, size, *, step, last, align=1):
        """Base address for the words of a `Block`; ``last`` is ``step`` if nothing reads them."""
        block = Block(size, step, last, align)
        base = next(self._bases, None)
        return self._keep(block, _fit(block, self.placed) if base is None else base)

    def keep(self, base, size, *, step, last):
        """Keeps ``size`` words at a known address until a step, as where they change in place."""
        return self._keep(Block(size, step, last), base)

    def _keep(self, block, base):
        self.placed.append((block, base))
        return base


def _depth(placed):
    """Words that blocks take which are placed."""
    return max((base + block.size for block, base in placed), default=0)


def _fit(block, placed):
    """Lowest address at which a block meets none of those that are placed."""
    base = 0
    for start, size in sorted((at, other.size) for other, at in placed if other.meets(block)):
        if base + block.size <= start:
            break
        base = max(base, -(-(start + size) // block.align) * block.align)
    return base

"""One readout of the cycle model: what becomes of the sums of its column."""

from collections import deque

from ..isa.descriptors import Destination
from ..rtl.neuron import STAGES


__all__ = ["ReadoutCycles"]


#: Cycles from the last of a readout's output until nothing of it is under way.
BEHIND = {
    Destination.SPIKES: 3,
    Destination.VALUES: 3,
    Destination.KEY_VALUES: 3,
    Destination.SUMS: 5,
    Destination.LOGITS: 1,
}


class ReadoutCycles:
    """One column's readout in a layer, which begins with everything empty.

    Parameters
    ----------
    destination : Destination
    digits : int
        Digits of an element that the layer stores.
    column : ColumnCycles
    """

    def __init__(self, destination, *, digits, column):
        self.column = column
        self.destination = destination
        self.n_digits = digits
        #: Cycle from which the readout wants the bus; None if it does not.
        self.asks = None
        #: Cycle from which a readout may begin, if sums and jobs in flight allow it.
        self.again = 0
        #: Cycles of the latest logit, and from which nothing is under way.
        self.latest = self.idle = 0
        # Jobs whose readout has begun and whose place is not free again, and the most of them.
        self._jobs = 0
        self._most = 2 if destination in (Destination.SPIKES, Destination.VALUES) else 1
        # Cycles in which words are complete that wait for the one before, and in which that left.
        self._complete, self._left = deque(), 0
        # Digits of a job that are still to be packed, and cycles that each takes.
        self._digits = self._length = 0
        # Whether the bus waits for the sums of a job.
        self._locked = False

    def next_look(self):
        """Cycle in which ``look`` finds something to do, or None if nobody knows as yet."""
        if self.asks is not None and self.destination is Destination.SUMS:
            return None
        if self._jobs == self._most or self.column.ready is None:
            return None
        return max(self.again, self.column.ready)

    def look(self, cycle):
        """Begins a readout, or asks for the bus that it needs, if one may begin in this cycle.

        Returns
        -------
        bool
            Whether a readout begins.
        """
        ready = self.column.ready
        if cycle < self.again or self._jobs == self._most or ready is None or ready > cycle:
            return False
        if self.destination is Destination.SUMS and not self._locked:
            self.asks = self.asks or cycle + 1
            return False
        length = self.column.start(cycle)
        self.again = cycle + length + 1
        self._fire(cycle + length, length)
        return True

    def grant(self, cycle):
        """The bus is this readout's: a word leaves, or sums may from the next cycle on."""
        self.asks = None
        if self.destination is Destination.SUMS:
            self._locked = True
            return
        self._left = cycle
        self.idle = cycle + BEHIND[self.destination]
        if self.destination is not Destination.KEY_VALUES:
            self._jobs -= 1
        if self._complete:
            self._accept(self._complete.popleft())

    def _fire(self, released, length):
        """What becomes of a job whose last lane is released in a cycle, after so many of them."""
        fired = released + STAGES
        if self.destination is Destination.SUMS:
            self._locked = False
            self.idle = fired + BEHIND[self.destination]
        elif self.destination is Destination.LOGITS:
            self.latest = fired
            self.idle = fired + BEHIND[self.destination]
            self.again = fired + 2
        else:
            self._jobs += 1
            if self.destination is Destination.KEY_VALUES:
                self._digits, self._length = self.n_digits, length
                fired += length
            self._pack(fired)

    def _pack(self, complete):
        """A word is complete behind a cycle."""
        if self.asks is None and not self._complete:
            self._accept(complete)
        else:
            self._complete.append(complete)

    def _accept(self, complete):
        """A word moves on to where it waits for the bus."""
        accepted = max(complete + 1, self._left)
        self.asks = accepted + 1
        if self.destination is Destination.KEY_VALUES:
            self._digits -= 1
            if self._digits:
                self._complete.append(accepted + self._length)
            else:
                self._jobs -= 1
                self.again = max(self.again, accepted + 1)

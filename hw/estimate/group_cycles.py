"""One group of the cycle model: columns, and the firing unit and packer that they share."""

from collections import deque

from ..isa.descriptors import Destination
from ..rtl.firing import STAGES
from .column_cycles import ColumnCycles


__all__ = ["GroupCycles"]


#: Cycles from the last of a group's output until nothing of it is under way.
BEHIND = {
    Destination.SPIKES: 3,
    Destination.VALUES: 3,
    Destination.KEY_VALUES: 3,
    Destination.SUMS: 5,
    Destination.LOGITS: 1,
}


class GroupCycles:
    """One group of a layer, which begins with everything empty.

    Parameters
    ----------
    n_columns : int
        Columns that share the firing unit.
    destination : Destination
    digits : int
        Digits of an element that the layer stores.
    """

    def __init__(self, n_columns, destination, *, digits):
        self.columns = [ColumnCycles() for _ in range(n_columns)]
        self.destination = destination
        self.n_digits = digits
        #: Cycle from which the group wants the bus; None if it does not.
        self.asks = None
        #: Cycle from which a readout may begin, if columns and jobs in flight allow it.
        self.again = 0
        #: Cycles of the latest logit, and from which nothing is under way.
        self.latest = self.idle = 0
        # The column that was read out last.
        self._chosen = 0
        # Jobs whose readout has begun and whose place is not free again, and the most of them.
        self._jobs = 0
        self._most = 2 if destination in (Destination.SPIKES, Destination.VALUES) else 1
        # Cycles in which words are complete that wait for the one before, and in which that left.
        self._complete, self._left = deque(), 0
        # Digits of a job that are still to be packed, and its lanes.
        self._digits = self._lanes = 0
        # Whether the bus waits for the sums of a job.
        self._locked = False

    def next_look(self):
        """Cycle in which ``look`` finds something to do, or None if nobody knows as yet."""
        if self.asks is not None and self.destination is Destination.SUMS:
            return None
        if self._jobs == self._most:
            return None
        ready = [column.ready for column in self.columns if column.ready is not None]
        return max(self.again, min(ready)) if ready else None

    def look(self, cycle):
        """Begins a readout, or asks for the bus that it needs, if one may begin in this cycle.

        Returns
        -------
        int or None
            Column whose readout begins.
        """
        if cycle < self.again or self._jobs == self._most:
            return None
        column = self._choose(cycle)
        if column is None:
            return None
        if self.destination is Destination.SUMS and not self._locked:
            self.asks = self.asks or cycle + 1
            return None
        self._chosen = column
        lanes = self.columns[column].start(cycle)
        self.again = cycle + lanes + 1
        self._fire(cycle + lanes, lanes)
        return column

    def grant(self, cycle):
        """The bus is the group's: a word leaves, or sums may from the next cycle on."""
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

    def _choose(self, cycle):
        """Column whose sums are ready, or None."""
        count = len(self.columns)
        for offset in range(1, count + 1):
            index = (self._chosen + offset) % count
            ready = self.columns[index].ready
            if ready is not None and ready <= cycle:
                return index
        return None

    def _fire(self, released, lanes):
        """What becomes of a job whose last lane is released in a cycle."""
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
                self._digits, self._lanes = self.n_digits, lanes
                fired += lanes
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
                self._complete.append(accepted + self._lanes)
            else:
                self._jobs -= 1
                self.again = max(self.again, accepted + 1)

"""One column of the cycle model: when words leave its queue, and when its sums are ready."""

from collections import deque

from ..rtl.column import FETCH
from ..rtl.word_reader import READ_CYCLES


__all__ = ["ColumnCycles", "WRITTEN"]


#: Cycles from a word's issue until it is written to the queue.
WRITTEN = 1 + READ_CYCLES

#: Before the layer begins.
NEVER = -1

#: What nobody knows as yet lies behind this cycle.
UNKNOWN = 1 << 60


class ColumnCycles:
    """One column; its times are clock cycles, in which a register takes what it holds in the next.

    The sums of a job are ready behind its last event, once those of the job before were read out.
    Until the readout of the one before that has begun, nobody knows when this event goes on, nor,
    but for a few words, when those behind it are read from the queue.
    """

    __slots__ = (
        "_blocked",
        "_busy",
        "_closed",
        "_done",
        "_ended",
        "_ends",
        "_events",
        "_frozen",
        "_heads",
        "_state",
        "closings",
        "issued",
        "read",
        "ready",
        "visible",
    )

    def __init__(self):
        #: Cycle from which the sums of a job may be read out; None if there is none as yet.
        self.ready = None
        #: Cycles in which words that have events were issued, and were read from the queue's
        #: memory, as far as that is known.
        self.issued, self.read = [], []
        #: Words that the queue's level has counted, see `GeneratorCycles`.
        self.visible = 0
        #: Cycle in which the readout of each tile's last job began.
        self.closings = []
        # Of each word: events, and those in front of its last nibble with some; of each job that
        # was issued and is not gone through: number of words up to its end, lanes, and whether it
        # closes its tile.
        self._events, self._heads, self._ends = [], [], deque()
        # Words that were gone through; if the last event of their job waits for a readout, what
        # is known behind it, as `_state`, else None.
        self._done, self._blocked = 0, None
        # Jobs that are not read out: last event, lanes, and whether they close their tile.
        self._closed = deque()
        # Cycle in which the latest readout is so near its end that a job may close.
        self._ended = NEVER
        # The encoder stands still behind the first cycle, and before the second.
        self._frozen, self._busy = NEVER, NEVER
        # Cycles of the latest word: in which it left the memory's output, and the queue; and from
        # which the next one leaves the queue, and the next nibble's events begin.
        self._state = (NEVER, NEVER, NEVER, NEVER)

    def push(self, cycles, events, heads):
        """Issues words that have events.

        Parameters
        ----------
        cycles, events, heads : list of int
            Of each word: the cycle of its issue, its events, and those in front of its last nibble
            with some.
        """
        self.issued += cycles
        self._events += events
        self._heads += heads
        if self._blocked is None:
            self._go_on()
        elif self._blocked[0] < UNKNOWN:
            self._blocked = self._go(self._blocked, len(self.issued) - len(cycles))

    def end(self, lanes, closes_tile):
        """Ends a job behind the latest word."""
        self._ends.append((len(self.issued), lanes, closes_tile))
        if self._blocked is None:
            self._go_on()

    def start(self, cycle):
        """Begins the readout of the sums that are ready, and returns their lanes."""
        _, lanes, closes_tile = self._closed.popleft()
        if closes_tile:
            self.closings.append(cycle)
        self._ended = cycle + max(1, lanes - FETCH)
        self.ready = None
        if self._closed:
            self._close()
        if self._blocked is not None:
            self._blocked = None
            del self.read[self._done :]
            self._go_on()
        return lanes

    def _go_on(self):
        """Goes through words, as far as it is known what becomes of them."""
        while True:
            end = self._ends[0][0] if self._ends else len(self.issued)
            self._state = self._go(self._state, self._done, end)
            self._done = end
            if not self._ends:
                return
            self._closed.append((self._state[3], *self._ends.popleft()[1:]))
            if len(self._closed) == 1:
                self._close()
                continue
            self._frozen, self._busy = self._state[3], UNKNOWN
            self._blocked = self._go(self._state, self._done)
            return

    def _close(self):
        """The last event of the next job to be read out goes on, unless sums are in its way."""
        closed = self._closed[0][0]
        self._frozen, self._busy = closed, max(closed, self._ended) + 1
        self.ready = self._busy + FETCH

    def _go(self, state, begin, end=None):
        """State behind words, from which it is known when they were read."""
        moved, left, emptied, begins = state
        frozen, busy, read = self._frozen, self._busy, self.read
        if begin == end:
            return state
        for issued, events, head in zip(
            self.issued[begin:end], self._events[begin:end], self._heads[begin:end], strict=True
        ):
            fetched = issued + WRITTEN + 1
            if fetched < moved:
                fetched = moved
                if moved >= UNKNOWN:
                    break
            read.append(fetched)
            moved = fetched + 1
            if moved < left:
                moved = left
            left = moved + 1
            if left < emptied:
                left = emptied
            if frozen < left < busy:
                left = busy
            if begins <= left:
                begins = left + 1
            if frozen < begins < busy:
                begins = busy
            # Its events may begin in the last cycle before all stands still.
            moving = busy - 1 if begins == frozen else begins
            emptied = moving + head if head else begins
            begins = moving + events
        return moved, left, emptied, begins

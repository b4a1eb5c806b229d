"""One bank of the cycle model: when words leave its queue, and when its events are taken."""

from collections import deque

from ..rtl.word_reader import READ_CYCLES


__all__ = ["BankCycles", "UNKNOWN", "WRITTEN"]


#: Cycles from a word's issue until it is written to the queue.
WRITTEN = 1 + READ_CYCLES

#: Before the layer begins.
NEVER = -1

#: What nobody knows as yet lies behind this cycle.
UNKNOWN = 1 << 60


class BankCycles:
    """One bank; its times are clock cycles, in which a register takes what it holds in the next.

    Words are gone through as far as it is known what becomes of them, which is up to the end of a
    pass, where the bank waits for others. A few words behind it go on nevertheless.
    """

    __slots__ = (
        "_done",
        "_ends",
        "_events",
        "_floor",
        "_heads",
        "_state",
        "issued",
        "read",
        "seen",
    )

    def __init__(self):
        #: Cycles in which words that have events were issued, and were read from the queue's
        #: memory, as far as that is known.
        self.issued, self.read = [], []
        #: Words that the queue's level has counted, see `GeneratorCycles`.
        self.seen = 0
        # Of each word: events, and those in front of its last nibble with some; and number of words
        # up to the end of each pass that is not finished.
        self._events, self._heads, self._ends = [], [], deque()
        # Words that were gone through, and cycles of the latest one: in which it left the memory's
        # output and the queue, its last nibble left the encoder's first register, its last event
        # the second one, and in which that was taken.
        self._done, self._state = 0, (NEVER,) * 5
        # Cycle from which the first event behind these words may be taken.
        self._floor = 0

    def push(self, cycles, events, heads, ends):
        """Issues words that have events.

        Parameters
        ----------
        cycles, events, heads : list of int
            Of each word: the cycle of its issue, its events, and those in front of its last nibble
            with some.
        ends : list of int
            Number of these words up to the end of each pass.
        """
        self._ends += [len(self.issued) + end for end in ends]
        self.issued += cycles
        self._events += events
        self._heads += heads

    @property
    def ended(self):
        """Whether all words of the pass are issued that the bank is at."""
        return bool(self._ends)

    def finish(self, free):
        """Goes through a pass whose last event may be taken from a cycle on; returns when it is."""
        self._go_on()
        self._ends.popleft()
        *state, taken = self._state
        taken = max(taken, free)
        self._state = (*state, taken)
        return taken

    def begin(self, cycle):
        """From this cycle on, the first event of the next pass may be taken."""
        self._floor = cycle

    def look_ahead(self, begins):
        """Goes through what was issued, though it is not known when the pass is finished.

        Nor when the next one ``begins`` if that is `UNKNOWN`.
        """
        if begins >= UNKNOWN:
            del self.read[self._done :]
            self.begin(begins)
            self._go(self._state, self._done, len(self.issued))
            return
        self._go_on()
        if self._ends:
            # Its last event may be taken late, and the next one is.
            self._go((*self._state[:-1], UNKNOWN), self._done, len(self.issued))

    def _go_on(self):
        """Goes through words up to the end of the pass."""
        del self.read[self._done :]
        end = self._ends[0] if self._ends else len(self.issued)
        self._state = self._go(self._state, self._done, end)
        self._done = end

    def _go(self, state, begin, end):
        """State behind words, from which it is known when they were read."""
        if begin == end:
            return state
        moved, left, emptied, sent, taken = state
        floor, self._floor = self._floor, 0
        read = self.read
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
            # Its first nibble moves when the last event of the word before has, its first event
            # when that was taken.
            begun = left + 1
            if begun < sent:
                begun = sent
            sent = begun + 1
            if sent < taken:
                sent = taken
            first = sent + 1
            if first < floor:
                first = floor
            floor = 0
            taken = first + events - 1
            emptied = begun
            if head:
                emptied = sent if head == 1 else first + head - 2
            if events > 1:
                sent = taken - 1
        return moved, left, emptied, sent, taken

"""One column of the cycle model."""

from collections import deque

from ..rtl.column import WORDS
from ..rtl.walker import UNDER_WAY


__all__ = ["ColumnCycles"]


class ColumnCycles:
    """One column, a cycle at a time; state is what registers hold at the beginning of a cycle.

    A cycle is ``look``, then whatever the group decides, then ``move``.
    """

    def __init__(self):
        #: Job in reserve: events per nibble of each word, and its lanes.
        self.reserve = None
        self.job, self.at, self.busy = [], 0, False
        self.asked = self.read = self.found = None
        self.words = deque()
        # Whether there was room for more of them, in the cycle before.
        self.not_full = True
        #: Lanes of the job that is read out next, and of the one behind it.
        self.result = self.behind = None
        # The word: events of its nibbles that have not moved on, and whether it closes a job.
        self.nibbles, self.last_word = deque(), False
        self.events, self.closes = 0, False
        # Stages of the fetch pipeline: None, or whether the event closes a job.
        self.sent = self.asking = self.fetching = self.loaded = None
        self.occupied = self.waiting = False

    def look(self):
        """Whether the sums of a job are finished that are not being read out."""
        return self.waiting or self.loaded is True

    def move(self, offered, *, readout_start, readout_ends_in_3):
        """Advances by one cycle.

        Parameters
        ----------
        offered : (list of tuple of int, int) or None
            A job that the column takes; only while there is none in reserve.
        readout_start : bool
            The readout of the finished job begins.
        readout_ends_in_3 : bool
            Its last lane is released soon, as in ``Column``.
        """
        issue = self.busy and self.not_full
        self.not_full = len(self.words) < WORDS - UNDER_WAY - 1
        last = issue and self.at == len(self.job) - 1
        job_fire = self.reserve is not None and self.behind is None and (not self.busy or last)
        self.waiting = self.look() and not readout_start
        if readout_start:
            self.result = None
        if self.result is None:
            self.result, self.behind = self.behind, None

        stall = self.sent is True and self.occupied
        self.loaded, self.fetching, self.asking = (
            self.fetching,
            self.asking,
            None if stall else self.sent,
        )
        if readout_ends_in_3:
            self.occupied = False
        elif self.sent is True and not stall:
            self.occupied = True
        if not stall:
            self._encode()
        self._generate(issue, last)
        if job_fire:
            self.job, self.behind = self.reserve
            self.at, self.busy = 0, True
            self.reserve = None
        if offered is not None:
            self.reserve = offered

    def _encode(self):
        self.sent = (self.closes and self.events == 1) if self.events else None
        if self.events > 1:
            self.events -= 1
        elif self.nibbles:
            self.events = self.nibbles.popleft()
            self.closes = self.last_word and not self.nibbles
        else:
            self.events = 0
        if not self.nibbles and self.words:
            nibbles, self.last_word = self.words.popleft()
            self.nibbles = deque(nibbles)

    def _generate(self, issue, last):
        if self.found is not None and (self.found[0] or self.found[1]):
            self.words.append((self.found[0] or (1,), self.found[1]))
        self.found, self.read = self.read, self.asked
        self.asked = (self.job[self.at], last) if issue else None
        if issue:
            self.at += 1
            self.busy = not last

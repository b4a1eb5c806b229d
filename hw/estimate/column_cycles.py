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
        # Whether there was space for more of them, in the cycle before.
        self.space = True
        #: Lanes of the job that is drained next, and of the one behind it.
        self.result = self.behind = None
        # The word: events of its nibbles that have not moved on, and whether it closes a job.
        self.nibbles, self.last_word = deque(), False
        self.events, self.closes = 0, False
        # Stages of the fetch pipeline: None, or whether the event closes a job.
        self.sent = self.asking = self.fetching = self.loaded = None
        self.occupied = self.waiting = False

    def look(self):
        """Whether the sums of a job are finished that are not being drained."""
        return self.waiting or self.loaded is True

    def move(self, offered, *, begins, empties):
        """Advances by one cycle.

        Parameters
        ----------
        offered : (list of tuple of int, int) or None
            A job that the column takes; only while there is none in reserve.
        begins : bool
            The drain of the finished job begins.
        empties : bool
            Its last lane is released soon, as in ``Column``.
        """
        issue = self.busy and self.space
        self.space = len(self.words) < WORDS - UNDER_WAY - 1
        last = issue and self.at == len(self.job) - 1
        starts = (self.reserve is not None and self.behind is None
                  and (not self.busy or last))
        self.waiting = self.look() and not begins
        if begins:
            self.result = None
        if self.result is None:
            self.result, self.behind = self.behind, None

        hold = self.sent is True and self.occupied
        self.loaded, self.fetching, self.asking = (
            self.fetching, self.asking, None if hold else self.sent)
        if empties:
            self.occupied = False
        elif self.sent is True and not hold:
            self.occupied = True
        if not hold:
            self._find()
        self._walk(issue, last)
        if starts:
            self.job, self.behind = self.reserve
            self.at, self.busy = 0, True
            self.reserve = None
        if offered is not None:
            self.reserve = offered

    def _find(self):
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

    def _walk(self, issue, last):
        if self.found is not None and (self.found[0] or self.found[1]):
            self.words.append((self.found[0] or (1,), self.found[1]))
        self.found, self.read = self.read, self.asked
        self.asked = (self.job[self.at], last) if issue else None
        if issue:
            self.at += 1
            self.busy = not last

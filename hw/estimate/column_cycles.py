"""One column of the cycle model: when it begins its jobs, and when their sums are ready."""

from collections import deque

from ..rtl.column import FETCH, WORDS
from ..rtl.walker import UNDER_WAY


__all__ = ["ColumnCycles"]


#: Words that the queue in front of the finder has when the walker reads no more.
FULL = WORDS - UNDER_WAY - 1

#: Cycles from a word's address until it is in the queue, and until it can leave.
QUEUED, QUEUED_OUT = 3, 4

#: Before the layer begins.
NEVER = -1


class ColumnCycles:
    """One column; its times are clock cycles, in which a register takes what it holds in the next.

    A job is taken, waits in reserve, and fires: then its words are read. Its sums are ready behind
    its last event, once those of the job before were read out.
    """

    __slots__ = (
        "_begins",
        "_busy",
        "_closed",
        "_emptied",
        "_ended",
        "_fired",
        "_frozen",
        "_issued",
        "_left",
        "_queued",
        "_reserve",
        "_started",
        "free",
        "ready",
    )

    def __init__(self):
        #: Cycle from which the column takes a job; None while one waits, nobody knows how long.
        self.free = 0
        #: Cycle from which the sums of a job may be read out; None if there is none as yet.
        self.ready = None
        # The job in reserve: the cycle in which it was taken, its words, and its lanes.
        self._reserve = None
        # Cycles of the latest: job that fired, word that was read, and readout that began.
        self._fired = self._issued = self._started = NEVER
        # Of jobs that fired and are not read out: last event, and lanes.
        self._closed = deque()
        # Cycle in which the latest readout is so near its end that a job may close.
        self._ended = NEVER
        # Cycles in which each word with events enters and leaves the queue.
        self._queued, self._left = [], []
        # Cycles from which the next word leaves, and the next nibble's events begin.
        self._emptied = self._begins = NEVER
        # The finder stands still behind the first cycle, and before the second.
        self._frozen, self._busy = NEVER, NEVER

    def take(self, cycle, job, lanes):
        """Puts a job into reserve.

        Parameters
        ----------
        cycle : int
            At least ``free``.
        job : list of (int, int, int)
            From ``JobEvents.of``.
        lanes : int
        """
        self._reserve = cycle, job, lanes
        self.free = None
        # The lanes of two jobs are kept, of which one may be about to be read out.
        if len(self._closed) < 2:
            self._fire()

    def start(self, cycle):
        """Begins the readout of the sums that are ready, and returns their lanes."""
        _, lanes = self._closed.popleft()
        self._started = cycle
        self._ended = cycle + max(1, lanes - FETCH)
        self.ready = None
        if self._closed:
            self._close()
        if self._reserve:
            self._fire()
        return lanes

    def _fire(self):
        """The job in reserve begins."""
        taken, job, lanes = self._reserve
        self._reserve = None
        fired = max(taken + 1, self._fired + 2, self._started + 1, self._issued)
        self._fired, self.free = fired, fired + 1
        self._issue(fired, job)
        self._closed.append((self._begins, lanes))
        if len(self._closed) == 1:
            self._close()

    def _close(self):
        """The last event of the next job to be read out goes on, unless sums are in its way."""
        closed, _ = self._closed[0]
        self._frozen, self._busy = closed, max(closed, self._ended) + 1
        self.ready = self._busy + FETCH

    def _issue(self, now, job):
        """Reads the words of a job behind a cycle; whatever stops the finder is known by now."""
        queued, left = self._queued, self._left
        emptied, begins = self._emptied, self._begins
        frozen, busy = self._frozen, self._busy
        for distance, events, head in job:
            if len(left) < FULL or left[-FULL] < now:
                now += distance
            else:
                now = self._hindered(now, distance)
            leaves = now + QUEUED_OUT
            if leaves < emptied:
                leaves = emptied
            if frozen < leaves < busy:
                leaves = busy
            queued.append(now + QUEUED)
            left.append(leaves)
            if begins <= leaves:
                begins = leaves + 1
            if frozen < begins < busy:
                begins = busy
            # Its events may begin in the last cycle before all stands still.
            moving = busy - 1 if begins == frozen else begins
            emptied = moving + head if head else begins
            begins = moving + events
        self._emptied, self._begins = emptied, begins
        self._issued = now

    def _hindered(self, now, distance):
        """Cycle in which a word is read behind that of ``now``, while the queue may be full."""
        queued, left = self._queued, self._left
        for _ in range(distance):
            now += 1
            while True:
                # What had come to the queue in the cycle before last, and how much was to leave.
                count = len(queued)
                while count and queued[count - 1] > now - 2:
                    count -= 1
                if count < FULL or left[count - FULL] <= now - 2:
                    break
                now = left[count - FULL] + 2
        return now

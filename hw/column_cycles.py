"""One column of the cycle model."""

from collections import deque
from enum import Enum, auto

from .column import JOBS, WORDS
from .firing import STAGES
from .records import Drain


__all__ = ["ColumnCycles", "Output"]


class Output(Enum):
    """What a column gives away in a cycle."""

    SPIKE = auto()
    SUM = auto()
    LOGIT = auto()


class ColumnCycles:
    """One column, a cycle at a time; state is what registers hold at the beginning of a cycle."""

    def begin(self, drain, planes, digit_width, digits):
        """Starts a layer, with everything empty.

        Parameters
        ----------
        drain : Drain
        planes : int
            Planes of a spike map.
        digit_width, digits : int
            Bits of a digit, and digits of an entry that the layer stores.
        """
        self.drain = drain
        self.n_digits = digits
        self.n_words = {Drain.VALUES: digit_width,
                        Drain.KEY_VALUES: digits * digit_width}.get(drain, planes)
        self.digit = 0
        self.job, self.at, self.busy = [], 0, False
        self.reading = self.found = None
        self.words = deque()
        self.results = deque()
        self.events, self.closes = 0, False
        # Stages of the fetch pipeline: None, or whether the event closes a job.
        self.sent = self.fetching = self.loaded = None
        self.draining, self.settling = 0, False
        self.block_ends = False
        # Stages of the firing unit: None, or (lane, whether a block of keys ends).
        self.firing = [None] * STAGES
        # Words that are left of those that leave, and of keys the channel's lane.
        self.left, self.leaving_lane = 0, 0
        #: Whether the job that was offered in the latest cycle was taken.
        self.accepted = False

    def idle(self):
        """Whether everything that was accepted is stored."""
        return not (self.results or self.draining or self.settling or self.left
                    or any(stage is not None for stage in self.firing))

    def step(self, slot, offered):
        """Advances by one cycle.

        Parameters
        ----------
        slot : bool
            The bus belongs to this column.
        offered : (list of int, (int, bool)) or None
            A job: events per word, and its lanes and whether it ends a block of keys.

        Returns
        -------
        Output or None
        """
        output, complete, advance = self._fire(slot)
        hold = self.loaded is True and bool(self.draining or self.settling)
        closed = self.loaded is True and not hold

        # What the walker may do is decided by what the FIFO held at the beginning of the cycle.
        issue = self.busy and len(self.words) <= WORDS - 3
        last = issue and self.at == len(self.job) - 1
        self.accepted = (offered is not None and len(self.results) < JOBS
                         and (not self.busy or last))
        popped = None
        if not hold and self.events <= 1:
            popped = self.words.popleft() if self.words else (0, False)

        self._drain(slot, complete, advance)
        if closed:
            self.draining, self.block_ends = self.results.popleft()
        if not hold:
            self._fetch(popped)
        self._walk(issue, last)
        if self.accepted:
            self.job, result = offered
            self.results.append(result)
            self.at, self.busy = 0, True
        return output

    def _fire(self, slot):
        """Output, whether spike words are complete, and whether the firing unit moves."""
        fired = self.firing[-1]
        left = Output.SPIKE if self.left and slot else None
        if fired is None:
            return left, False, True
        if self.drain is Drain.SUMS:
            return Output.SUM if slot else None, False, slot
        if self.drain is Drain.LOGITS:
            return Output.LOGIT, False, True
        lane, block_ends = fired
        keys = self.drain is Drain.KEYS
        last_digit = self.digit == self.n_digits - 1
        complete = last_digit and (block_ends if keys else lane == 0)
        blocked = self.left and (complete or (keys and lane == self.leaving_lane))
        if not blocked:
            self.digit = 0 if last_digit else self.digit + 1
        return left, complete, last_digit and not blocked

    def _drain(self, slot, complete, advance):
        if self.left and slot:
            self.left -= 1
        if complete and advance:
            self.left, self.leaving_lane = self.n_words, self.firing[-1][0]
        if advance:
            taken = (self.draining - 1, self.block_ends) if self.draining else None
            self.firing = [taken, *self.firing[:-1]]
            self.settling = self.draining == 1
            self.draining = max(0, self.draining - 1)

    def _fetch(self, popped):
        self.loaded, self.fetching = self.fetching, self.sent
        self.sent = (self.closes and self.events == 1) if self.events else None
        if popped is None:
            self.events -= 1
        else:
            self.events, self.closes = popped

    def _walk(self, issue, last):
        if self.found is not None and (self.found[0] or self.found[1]):
            self.words.append((max(1, self.found[0]), self.found[1]))
        self.found = self.reading
        self.reading = (self.job[self.at], last) if issue else None
        if issue:
            self.at += 1
            self.busy = not last

"""One group of the cycle model: columns, and the firing unit and packer that they share."""

from collections import deque
from enum import Enum, auto

from .column_cycles import ColumnCycles
from .firing import STAGES
from .records import Drain


__all__ = ["GroupCycles", "Output"]


class Output(Enum):
    """What a group gives away in a cycle."""

    WORD = auto()
    SUM = auto()
    LOGIT = auto()


class GroupCycles:
    """One group, a cycle at a time; state is what registers hold at the beginning of a cycle.

    A layer begins with everything empty.

    Parameters
    ----------
    n_columns : int
        Columns that share the firing unit.
    drain : Drain
    digits : int
        Digits of an entry that the layer stores.
    """

    def __init__(self, n_columns, drain, *, digits):
        self.columns = [ColumnCycles() for _ in range(n_columns)]
        self.drain = drain
        self.n_digits = digits
        # The column that was drained last.
        self.chosen = 0
        # Lanes that are still to be released, and whether one was in the latest cycle.
        self.draining, self.settling = 0, False
        # Stages of the firing unit: None, or the lane.
        self.firing = [None] * STAGES
        # Lanes of a job whose potentials wait, and of each digit that is still to be packed.
        self.collected, self.replay = 0, deque()
        # Whether a word, or a sum, waits for the bus.
        self.leaving, self.summing = False, False

    def idle(self):
        """Whether everything that was accepted is stored."""
        return not (self.draining or self.settling or self.leaving or self.replay or self.summing
                    or any(stage is not None for stage in self.firing)
                    or any(column.reserve or column.behind is not None
                           or column.result is not None for column in self.columns))

    def request(self):
        """Whether something waits for the bus."""
        return self.leaving or self.summing

    def step(self, slot, offered):
        """Advances by one cycle.

        Parameters
        ----------
        slot : bool
            The bus belongs to this group.
        offered : (int, tuple) or None
            Column that takes a job, and the job as ``ColumnCycles.move`` does.

        Returns
        -------
        Output or None
        """
        ready = [column.look() for column in self.columns]
        output, complete, advance = self._fire(slot)
        finishes = self.draining == 1
        drained = self.chosen
        begins = None
        if not self.draining or (finishes and advance):
            begins = self._choose(ready)
        self._move(slot, complete, advance)
        if begins is not None:
            self.chosen = begins
            self.draining = self.columns[begins].result
        for index, column in enumerate(self.columns):
            job = offered[1] if offered is not None and offered[0] == index else None
            column.move(job, begins=begins == index,
                        finishes=finishes and index == drained, advance=advance)
        return output

    def _choose(self, ready):
        """Column whose drain begins, or None."""
        for offset in range(1, len(ready) + 1):
            index = (self.chosen + offset) % len(ready)
            if ready[index]:
                return index
        return None

    def _fire(self, slot):
        """Output, whether spike words are complete, and whether the firing unit moves."""
        fired = self.firing[-1]
        left = Output.WORD if self.leaving and slot else None
        if self.drain is Drain.KEY_VALUES:
            return left, *self._replay(fired)
        if self.drain is Drain.SUMS:
            waited = self.summing
            self.summing = not slot if waited else fired is not None
            return Output.SUM if waited and slot else None, False, not waited or fired is None
        if fired is None:
            return left, False, True
        if self.drain is Drain.LOGITS:
            return Output.LOGIT, False, True
        complete = fired == 0
        return left, complete, not (complete and self.leaving)

    def _replay(self, fired):
        """Whether a digit of all lanes is complete, and whether the firing unit moves."""
        if not self.replay:
            if fired == 0 and self.leaving:
                return False, False
            if fired is not None:
                self.collected += 1
            if fired == 0:
                self.replay = deque([self.collected] * self.n_digits)
                self.collected = 0
            return False, True
        complete = self.replay[0] == 1
        if complete and self.leaving:
            complete = False
        elif complete:
            self.replay.popleft()
        else:
            self.replay[0] -= 1
        return complete, fired is None

    def _move(self, slot, complete, advance):
        if slot:
            self.leaving = False
        if complete and (advance or self.drain is Drain.KEY_VALUES):
            self.leaving = True
        if advance:
            taken = self.draining - 1 if self.draining else None
            self.firing = [taken, *self.firing[:-1]]
            self.settling = self.draining > 0
            self.draining = max(0, self.draining - 1)

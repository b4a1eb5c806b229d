"""One group of the cycle model: columns, and the firing unit and packer that they share."""

from collections import deque
from enum import Enum, auto

from ..isa.descriptors import Destination
from ..rtl.column import FETCH
from ..rtl.firing import STAGES
from .column_cycles import ColumnCycles


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
    destination : Destination
    digits : int
        Digits of an element that the layer stores.
    """

    def __init__(self, n_columns, destination, *, digits):
        self.columns = [ColumnCycles() for _ in range(n_columns)]
        self.destination = destination
        self.n_digits = digits
        # The column that was read out last.
        self.chosen = 0
        # Lanes that are still to be released, and whether one was in the latest cycle.
        self.reading_out, self.released = 0, False
        # Whether the holding registers that are read out will be free for an event of now.
        self.ends_in_3 = False
        # Stages of the firing unit: None, or the lane.
        self.firing = [None] * STAGES
        # Jobs whose readout has begun and whose place is not free again.
        self.jobs = 0
        # Lanes of a job whose potentials wait, and of each digit that is still to be packed.
        self.collected, self.replay = 0, deque()
        # Whether a word is complete, and whether the one before waits for the bus.
        self.complete = self.leaving = False
        # Whether the group waits for the bus to send sums, and has it; whether a logit just left.
        self.requesting = self.locked = self.logged = False

    def idle(self):
        """Whether everything that was accepted is stored."""
        return not (
            self.reading_out
            or self.released
            or self.complete
            or self.leaving
            or self.replay
            or any(stage is not None for stage in self.firing)
            or any(
                column.reserve or column.behind is not None or column.result is not None
                for column in self.columns
            )
        )

    def request(self):
        """Whether something waits for the bus."""
        return self.leaving or self.requesting

    def step(self, grant, offered):
        """Advances by one cycle.

        Parameters
        ----------
        grant : bool
            The bus belongs to this group.
        offered : (int, tuple) or None
            Column that takes a job, and the job as ``ColumnCycles.move`` does.

        Returns
        -------
        Output or None
        """
        ready = [column.look() for column in self.columns]
        finishes, ends_in_3, read_out = self.reading_out == 1, self.ends_in_3, self.chosen
        self.ends_in_3 = self.reading_out == FETCH + 2
        starting = self._choose(ready) if not self.reading_out and self._room() else None
        self.released = self.reading_out > 0
        fired = self.firing.pop()
        self.firing.insert(0, self.reading_out - 1 if self.reading_out else None)
        self.reading_out = max(0, self.reading_out - 1)
        wants = (
            self.destination is Destination.SUMS
            and any(ready)
            and not self.jobs
            and starting is None
            and not self.locked
        )
        output, done = self._fire(fired, grant)
        if self.destination is Destination.SUMS:
            done = finishes
        self.jobs += (starting is not None) - done
        if self.destination is Destination.SUMS:
            self.locked = grant or (self.locked and not done)
            self.requesting = wants and not grant
        if starting is not None:
            self.chosen = starting
            self.reading_out = self.columns[starting].result
            self.ends_in_3 = self.reading_out <= FETCH + 1
        for index, column in enumerate(self.columns):
            job = offered[1] if offered is not None and offered[0] == index else None
            column.move(
                job,
                readout_start=starting == index,
                readout_ends_in_3=ends_in_3 and index == read_out,
            )
        return output

    def _room(self):
        """Whether the readout of a job may begin."""
        if self.destination in (Destination.SPIKES, Destination.VALUES):
            return self.jobs < 2
        return not (
            self.jobs or self.logged or (self.destination is Destination.SUMS and not self.locked)
        )

    def _choose(self, ready):
        """Column whose readout begins, or None."""
        for offset in range(1, len(ready) + 1):
            index = (self.chosen + offset) % len(ready)
            if ready[index]:
                return index
        return None

    def _fire(self, fired, grant):
        """Output, and whether the place of a job is free."""
        if self.destination is Destination.SUMS:
            return Output.SUM if fired is not None else None, False
        if self.destination is Destination.LOGITS:
            self.logged = fired is not None
            return Output.LOGIT if self.logged else None, fired == 0
        word_fire = self.leaving and grant
        word_accepted = self.complete and (not self.leaving or word_fire)
        replays = self.destination is Destination.KEY_VALUES
        closes = fired == 0
        done = word_fire
        if replays:
            done = word_accepted and not self.replay
            closes = self._replay(fired)
        self.leaving = word_accepted or (self.leaving and not word_fire)
        self.complete = closes or (self.complete and not word_accepted)
        return Output.WORD if word_fire else None, done

    def _replay(self, fired):
        """Whether the last lane of a digit is packed."""
        closes = False
        if self.replay and not self.complete:
            self.replay[0] -= 1
            closes = self.replay[0] == 0
            if closes:
                self.replay.popleft()
        if fired is not None:
            self.collected += 1
        if fired == 0:
            self.replay = deque([self.collected] * self.n_digits)
            self.collected = 0
        return closes

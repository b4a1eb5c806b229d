"""One column of the cycle model: when its sums are ready."""

from collections import deque

from ..isa.pairs import pairs_of
from ..rtl.column import FETCH
from .bank_cycles import UNKNOWN, BankCycles


__all__ = ["ColumnCycles"]


class ColumnCycles:
    """One column, whose banks wait for each other at the end of each pass.

    The sums of a job are ready behind its last event, or the last doubling behind that, once those
    of the job before were read out. Until the readout of that one has begun, nobody knows when this
    is.

    Parameters
    ----------
    banks : int
    passes : int
        Of each job, in all digits.
    doublings, shift : int
        How often sums double between two of them, and behind the last one.
    per_pair : int
        Cycles in which a pair of lanes is read out.
    """

    __slots__ = (
        "_doublings",
        "_free",
        "_jobs",
        "_left",
        "_passes",
        "_per_pair",
        "_shift",
        "_shifted",
        "banks",
        "closings",
        "ready",
    )

    def __init__(self, *, banks, passes, doublings, shift, per_pair):
        self.banks = [BankCycles() for _ in range(banks)]
        #: Cycle from which the sums of a job may be read out; None if there is none as yet.
        self.ready = None
        #: Cycle in which the readout of each tile's last job began.
        self.closings = []
        self._passes, self._doublings, self._shift = passes, doublings, shift
        self._per_pair = per_pair
        # Of each job that is not read out: cycles that it takes, and whether it closes its tile.
        self._jobs = deque()
        # Passes that are left of a job, and the cycle from which its last event may be taken.
        self._left, self._free = passes, 0
        # Cycle of the last doubling if the holding registers are free; None while events are left.
        self._shifted = None

    def end(self, lanes, closes_tile):
        """Ends a job behind the latest words."""
        self._jobs.append((pairs_of(lanes) * self._per_pair, closes_tile))
        self.go_on()

    def start(self, cycle):
        """Begins the readout of the sums that are ready, and returns the cycles that it takes."""
        length, closes_tile = self._jobs.popleft()
        if closes_tile:
            self.closings.append(cycle)
        self.ready = None
        self._free = cycle + max(1, length - FETCH) + 1
        self.go_on()
        return length

    def go_on(self):
        """Goes through what was issued, as far as it is known what becomes of it."""
        while self._goes_on():
            pass
        for bank in self.banks:
            bank.look_ahead(begins=0 if self._shifted is None else UNKNOWN)

    def _goes_on(self):
        """Goes through a pass, or ends a job whose sums were shifted, if it is known when."""
        last, free = self._left == 1, self._free
        if self._shifted is None:
            if not all(bank.ended for bank in self.banks):
                return False
            waits = last and not self._shift
            if waits and free >= UNKNOWN:
                return False
            taken = max([bank.finish(free if waits else 0) for bank in self.banks])
            if last and self._shift:
                self._shifted = taken + self._shift
                return True
        else:
            if free >= UNKNOWN:
                return False
            taken, self._shifted = max(self._shifted, free), None
        for bank in self.banks:
            bank.begin(taken + (1 if last else self._doublings))
        self._left = self._passes if last else self._left - 1
        if last:
            self.ready, self._free = taken + FETCH, UNKNOWN
        return True

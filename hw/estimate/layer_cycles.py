"""A layer of the cycle model: jobs go to columns, and outputs of groups over the bus.

Between two events of which something depends, nothing but counters changes in the hardware: the
model goes from one such event to the next, in the order of their cycles.
"""

from heapq import heappop, heappush

from ..isa.descriptors import Destination
from ..rtl.sequencer import LINE_CYCLES
from .group_cycles import GroupCycles


__all__ = ["LayerCycles"]


class LayerCycles:
    """One layer.

    Parameters
    ----------
    layer : LayerPlan
    required : CoreConfig
    events : JobEvents
    tile_words : int
        Words of a tile's descriptor.
    """

    def __init__(self, layer, required, events, tile_words):
        self.layer, self.required, self.events = layer, required, events
        # From the descriptor of a tile to what its first line needs.
        self.tile_cycles = tile_words + 1
        destination = layer.descriptor["drain"]
        self.sends_sums = destination is Destination.SUMS
        self.groups = [
            GroupCycles(
                required.columns_per_group, destination, digits=layer.descriptor["out_digits"] + 1
            )
            for _ in range(required.groups)
        ]
        # What is looked at, and when: groups by their numbers, jobs, and last of all the bus.
        self.agenda = []
        # Of each group, the cycles that are on it: of the latest look, and of the latest request.
        self.looks, self.requests = [[None] * len(self.groups) for _ in range(2)]
        # Whether a job waits for a column.
        self.waits = False
        self.dispatch, self.bus = len(self.groups), len(self.groups) + 1
        # The group that had the bus last and the cycle of it, and when others may have it again.
        self.granted, self.granted_at, self.unlocked = -1, -1, 0

    def run(self, now):
        """Go through the layer.

        Parameters
        ----------
        now : int
            Cycle in which its descriptor is there.

        Returns
        -------
        asked : int
            Cycle in which the next layer's descriptor is asked for.
        logit : int
            Cycle of the last logit; 0 if there is none.
        """
        jobs = self._jobs(now)
        offered, allowed, job = next(jobs)
        self._plan(offered, self.dispatch)
        while self.agenda:
            cycle, number = heappop(self.agenda)
            if number == self.bus:
                self._grant(cycle)
            elif number != self.dispatch:
                self._look(cycle, number)
            elif job is not None and cycle >= offered and self._offer(cycle, allowed, job):
                offered, allowed, job = jobs.send(cycle)
                self._plan(offered, self.dispatch)
        asked = max(group.idle for group in self.groups) + 2
        return asked, max(group.latest for group in self.groups)

    def _plan(self, cycle, number):
        heappush(self.agenda, (cycle, number))

    def _jobs(self, now):
        """Cycle from which each job is offered, columns that may take it, and words with lanes.

        Takes the cycle in which the job was taken. Behind the last comes one that is None.
        """
        # Tile descriptor, line and tap windows come before the first position of a line.
        ready = now + 1 + self.tile_cycles + LINE_CYCLES
        staged = moved = taken = 0
        latest = None
        for tile, line, position, allowed, lanes in _dispatch(self.layer, self.required):
            if latest is not None:
                ready = staged + 1
                if latest[0] != tile:
                    ready += self.tile_cycles
                if latest != (tile, line):
                    ready += LINE_CYCLES
            latest = tile, line
            staged = max(ready, moved)
            moved = max(staged + 1, taken)
            taken = yield moved + 1, allowed, (self.events.of(tile, line, position), lanes)
        yield taken, (), None

    def _offer(self, cycle, allowed, job):
        """Whether the first of the columns that have room takes a job."""
        n_groups = self.required.groups
        later = []
        for number in allowed:
            group = number % n_groups
            column = self.groups[group].columns[number // n_groups]
            if column.free is None:
                continue
            if column.free <= cycle:
                column.take(cycle, *job)
                self.waits = False
                self._follow(cycle, group)
                return True
            later.append(column.free)
        self.waits = True
        if later:
            self._plan(min(later), self.dispatch)
        return False

    def _look(self, cycle, number):
        """A group does what it can do in a cycle."""
        group = self.groups[number]
        column = group.look(cycle)
        if column is not None:
            if self.sends_sums:
                self.unlocked = group.again
                self._plan(self.unlocked, self.bus)
            free = group.columns[column].free
            if self.waits and free is not None and free > cycle:
                self._plan(free, self.dispatch)
        self._follow(cycle, number)

    def _follow(self, cycle, number):
        """What comes of what a group did in a cycle."""
        group = self.groups[number]
        look = group.next_look()
        if look is not None:
            look = max(look, cycle + 1)
            if look != self.looks[number]:
                self.looks[number] = look
                self._plan(look, number)
        if group.asks is not None and group.asks != self.requests[number]:
            self.requests[number] = group.asks
            self._plan(group.asks, self.bus)

    def _grant(self, cycle):
        """The bus goes round, once in a cycle, unless a group sends sums."""
        if self.unlocked is None or cycle < self.unlocked or cycle == self.granted_at:
            return
        asking = [
            number
            for number, group in enumerate(self.groups)
            if group.asks is not None and group.asks <= cycle
        ]
        if not asking:
            return
        number = next((number for number in asking if number > self.granted), asking[0])
        self.granted, self.granted_at = number, cycle
        self.groups[number].grant(cycle)
        if self.sends_sums:
            self.unlocked = None
        elif len(asking) > 1:
            self._plan(cycle + 1, self.bus)
        self._follow(cycle, number)


def _dispatch(layer, required):
    """Jobs in order: tile, line, position, columns that may take it, and lanes."""
    restart, n_groups = layer.descriptor["restart"], required.groups
    group = 0
    for tile, fields in enumerate(layer.tiles):
        if restart:
            group = 0
        for line in range(len(layer.lines)):
            for position in range(len(layer.positions)):
                allowed = range(required.columns)
                if layer.descriptor["drain"] is Destination.LOGITS:
                    allowed = (0,)
                elif restart:
                    allowed = range(group, required.columns, n_groups)
                yield tile, line, position, allowed, fields["lanes"]
                group = (group + 1) % n_groups

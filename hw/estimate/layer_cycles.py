"""A layer of the cycle model: words go to columns, and outputs of readouts over the bus.

Between two events of which something depends, nothing but counters changes in the hardware: the
model goes from one such event to the next, in the order of their cycles.
"""

from heapq import heappop, heappush

from ..isa.descriptors import Destination
from ..isa.pairs import PAIR
from .column_cycles import ColumnCycles
from .generator_cycles import GeneratorCycles
from .readout_cycles import ReadoutCycles


__all__ = ["LayerCycles"]


class LayerCycles:
    """One layer.

    Parameters
    ----------
    layer : LayerPlan
    required : CoreConfig
    events : JobEvents
    copies : TileCopies
    """

    def __init__(self, layer, required, events, copies):
        descriptor = layer.descriptor
        destination = descriptor["destination"]
        self.sends_sums = destination is Destination.SUMS
        columns = [
            ColumnCycles(
                banks=required.banks,
                passes=(descriptor["passes"] + 1) * (descriptor["digits"] + 1),
                doublings=required.pixel_doublings if descriptor["pixels"] else required.doublings,
                shift=descriptor["shift"].bit_length(),
                per_pair=PAIR if destination is Destination.LOGITS else 1,
            )
            for _ in range(required.columns)
        ]
        self.readouts = [
            ReadoutCycles(destination, digits=descriptor["out_digits"] + 1, column=column)
            for column in columns
        ]
        self.generator = GeneratorCycles(layer, required, events, columns, copies)
        # Cycles and who has something to do in them, and what of it is planned.
        self.agenda = []
        self.looks, self.requests = [[None] * len(self.readouts) for _ in range(2)]
        self.bus = len(self.readouts)
        # The readout that had the bus last and the cycle of it, and when others may have it again.
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
        issuing = self.generator.run(now)
        awaited = next(issuing, None)
        for number in range(len(self.readouts)):
            self._follow(now, number)
        while self.agenda:
            cycle, number = heappop(self.agenda)
            if number == self.bus:
                self._grant(cycle)
                continue
            readout = self.readouts[number]
            if readout.look(cycle):
                if self.sends_sums:
                    self.unlocked = readout.again
                    self._plan(self.unlocked, self.bus)
                if awaited is readout.column:
                    awaited = next(issuing, None)
                    for other in range(len(self.readouts)):
                        if other != number:
                            self._follow(cycle, other)
            self._follow(cycle, number)
        asked = max(readout.idle for readout in self.readouts) + 2
        return asked, max(readout.latest for readout in self.readouts)

    def _plan(self, cycle, number):
        heappush(self.agenda, (cycle, number))

    def _follow(self, cycle, number):
        """Plans what comes of what happened in a cycle."""
        readout = self.readouts[number]
        look = readout.next_look()
        if look is not None:
            look = max(look, cycle + 1)
            if look != self.looks[number]:
                self.looks[number] = look
                self._plan(look, number)
        if readout.asks is not None and readout.asks != self.requests[number]:
            self.requests[number] = readout.asks
            self._plan(readout.asks, self.bus)

    def _grant(self, cycle):
        """The bus goes round, once in a cycle, unless a column sends sums."""
        if self.unlocked is None or cycle < self.unlocked or cycle == self.granted_at:
            return
        asking = [
            number
            for number, readout in enumerate(self.readouts)
            if readout.asks is not None and readout.asks <= cycle
        ]
        if not asking:
            return
        number = next((number for number in asking if number > self.granted), asking[0])
        self.granted, self.granted_at = number, cycle
        self.readouts[number].grant(cycle)
        if self.sends_sums:
            self.unlocked = None
        elif len(asking) > 1:
            self._plan(cycle + 1, self.bus)
        self._follow(cycle, number)

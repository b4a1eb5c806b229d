"""Result counters: where the results of one column's jobs go."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..isa.spike_word import closes_layout
from .choose_add import choose_add, load_add


__all__ = ["ResultCounters", "handover_signature"]


def handover_signature(config):
    """How a column takes tiles over, seen from who starts them.

    The column has jobs in the tile that ``begins``: the ``first`` job of column 0 in it, and by how
    much that of this one lies behind it, its ``offset``. The tile ``waits`` until it is taken over;
    then there are jobs left of it while it is ``open``.
    """
    return wiring.Signature({
        "begins": Out(1),
        "first": Out(config.result),
        "offset": Out(config.out_address),
        "waits": In(1),
        "open": In(1),
    })


class ResultCounters(wiring.Component):
    """Counts on from where a tile's results begin, job by job.

    A tile is taken over once the readout of the last job of the one before has begun. Until all
    columns have done so, no further tile is offered.

    Parameters
    ----------
    config : CoreConfig

    Members
    -------
    layer : In(config.layer)
    tiles : In(handover_signature(config))
    taken : In(1)
        The readout of a job begins.
    closes : In(closes_layout())
        What ends with that job.
    result : Out(config.result)
        Of the next job.
    """

    def __init__(self, config):
        self.config = config
        super().__init__({
            "layer": In(config.layer),
            "tiles": In(handover_signature(config)),
            "taken": In(1),
            "closes": In(closes_layout()),
            "result": Out(config.result),
        })

    def elaborate(self, platform):
        m = Module()
        layer, tiles, first = self.layer, self.tiles, self.tiles.first
        loads = Signal()
        out = Signal(self.config.out_address)
        residual = Signal(self.config.residual_address)
        step = Mux(self.closes.line, layer.out_jump, layer.out_step)
        m.d.comb += loads.eq(tiles.waits & ~tiles.open)
        m.submodules.out = choose_add(
            choose=loads,
            base=self.result.out,
            other=first.out,
            addend=Mux(loads, tiles.offset, step),
            total=out,
        )
        m.submodules.residual = load_add(
            load=loads,
            value=first.stream,
            base=self.result.stream,
            addend=layer.stream_step,
            total=residual,
        )
        with m.If(loads | self.taken):
            m.d.sync += [self.result.out.eq(out), self.result.stream.eq(residual)]
        with m.If(self.taken & self.closes.tile):
            m.d.sync += tiles.open.eq(0)
        with m.If(loads):
            m.d.sync += [
                self.result.neuron.eq(first.neuron),
                self.result.last_lane.eq(first.last_lane),
                tiles.open.eq(1),
                tiles.waits.eq(0),
            ]
        with m.If(tiles.begins):
            m.d.sync += tiles.waits.eq(1)
        return m

"""Result counters: where the results of one column's jobs go."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..isa.spike_word import closes_layout
from .choose_add import choose_add, load_add


__all__ = ["ResultCounters"]


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
    begins : In(1)
        The column has jobs in the tile that ``first`` is of, from this cycle on.
    first : In(config.result)
        Of the first job of column 0 in that tile.
    offset : In(config.out_address)
        Of the first job of this column behind that.
    taken : In(1)
        The readout of a job begins.
    closes : In(closes_layout())
        What ends with that job.
    result : Out(config.result)
        Of the next job.
    waits : Out(1)
        A tile waits that was not taken over.
    open : Out(1)
        There are jobs left of the tile that was.
    """

    def __init__(self, config):
        self.config = config
        super().__init__({
            "layer": In(config.layer),
            "begins": In(1),
            "first": In(config.result),
            "offset": In(config.out_address),
            "taken": In(1),
            "closes": In(closes_layout()),
            "result": Out(config.result),
            "waits": Out(1),
            "open": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        layer, first = self.layer, self.first
        loads = Signal()
        out = Signal(self.config.out_address)
        residual = Signal(self.config.residual_address)
        step = Mux(self.closes.line, layer.out_jump, layer.out_step)
        m.d.comb += loads.eq(self.waits & ~self.open)
        m.submodules.out = choose_add(
            choose=loads,
            base=self.result.out,
            other=first.out,
            addend=Mux(loads, self.offset, step),
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
            m.d.sync += self.open.eq(0)
        with m.If(loads):
            m.d.sync += [
                self.result.neuron.eq(first.neuron),
                self.result.last_lane.eq(first.last_lane),
                self.open.eq(1),
                self.waits.eq(0),
            ]
        with m.If(self.begins):
            m.d.sync += self.waits.eq(1)
        return m

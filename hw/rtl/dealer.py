"""The dealer: forms jobs and gives each to a column."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..isa.descriptors import Destination
from .signals import signals


__all__ = ["Dealer"]


class Dealer(wiring.Component):
    """Joins layer, tile and windows into a job, and gives it to a column that is ready.

    Where a layer writes the stream, the position belongs to a group, one after the other. Logits
    are column 0's. Everything else may be done by any column. A job is on offer from two cycles
    after it was taken over until a column takes it.

    Where a layer gathers, a job reads one channel, with a mask of one bit; the next position of the
    tile reads the next channel.

    Parameters
    ----------
    config : CoreConfig

    Members
    -------
    layer : In(config.layer)
    layer_begins : In(1)
        The first column is next.
    tile : In(config.tile)
    tile_begins : In(1)
        The position is the first one of its tile.
    tile_half : In(1)
        Half of the double buffer that the tile lies in.
    line, position : In(config.tap_window)
    line_spike, line_row : In
        Where the line begins.
    offered : In(1)
        There is a position.
    taken : Out(1)
        It is taken over in this cycle.
    word_ends : Out(1)
        It is, and the next channel is gathered from the next word.
    job : Out(config.job)
    job_valid : Out(columns)
        One-hot: the column that takes the job.
    job_ready : In(columns)
    offering : Out(1)
        A job is on offer, or will be.
    using : Out(2)
        Halves of the double buffer that such jobs need.
    """

    def __init__(self, config):
        self.config = config
        super().__init__({
            "layer": In(config.layer),
            "layer_begins": In(1),
            "tile": In(config.tile),
            "tile_begins": In(1),
            "tile_half": In(1),
            "line": In(config.tap_window),
            "line_spike": In(config.source_address),
            "line_row": In(config.row_address),
            "position": In(config.tap_window),
            "offered": In(1),
            "taken": Out(1),
            "word_ends": Out(1),
            "job": Out(config.job),
            "job_valid": Out(config.columns),
            "job_ready": In(config.columns),
            "offering": Out(1),
            "using": Out(2),
        })

    def elaborate(self, platform):
        m = Module()
        config, layer, tile = self.config, self.layer, self.tile
        n_groups = config.groups

        group, target = signals("group target", range(max(2, n_groups)))
        out, next_out = signals("out next_out", config.out_address)
        stream, next_stream = signals("stream next_stream", config.residual_address)
        mask, next_mask = signals("mask next_mask", config.lanes)
        m.d.comb += [
            target.eq(Mux(self.tile_begins & layer.restart, 0, group)),
            next_out.eq(Mux(self.tile_begins, tile.out, out)),
            next_stream.eq(Mux(self.tile_begins, tile.stream, stream)),
            next_mask.eq(Mux(self.tile_begins, tile.first_mask, mask)),
            self.word_ends.eq(self.taken & layer.gather & next_mask[-1]),
        ]

        # Columns that may take the job on offer; the first one that is ready does.
        allowed = Signal(config.columns)
        candidates = Signal(config.columns)
        # The job behind it, whose jumps are not yet worked out.
        staged = Signal()
        staged_allowed = Signal(config.columns)
        stage = Signal(config.job)
        span = Signal(config.source_address)
        moves = Signal()
        m.d.comb += [
            candidates.eq(allowed & self.job_ready),
            self.job_valid.eq(candidates & -candidates),
            moves.eq(~allowed.any() | candidates.any()),
            self.offering.eq(staged | allowed.any()),
            self.taken.eq(self.offered & (~staged | moves)),
        ]
        with m.If(moves):
            m.d.sync += [
                allowed.eq(Mux(staged, staged_allowed, 0)),
                staged.eq(0),
                self.job.eq(stage),
                self.job.line_jump.eq(layer.line_stride - span),
            ]

        logits = layer.drain == Destination.LOGITS
        last_group = target == n_groups - 1
        with m.If(self.taken):
            m.d.sync += [
                staged.eq(1),
                staged_allowed.eq(
                    Cat(
                        (~layer.restart | (target == index % n_groups)) & (~logits | (index == 0))
                        for index in range(config.columns)
                    )
                ),
                # Tiles that read more words than the window says find them side by side.
                span.eq(self.position.span + tile.words),
                stage.spike.eq(self.line_spike + self.position.offset),
                stage.row.eq(self.line_row + self.position.row),
                stage.row_jump.eq(self.position.jump),
                stage.lines.eq(self.line.steps),
                stage.words.eq(self.position.steps + tile.words),
                stage.first_mask.eq(next_mask),
                stage.last_mask.eq(tile.last_mask),
                stage.lanes.eq(tile.lanes),
                stage.result.out.eq(next_out),
                stage.result.neuron.eq(tile.neuron),
                stage.result.stream.eq(next_stream),
                stage.result.last_lane.eq(tile.lanes - 1),
                out.eq(next_out + layer.out_step),
                mask.eq(Mux(layer.gather, next_mask.rotate_left(1), next_mask)),
                stream.eq(next_stream),
                group.eq(Mux(last_group, 0, target + 1)),
            ]
            if config.external:
                m.d.sync += stage.result.half.eq(self.tile_half)
            with m.If(last_group):
                m.d.sync += stream.eq(next_stream + layer.stream_step)
        with m.If(self.layer_begins):
            m.d.sync += group.eq(0)
        if config.external:
            m.d.comb += self.using.eq(
                Mux(staged, C(1, 2) << stage.result.half, 0)
                | Mux(allowed.any(), C(1, 2) << self.job.result.half, 0)
            )
        return m

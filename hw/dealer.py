"""The dealer: forms jobs and gives each to the column whose turn it is."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .records import Drain


__all__ = ["Dealer"]


class Dealer(wiring.Component):
    """Joins layer, tile and windows into a job; positions go to the columns in turn.

    Columns of different groups follow each other. Only the tokens of a block of keys, ``lanes`` or
    up to the end of a tile, stay in one group. A job is on offer from the cycle after it was taken
    over until its column takes it.

    Parameters
    ----------
    capacities : Capacities

    Members
    -------
    layer : In(capacities.layer)
    layer_begins : In(1)
        The first column is next.
    tile : In(capacities.tile)
    tile_begins, tile_ends : In(1)
        The position is the first or the last one of its tile.
    tile_half : In(1)
        Half of the double buffer that the tile lies in.
    line, position : In(capacities.window)
    line_spike, line_row : In
        Where the line begins.
    line_plane_jump : In(capacities.spike_address)
        From the last line of a plane to the first of the next.
    offered : In(1)
        There is a position.
    taken : Out(1)
        It is taken over in this cycle.
    job : Out(capacities.job)
    job_valid : Out(columns)
        One-hot: the column that the job is for.
    job_ready : In(columns)
    """

    def __init__(self, capacities):
        self.capacities = capacities
        super().__init__({
            "layer": In(capacities.layer),
            "layer_begins": In(1),
            "tile": In(capacities.tile),
            "tile_begins": In(1),
            "tile_ends": In(1),
            "tile_half": In(1),
            "line": In(capacities.window),
            "line_spike": In(capacities.spike_address),
            "line_row": In(capacities.row_address),
            "line_plane_jump": In(capacities.spike_address),
            "position": In(capacities.window),
            "offered": In(1),
            "taken": Out(1),
            "job": Out(capacities.job),
            "job_valid": Out(capacities.columns),
            "job_ready": In(capacities.columns),
        })

    def elaborate(self, platform):
        m = Module()
        capacities, layer, tile = self.capacities, self.layer, self.tile
        n_groups, n_shared = capacities.groups, capacities.shared
        keys = layer.drain == Drain.KEYS

        group, target = Signal(range(max(2, n_groups))), Signal(range(max(2, n_groups)))
        column, target_column = Signal(range(max(2, n_shared))), Signal(range(max(2, n_shared)))
        out, next_out = Signal(capacities.out_address), Signal(capacities.out_address)
        stream, next_stream = Signal(capacities.stream_address), Signal(capacities.stream_address)
        slot, next_slot = Signal(range(capacities.lanes)), Signal(range(capacities.lanes))
        restarts = self.tile_begins & layer.restart
        m.d.comb += [
            target.eq(Mux(restarts, 0, group)),
            target_column.eq(Mux(restarts, 0, column)),
            next_out.eq(Mux(self.tile_begins, tile.out, out)),
            next_stream.eq(Mux(self.tile_begins, tile.stream, stream)),
            next_slot.eq(Mux(self.tile_begins, 0, slot)),
        ]
        block_ends = Signal()
        m.d.comb += block_ends.eq((next_slot == capacities.lanes - 1) | self.tile_ends)

        # Tiles that read more words than the window says find them side by side.
        span, plane_jump = Signal(capacities.spike_address), Signal(capacities.spike_address)
        m.d.comb += [span.eq(self.position.span + tile.words),
                     plane_jump.eq(self.line_plane_jump - span)]

        free = Signal()
        m.d.comb += [
            free.eq(~self.job_valid.any() | (self.job_valid & self.job_ready).any()),
            self.taken.eq(self.offered & free),
        ]
        with m.If(free):
            m.d.sync += self.job_valid.eq(0)
        with m.If(self.taken):
            m.d.sync += [
                self.job_valid.eq(Cat((target == index % n_groups)
                                      & (target_column == index // n_groups)
                                      for index in range(capacities.columns))),
                self.job.spike.eq(self.line_spike + self.position.offset),
                self.job.row.eq(self.line_row + self.position.row),
                self.job.row_jump.eq(self.position.jump),
                self.job.line_jump.eq(layer.line_stride - span),
                self.job.plane_jump.eq(plane_jump),
                self.job.digit_jump.eq(plane_jump + layer.rewind),
                self.job.lines.eq(self.line.steps),
                self.job.words.eq(self.position.steps + tile.words),
                self.job.first_mask.eq(tile.first_mask),
                self.job.last_mask.eq(tile.last_mask),
                self.job.lanes.eq(tile.lanes),
                self.job.result.out.eq(next_out),
                self.job.result.neuron.eq(tile.neuron),
                self.job.result.stream.eq(next_stream),
                self.job.result.last_lane.eq(tile.lanes - 1),
                self.job.result.slot.eq(next_slot),
                self.job.result.block_last.eq(block_ends),

                slot.eq(Mux(block_ends, 0, next_slot + 1)),
                stream.eq(next_stream),
                group.eq(target),
                column.eq(target_column),
            ]
            if capacities.external:
                m.d.sync += self.job.result.half.eq(self.tile_half)
            # A block of keys goes to the columns of one group, everything else to all groups.
            last_group, last_column = target == n_groups - 1, target_column == n_shared - 1
            next_group = Mux(last_group, 0, target + 1)
            next_column = Mux(last_column, 0, target_column + 1)
            with m.If(~keys | block_ends):
                m.d.sync += [out.eq(next_out + layer.out_step), group.eq(next_group)]
            with m.Else():
                m.d.sync += [out.eq(next_out), column.eq(next_column)]
            with m.If(keys & block_ends):
                m.d.sync += column.eq(0)
            with m.If(~keys & last_group):
                m.d.sync += [column.eq(next_column), stream.eq(next_stream + layer.stream_step)]
        with m.If(self.layer_begins):
            m.d.sync += [group.eq(0), column.eq(0)]
        return m

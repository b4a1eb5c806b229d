"""The address generator: which pixels or spikes all columns read, and which rows they select."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .choose_add import choose_add
from .loops import Loops
from .memory import read_port
from .signals import signals
from .steps import place_layout, step_layout, taps_layout


__all__ = ["AddressGenerator", "READING"]


#: Cycles from a tile that is started until its first word is read.
READING = 5


class AddressGenerator(wiring.Component):
    """Reads words for all columns at once, each of which has an output line of its own.

    The columns take batches of lines; all of them compute the same position of theirs. The order
    is batches, positions of a line, digits of the rows' entries and passes (most significant
    first), then the rows of taps, then the words of each. One word is read per cycle.

    Rows of taps go through a pipeline: they are counted, their entries are read from the memory of
    tap windows, stand in registers, and are added up. The last stage goes from word to word.

    Parameters
    ----------
    config : CoreConfig

    Members
    -------
    layer : In(config.layer)
        Stable from a cycle before the first tile until ``idle``.
    tile : In(stream.Signature(config.tile))
        Taken two cycles after it is started at the earliest; must stay valid until then.
    hold : In(1)
        No tile may be started.
    stall : In(1)
        No word is to be read.
    rows : Out(read_port(window_address, tap_row))
    positions : Out(read_port(window_address, tap_position))
    step : Out(step_layout(config))
        One cycle after it was decided.
    result : Out(config.result)
        Of the tile that was taken last: where its first job's result goes.
    begins : Out(columns)
        The columns that have jobs in that tile, in the cycle in which ``result`` is new.
    idle : Out(1)
    """

    def __init__(self, config):
        self.config = config
        super().__init__({
            "layer": In(config.layer),
            "tile": In(stream.Signature(config.tile)),
            "hold": In(1),
            "stall": In(1),
            "rows": Out(read_port(config.window_address, config.tap_row)),
            "positions": Out(read_port(config.window_address, config.tap_position)),
            "step": Out(step_layout(config)),
            "result": Out(config.result),
            "begins": Out(config.columns),
            "idle": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        taps = Signal(taps_layout(self.config))
        advance, takes = signals("advance takes")
        m.d.comb += advance.eq(~taps.place.valid | takes)
        counted, active = self._count(m, advance)
        fetched, first = self._fetch(m, counted, advance)
        self._sum(m, fetched, taps, advance)
        busy = self._walk(m, taps, takes)
        self._start_results(m, first & advance)
        stages = [active, counted.valid, fetched[0].valid, taps.place.valid, busy, self.step.valid]
        m.d.comb += self.idle.eq(~Cat(stages).any())
        return m

    def _count(self, m, advance):
        """Counts the rows of taps of a tile; returns where the one stands that is being read."""
        layer, tile = self.layer, self.tile
        n_rows = Signal.like(tile.p.tap_rows)
        outer = [layer.passes, layer.digits, layer.positions, layer.batches]
        numbers = [n_rows, *outer]
        loops = Loops(numbers)
        # Of the layer this is known long before its first tile.
        single = Signal(len(outer))
        m.d.sync += single.eq(Cat(number == 0 for number in outer))
        # A tile is on offer until its first row of taps is read, which is later than its start.
        active, started, start = signals("active started start")
        m.d.comb += start.eq(tile.valid & ~active & ~started & ~self.hold)
        with m.If(tile.ready):
            m.d.sync += started.eq(0)
        begins = Signal(len(outer))

        row, first_row = signals("row_pointer first_row_pointer", self.config.window_address)
        position = Signal.like(row, name="position_pointer")
        last_row, _, last_digit, last_position, last = loops.ends
        m.d.comb += [
            self.rows.address.eq(row),
            self.positions.address.eq(position),
            self.rows.read.eq(advance),
            self.positions.read.eq(advance),
        ]
        with m.If(active & advance):
            loops.advance(m)
            m.d.sync += [
                row.eq(Mux(last_row & ~last_position, first_row, row + 1)),
                begins.eq(Cat(loops.ends[1:])),
                active.eq(~last),
            ]
            with m.If(last_digit):
                m.d.sync += position.eq(position + 1)
            with m.If(last_position):
                m.d.sync += [position.eq(layer.position_base), first_row.eq(row + 1)]
        with m.If(start):
            loops.start(m, [tile.p.tap_rows == 0, *single])
            m.d.sync += [
                n_rows.eq(tile.p.tap_rows),
                active.eq(1),
                started.eq(1),
                begins.eq(-1),
                row.eq(tile.p.tap_row_base),
                first_row.eq(tile.p.tap_row_base),
                position.eq(layer.position_base),
            ]

        # Columns that have no line in the last batch close the tile in the one before.
        last_batch, before_last = loops.last[4], loops.begun[4] == layer.batches
        columns = layer.last_columns
        counted = Signal(place_layout(self.config))
        with m.If(advance):
            m.d.sync += [
                counted.valid.eq(active),
                counted.begins_digit.eq(begins[0]),
                counted.begins_job.eq(begins[1]),
                counted.begins_batch.eq(begins[2]),
                counted.begins_tile.eq(begins[3]),
                counted.ends_pass.eq(last_row),
                counted.ends_job.eq(last_digit),
                counted.ends_line.eq(last_position),
                counted.last_digit.eq(loops.last[2]),
                counted.number.eq(loops.begun[1] - 1),
                counted.jobs.eq(columns | (~last_batch).replicate(len(columns))),
                counted.closing.eq(
                    Mux(last_batch, columns, ~columns & before_last.replicate(len(columns)))
                ),
            ]
        return counted, active

    def _fetch(self, m, counted, advance):
        """Takes what the tables answer; returns it, and whether a tile's first one is taken."""
        row = Signal(self.config.tap_row)
        position = Signal(self.config.tap_position)
        place = Signal.like(counted, name="fetched")
        with m.If(advance):
            m.d.sync += [
                place.eq(counted),
                row.eq(self.rows.data),
                position.eq(self.positions.data),
            ]
        return (place, row, position), counted.valid & counted.begins_tile

    def _sum(self, m, fetched, taps, advance):
        """Adds up where a row of taps lies, of what is known of its tile and position."""
        layer = self.layer
        place, row, position = fetched
        tile = Signal(self.config.tile)
        with m.If(self.tile.ready):
            m.d.sync += tile.eq(self.tile.payload)
        with m.If(advance):
            m.d.sync += [
                taps.place.eq(place),
                taps.base.eq(tile.spike + position.offset),
                taps.offset.eq(row.offset),
                taps.row.eq(row.row + position.row),
                taps.columns.eq(row.columns),
                taps.words.eq(tile.words + position.steps),
                taps.first_mask.eq(tile.first_mask),
                taps.last_mask.eq(tile.last_mask),
                taps.lanes.eq(tile.lanes),
            ]
            with m.If(place.begins_digit):
                m.d.sync += taps.row_base.eq(taps.row_base + layer.digit_stride)
            with m.If(place.begins_job):
                m.d.sync += taps.row_base.eq(tile.row)

    def _walk(self, m, taps, takes):
        """Goes through the words of a row of taps; returns whether there is one."""
        layer, lanes = self.layer, self.config.lanes
        n_columns = self.config.columns

        busy, issue, ends = signals("busy issue ends")
        left = Signal.like(taps.words)
        first_word, last_word = signals("first_word last_word")
        place = Signal.like(taps.place, name="place")
        columns = Signal(n_columns)
        first_mask, last_mask = signals("first_mask last_mask", lanes)
        counts = Signal.like(taps.lanes)
        word, next_word = signals("word next_word", self.config.source_address)
        row, next_row = signals("row next_row", self.config.row_address)
        m.d.comb += [
            issue.eq(busy & ~self.stall),
            ends.eq(issue & last_word),
            takes.eq(taps.place.valid & (~busy | ends)),
        ]
        begins = ~busy | last_word
        m.submodules.next_word = choose_add(
            choose=begins,
            base=word,
            other=taps.base,
            addend=Mux(begins, taps.offset, layer.word_stride),
            total=next_word,
        )
        m.submodules.next_row = choose_add(
            choose=begins,
            base=row,
            other=taps.row,
            addend=Mux(begins, taps.row_base, layer.row_step),
            total=next_row,
        )
        with m.If(issue):
            m.d.sync += [
                word.eq(next_word),
                row.eq(next_row),
                left.eq(left - 1),
                first_word.eq(0),
                last_word.eq(left == 1),
            ]
        with m.If(ends):
            m.d.sync += busy.eq(0)
        following = taps.place
        with m.If(takes):
            m.d.sync += [
                busy.eq(1),
                word.eq(next_word),
                row.eq(next_row),
                left.eq(taps.words),
                first_word.eq(1),
                last_word.eq(taps.words == 0),
                place.eq(following),
                columns.eq(taps.columns),
            ]
            with m.If(following.begins_batch & layer.gather):
                m.d.sync += first_mask.eq(first_mask.rotate_left(n_columns % lanes))
            with m.If(following.begins_tile):
                m.d.sync += [
                    first_mask.eq(taps.first_mask),
                    last_mask.eq(taps.last_mask),
                    counts.eq(taps.lanes),
                ]

        masked = first_word | layer.gather
        n_passes = len(self.config.passes)
        m.d.sync += [
            self.step.valid.eq(issue),
            self.step.offset.eq(word),
            self.step.row.eq(row),
            self.step.columns.eq(columns),
            self.step.jobs.eq(place.jobs),
            self.step.closing.eq(place.closing),
            self.step.mask.eq(
                (first_mask | ~masked.replicate(lanes)) & (last_mask | ~last_word.replicate(lanes))
            ),
            # An entry is one addition, however many digits it has.
            self.step.lanes.eq(Mux(place.last_digit, counts, 0)),
            self.step.ends.eq(place.ends_pass & last_word),
            self.step.last.eq(place.ends_job & last_word),
            self.step.line_ends.eq(place.ends_line),
            self.step.pixels.eq(layer.pixels),
            self.step.chosen.eq(Cat(place.number == index for index in range(n_passes))),
            self.step.pixel_pass.eq(place.number),
        ]
        return busy

    def _start_results(self, m, taken):
        """Takes a tile when its first row of taps is read, and says where its results go."""
        layer, tile, result = self.layer, self.tile.p, self.result
        m.d.comb += self.tile.ready.eq(taken)
        m.d.sync += self.begins.eq(0)
        with m.If(taken):
            m.d.sync += [
                result.out.eq(tile.out),
                result.neuron.eq(tile.neuron),
                result.stream.eq(tile.stream),
                result.last_lane.eq(tile.lanes - 1),
                self.begins.eq(
                    layer.last_columns | (layer.batches != 0).replicate(len(self.begins))
                ),
            ]

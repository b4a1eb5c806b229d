"""The sequencer: runs the layer table and deals out jobs to the columns."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..isa.core_config import PROGRAM_WIDTH, words_of
from .dealer import Dealer
from .memory import LAYER_WIDTH


__all__ = ["LINE_CYCLES", "Sequencer"]


#: Cycles in which a line's window and that of its first position are read.
LINE_CYCLES = 3


class Sequencer(wiring.Component):
    """Reads layer, tile and window records and sends one job per output position and tile.

    The program is read from its first word to its last for every image: a header, then per layer a
    layer record and either its tile records or, for a token sum, D threshold words. A layer starts
    when everything of the one before is stored. A job leaves in every cycle while columns take
    them. The next image may be received from the layer on that is the last one to read pixels.

    Where weights are external, the table is waited for before an image is received, and each tile
    before its first job is dealt out. If reading fails, the image is given up as soon as what was
    dealt out is stored, or, if none of it was, its pixels are dropped. So are those of an image
    that is refused, where weights lie on chip.

    Parameters
    ----------
    config : CoreConfig

    Members
    -------
    start : In(1)
        An image is waiting; looked at while not ``busy``.
    refuse : In(1)
        Its pixels are to be dropped.
    starts : Out(1)
        The image that waits is begun in this cycle.
    stored : In(1)
        An image is stored; held until ``release``.
    dropped : In(1)
        The image was malformed, or is dropped as asked.
    receive : Out(1)
        An image may be received.
    release : Out(1)
        The stored image is no longer needed.
    holding : Out(1)
        The stored image is the one at work.
    computes : Out(1)
        The first layer of an image begins in this cycle.
    header : Out(config.header)
    layer : Out(config.layer)
    number : Out(12)
        Number of the layer at work; all ones between images.
    begins : Out(1)
        The first cycle of a layer.
    program_address, program : Out, In
        Port of the program memory, one cycle from address to data.
    window_read, window_address, window : Out, Out, In
        Port of the window memory, two enabled cycles from address to data.
    job : Out(config.job)
    job_valid : Out(columns)
        One-hot: the column that takes the job.
    job_ready : In(columns)
    settled : In(1)
        Columns, bus and token sum are idle.
    fetch : Out(1)
        The external image is to be read from its beginning; held until ``fetching``.
    fetching, table, failed : In(1)
        It is being read, its table is loaded, or reading failed; each for one cycle.
    tile_ready : In(1)
        The tile whose record was read is there.
    tile_half : In(1)
        The half of the double buffer it lies in.
    tile_dealt : Out(1)
        Its last job is dealt out in this cycle.
    using : Out(2)
        Halves of the double buffer that jobs need which no column has taken.
    waiting : Out(1)
        Nothing is dealt out since a tile is not there.
    discard : Out(1)
        The pixels that come are to be dropped.
    given_up : Out(1)
        High for one cycle when an image is given up.
    threshold_valid : Out(1)
        ``program`` is a threshold of the token sum.
    fire_sums : Out(1)
        Starts the firing of the token sums.
    busy : Out(1)
    """

    def __init__(self, config):
        self.config = config
        super().__init__({
            "start": In(1),
            "refuse": In(1),
            "starts": Out(1),
            "stored": In(1),
            "dropped": In(1),
            "receive": Out(1),
            "release": Out(1),
            "holding": Out(1),
            "computes": Out(1),
            "header": Out(config.header),
            "layer": Out(config.layer),
            "number": Out(LAYER_WIDTH),
            "begins": Out(1),
            "program_address": Out(range(config.program_depth)),
            "program": In(PROGRAM_WIDTH),
            "window_read": Out(1),
            "window_address": Out(config.window_address),
            "window": In(config.tap_window),
            "job": Out(config.job),
            "job_valid": Out(config.columns),
            "job_ready": In(config.columns),
            "settled": In(1),
            "fetch": Out(1),
            "fetching": In(1),
            "table": In(1),
            "failed": In(1),
            "tile_ready": In(1),
            "tile_half": In(1),
            "tile_dealt": Out(1),
            "using": Out(2),
            "waiting": Out(1),
            "discard": Out(1),
            "given_up": Out(1),
            "threshold_valid": Out(1),
            "fire_sums": Out(1),
            "busy": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        config = self.config
        layer = self.layer

        # Records arrive word by word and shift in from the top.
        pointer = Signal.like(self.program_address)
        awaited = Signal(
            range(
                max(
                    words_of(config.layer),
                    words_of(config.tile),
                    words_of(config.header),
                    config.max_count,
                )
                + 1
            )
        )
        arriving = Signal()
        arrived = arriving & (awaited == 0)
        m.d.comb += self.program_address.eq(pointer)
        m.d.sync += arriving.eq(awaited != 0)
        with m.If(awaited != 0):
            m.d.sync += [pointer.eq(pointer + 1), awaited.eq(awaited - 1)]

        def record(layout, name):
            words = Signal(words_of(layout) * PROGRAM_WIDTH, name=f"{name}_words")
            shift = Signal(name=f"{name}_shift")
            with m.If(shift):
                m.d.sync += words.eq(Cat(words[PROGRAM_WIDTH:], self.program))
            return layout(words[: layout.size]), shift

        header, header_shift = record(config.header, "header")
        layer_record, layer_shift = record(config.layer, "layer")
        tile, tile_shift = record(config.tile, "tile")
        m.d.comb += [self.header.eq(header), layer.eq(layer_record)]

        layers = Signal.like(header.layers)
        tiles = Signal.like(layer.tiles)
        lines = Signal.like(layer.lines)
        line_pointer = Signal.like(self.window_address)
        positions = Signal.like(layer.positions)
        window_pointer = Signal.like(self.window_address)

        line = Signal(config.tap_window)
        line_spike = Signal(config.source_address)
        line_row = Signal(config.row_address)
        tile_begins = Signal()
        offered = Signal()
        taken = Signal()
        offering = Signal()
        # While positions are dealt, the next one's window is read when one was taken.
        m.d.comb += [self.window_address.eq(window_pointer), self.window_read.eq(~offered | taken)]
        failed = Signal()

        # Whether everything dealt out was done in the cycle before, and nothing on offer.
        quiet = Signal()
        m.d.sync += quiet.eq(self.settled & ~offering)

        # The header of the image is known.
        known = Signal()

        m.submodules.dealer = dealer = Dealer(config)
        m.d.comb += [self.busy.eq(1), self.receive.eq(known & self.busy)]
        with m.If(self.failed):
            m.d.sync += failed.eq(1)
        with m.If(self.release):
            m.d.sync += self.holding.eq(0)
        with m.FSM():
            with m.State("IDLE"):
                m.d.comb += [self.busy.eq(0), self.starts.eq(self.start)]
                m.d.sync += [pointer.eq(0), self.number.eq(-1), known.eq(0)]
                with m.If(self.start):
                    if config.external:
                        m.d.sync += failed.eq(0)
                        m.next = "FETCH"
                    else:
                        m.d.sync += awaited.eq(words_of(config.header))
                        m.next = "HEADER"
                        with m.If(self.refuse):
                            m.next = "DISCARD"
            if config.external:
                self._fetch_states(m, failed, awaited)
            with m.State("DISCARD"):
                m.d.comb += self.discard.eq(1)
                with m.If(self.dropped):
                    m.d.comb += self.given_up.eq(1)
                    m.next = "IDLE"
            with m.State("HEADER"):
                m.d.comb += header_shift.eq(arriving)
                with m.If(arrived):
                    m.d.sync += known.eq(1)
                    m.next = "RECEIVE"
            with m.State("RECEIVE"):
                m.d.sync += layers.eq(header.layers)
                with m.If(self.dropped):
                    m.next = "IDLE"
                with m.Elif(self.stored & quiet):
                    m.d.comb += self.computes.eq(1)
                    m.d.sync += [awaited.eq(words_of(config.layer)), self.holding.eq(1)]
                    m.next = "LAYER"
            with m.State("LAYER"):
                m.d.comb += layer_shift.eq(arriving)
                with m.If(arrived):
                    m.d.sync += [layers.eq(layers - 1), self.number.eq(self.number + 1)]
                    m.next = "KIND"
            with m.State("KIND"):
                m.d.comb += self.begins.eq(1)
                m.d.sync += [tiles.eq(layer.tiles), tile_begins.eq(1)]
                with m.If(layer.token_sum):
                    m.d.sync += awaited.eq(config.max_count)
                    m.next = "THRESHOLDS"
                with m.Else():
                    m.d.sync += awaited.eq(words_of(config.tile))
                    m.next = "TILE"
            with m.State("THRESHOLDS"):
                m.d.comb += self.threshold_valid.eq(arriving)
                with m.If(arrived):
                    m.next = "FIRE"
            with m.State("FIRE"):
                m.d.comb += self.fire_sums.eq(1)
                m.d.sync += quiet.eq(0)
                m.next = "SETTLE"

            with m.State("TILE"):
                m.d.comb += tile_shift.eq(arriving)
                m.d.sync += [lines.eq(layer.lines), line_pointer.eq(layer.line_base)]
                with m.If(arrived):
                    m.d.sync += [tiles.eq(tiles - 1), window_pointer.eq(layer.line_base)]
                    m.next = "LINE"
                    if config.external:
                        with m.If(~self.tile_ready):
                            m.next = "AWAIT TILE"
            if config.external:
                with m.State("AWAIT TILE"):
                    m.d.comb += self.waiting.eq(1)
                    with m.If(self.tile_ready):
                        m.next = "LINE"
                    with m.Elif(failed):
                        m.next = "GIVE UP"
                with m.State("GIVE UP"), m.If(quiet & ~offering):
                    m.d.comb += [self.given_up.eq(1), self.release.eq(self.holding)]
                    m.next = "IDLE"
            with m.State("LINE"):
                m.d.sync += [
                    line_pointer.eq(line_pointer + 1),
                    lines.eq(lines - 1),
                    window_pointer.eq(layer.position_base),
                    positions.eq(layer.positions),
                ]
                m.next = "FIRST WINDOW"
            with m.State("FIRST WINDOW"):
                m.d.sync += window_pointer.eq(window_pointer + 1)
                m.next = "WINDOW"
            with m.State("WINDOW"):
                m.d.sync += [
                    line.eq(self.window),
                    line_spike.eq(tile.spike + self.window.offset),
                    line_row.eq(tile.row + self.window.row),
                    window_pointer.eq(window_pointer + 1),
                ]
                m.next = "POSITIONS"
            with m.State("POSITIONS"):
                m.d.comb += offered.eq(1)
                with m.If(dealer.word_ends):
                    m.d.sync += [
                        line_spike.eq(line_spike + 1),
                        line_row.eq(line_row + config.lanes),
                    ]
                with m.If(taken):
                    m.d.sync += [
                        window_pointer.eq(window_pointer + 1),
                        positions.eq(positions - 1),
                        tile_begins.eq(0),
                    ]
                    with m.If(positions == 1):
                        m.d.sync += window_pointer.eq(line_pointer)
                        m.next = "LINE"
                        with m.If(lines == 0):
                            m.d.comb += self.tile_dealt.eq(1)
                            m.d.sync += tile_begins.eq(1)
                            m.next = "SETTLE"
                            with m.If(tiles != 0):
                                m.d.sync += awaited.eq(words_of(config.tile))
                                m.next = "TILE"
            with m.State("SETTLE"), m.If(quiet & ~offering):
                m.d.comb += self.release.eq(self.holding & layer.releases)
                m.next = "IDLE"
                with m.If(layers != 0):
                    m.d.sync += awaited.eq(words_of(config.layer))
                    m.next = "LAYER"

        m.d.comb += [
            dealer.layer.eq(layer),
            dealer.layer_begins.eq(self.begins),
            dealer.tile.eq(tile),
            dealer.tile_begins.eq(tile_begins),
            dealer.tile_half.eq(self.tile_half),
            dealer.line.eq(line),
            dealer.line_spike.eq(line_spike),
            dealer.line_row.eq(line_row),
            dealer.position.eq(self.window),
            dealer.offered.eq(offered),
            taken.eq(dealer.taken),
            offering.eq(dealer.offering),
            self.using.eq(dealer.using),
            self.job.eq(dealer.job),
            self.job_valid.eq(dealer.job_valid),
            dealer.job_ready.eq(self.job_ready),
        ]
        return m

    def _fetch_states(self, m, failed, awaited):
        """From an image's first sign to its table."""
        with m.State("FETCH"):
            m.d.comb += self.fetch.eq(1)
            with m.If(self.fetching):
                m.next = "TABLE"
            with m.Elif(failed):
                m.next = "DISCARD"
        with m.State("TABLE"):
            with m.If(self.table):
                m.d.sync += awaited.eq(words_of(self.config.header))
                m.next = "HEADER"
            with m.Elif(failed):
                m.next = "DISCARD"

"""The sequencer: runs the table of layers and offers tiles to the address generator."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ..isa.program_word import PROGRAM_WIDTH, words_of
from .choose_add import load_add
from .memory import LAYER_WIDTH


__all__ = ["Sequencer"]


class Sequencer(wiring.Component):
    """Reads the descriptors of layers and tiles, and offers tiles.

    The program is read from its first word to its last for every image: a header, then per layer a
    layer record and either its tile records or, for a token sum, D threshold words. Where weights
    lie on chip, header and tile records end with what the next tile is filled with. A layer starts
    when everything of the one before is stored. The next image may be received from the layer on
    that is the last one to read pixels.

    An image is not begun before its first tile is there, and a tile is not offered before it is.
    Where weights are external, the table is waited for before an image is received. If reading
    fails, the image is given up as soon as all tiles that were taken are stored, or, if none was,
    its pixels are dropped. So are those of an image that is refused, where weights lie on chip.

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
    tile : Out(stream.Signature(config.tile))
    fill : Out(config.fill)
        Of the first tile, from the first cycle of ``receive`` on; of the one behind ``tile`` while
        that is offered. Only where weights lie on chip.
    settled : In(1)
        Address generator, columns, bus and token sum are idle.
    fetch : Out(1)
        The external image is to be read from its beginning; held until ``fetching``.
    fetching, table, failed : In(1)
        It is being read, its table is loaded, or reading failed; each for one cycle.
    tile_ready : In(1)
        The next tile is there.
    waiting : Out(1)
        No tile is offered since the next one is not there.
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
            "number": Out(LAYER_WIDTH, init=-1),
            "begins": Out(1),
            "program_address": Out(range(config.program_depth)),
            "program": In(PROGRAM_WIDTH),
            "tile": Out(stream.Signature(config.tile)),
            **({} if config.external else {"fill": Out(config.fill)}),
            "settled": In(1),
            "fetch": Out(1),
            "fetching": In(1),
            "table": In(1),
            "failed": In(1),
            "tile_ready": In(1),
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

        header_layout, tile_layout = config.filled(config.header), config.filled(config.tile)

        # Records arrive word by word and shift in from the top.
        pointer = Signal.like(self.program_address)
        awaited = Signal(
            range(
                max(
                    words_of(config.layer),
                    words_of(tile_layout),
                    words_of(header_layout),
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

        header, header_shift = record(header_layout, "header")
        layer_record, layer_shift = record(config.layer, "layer")
        tile, tile_shift = record(tile_layout, "tile")
        m.d.comb += [
            self.header.eq(header.descriptor),
            layer.eq(layer_record),
            self.tile.payload.eq(tile.descriptor),
        ]
        if not config.external:
            m.d.comb += self.fill.eq(tile.fill)

        def down(name, value, load):
            """Register that is loaded or counts down, and what follows in it."""
            count = Signal.like(value, name=name)
            following = Signal.like(value, name=f"next_{name}")
            m.submodules[f"next_{name}"] = load_add(
                load=load,
                value=value,
                base=count,
                addend=C(-1, len(count)),
                total=following,
            )
            return count, following

        failed = Signal()

        # Whether all that was offered was done in the cycle before.
        quiet = Signal()
        m.d.sync += quiet.eq(self.settled)

        # The header of the image is known.
        known = Signal()

        m.d.comb += [
            self.busy.eq(1),
            self.receive.eq(known & self.busy),
        ]
        with m.If(self.failed):
            m.d.sync += failed.eq(1)
        with m.If(self.release):
            m.d.sync += self.holding.eq(0)
        with m.FSM() as fsm:
            layers, next_layers = down("layers", self.header.layers, fsm.ongoing("RECEIVE"))
            tiles, next_tiles = down("tiles", layer.tiles, fsm.ongoing("KIND"))
            with m.State("IDLE"):
                m.d.comb += [self.busy.eq(0), self.starts.eq(self.start)]
                m.d.sync += [pointer.eq(0), known.eq(0)]
                with m.If(self.start):
                    if config.external:
                        m.d.sync += failed.eq(0)
                        m.next = "FETCH"
                    else:
                        m.d.sync += awaited.eq(words_of(header_layout))
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
                # The tile's register ends with the same words, which say what is filled.
                m.d.comb += [header_shift.eq(arriving), tile_shift.eq(arriving)]
                with m.If(arrived):
                    m.d.sync += known.eq(1)
                    m.next = "RECEIVE"
            with m.State("RECEIVE"):
                m.d.sync += layers.eq(next_layers)
                with m.If(self.dropped):
                    m.next = "IDLE"
                with m.Elif(self.stored & quiet & (self.tile_ready | failed)):
                    m.d.comb += self.computes.eq(1)
                    m.d.sync += [awaited.eq(words_of(config.layer)), self.holding.eq(1)]
                    m.next = "LAYER"
            with m.State("LAYER"):
                m.d.comb += layer_shift.eq(arriving)
                with m.If(arrived):
                    m.d.sync += [layers.eq(next_layers), self.number.eq(self.number + 1)]
                    m.next = "KIND"
            with m.State("KIND"):
                m.d.comb += self.begins.eq(1)
                m.d.sync += tiles.eq(next_tiles)
                with m.If(layer.token_sum):
                    m.d.sync += awaited.eq(config.max_count)
                    m.next = "THRESHOLDS"
                with m.Else():
                    m.d.sync += awaited.eq(words_of(tile_layout))
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
                with m.If(arrived):
                    m.d.sync += tiles.eq(next_tiles)
                    m.next = "OFFER"
            with m.State("OFFER"):
                m.d.comb += [
                    self.tile.valid.eq(self.tile_ready),
                    self.waiting.eq(~self.tile_ready),
                ]
                if config.external:
                    with m.If(~self.tile_ready & failed):
                        m.next = "GIVE UP"
                with m.If(self.tile.valid & self.tile.ready):
                    m.next = "SETTLE"
                    with m.If(tiles != 0):
                        m.d.sync += awaited.eq(words_of(tile_layout))
                        m.next = "TILE"
            if config.external:
                with m.State("GIVE UP"), m.If(quiet):
                    m.d.comb += [self.given_up.eq(1), self.release.eq(self.holding)]
                    m.next = "IDLE"
            with m.State("SETTLE"), m.If(quiet):
                m.d.comb += self.release.eq(self.holding & layer.releases)
                m.next = "IDLE"
                with m.If(layers != 0):
                    m.d.sync += awaited.eq(words_of(config.layer))
                    m.next = "LAYER"

        # Setting comes last, so that it is the register's reset and takes no logic.
        with m.If(~self.busy):
            m.d.sync += self.number.eq(-1)
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

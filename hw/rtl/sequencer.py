"""The sequencer: runs the table of layers and offers tiles to the address generator."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ..isa.program_word import PROGRAM_WIDTH
from .choose_add import load_add
from .memory import LAYER_WIDTH, read_port
from .records import Records


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
    program : Out(read_port(range(program_depth), PROGRAM_WIDTH))
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
        The word of ``program`` is a threshold of the token sum.
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
            "program": Out(read_port(range(config.program_depth), PROGRAM_WIDTH)),
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
        program = Records(self.config, address=self.program.address, word=self.program.data)
        m.d.comb += self.program.read.eq(1)
        records = program.read(m)
        m.d.comb += [
            self.header.eq(records["header"].descriptor),
            self.layer.eq(records["layer"]),
            self.tile.payload.eq(records["tile"].descriptor),
        ]
        if not self.config.external:
            m.d.comb += self.fill.eq(records["tile"].fill)
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
            layers = self._down(m, "layers", self.header.layers, fsm.ongoing("RECEIVE"))
            tiles = self._down(m, "tiles", self.layer.tiles, fsm.ongoing("KIND"))
            self._begin(m, program, failed, known)
            self._receive(m, program, layers, failed, quiet, known)
            self._run_layer(m, program, layers, tiles, quiet)
            self._offer(m, program, tiles, failed)
            self._settle(m, program, layers, quiet)
        # Setting comes last, so that it is the register's reset and takes no logic.
        with m.If(~self.busy):
            m.d.sync += self.number.eq(-1)
        return m

    @staticmethod
    def _down(m, name, value, load):
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

    def _begin(self, m, program, failed, known):
        """From an image's first sign to its header, or until its pixels are dropped."""
        with m.State("IDLE"):
            m.d.comb += [self.busy.eq(0), self.starts.eq(self.start)]
            m.d.sync += [program.rewind(), known.eq(0)]
            with m.If(self.start):
                if self.config.external:
                    m.d.sync += failed.eq(0)
                    m.next = "FETCH"
                else:
                    m.d.sync += program.ask("header")
                    m.next = "HEADER"
                    with m.If(self.refuse):
                        m.next = "DISCARD"
        if self.config.external:
            with m.State("FETCH"):
                m.d.comb += self.fetch.eq(1)
                with m.If(self.fetching):
                    m.next = "TABLE"
                with m.Elif(failed):
                    m.next = "DISCARD"
            with m.State("TABLE"):
                with m.If(self.table):
                    m.d.sync += program.ask("header")
                    m.next = "HEADER"
                with m.Elif(failed):
                    m.next = "DISCARD"
        with m.State("DISCARD"):
            m.d.comb += self.discard.eq(1)
            with m.If(self.dropped):
                m.d.comb += self.given_up.eq(1)
                m.next = "IDLE"

    def _receive(self, m, program, layers, failed, quiet, known):
        """Takes the header, and waits for the image."""
        count, following = layers
        with m.State("HEADER"):
            # The tile's register ends with the same words, which say what is filled.
            m.d.comb += [program.keep("header"), program.keep("tile")]
            with m.If(program.arrived):
                m.d.sync += known.eq(1)
                m.next = "RECEIVE"
        with m.State("RECEIVE"):
            m.d.sync += count.eq(following)
            with m.If(self.dropped):
                m.next = "IDLE"
            with m.Elif(self.stored & quiet & (self.tile_ready | failed)):
                m.d.comb += self.computes.eq(1)
                m.d.sync += [
                    program.ask("layer"),
                    self.holding.eq(1),
                ]
                m.next = "LAYER"

    def _run_layer(self, m, program, layers, tiles, quiet):
        """Takes a layer's record, and goes to its first tile, or fires the token sums."""
        count, following = layers
        with m.State("LAYER"):
            m.d.comb += program.keep("layer")
            with m.If(program.arrived):
                m.d.sync += [count.eq(following), self.number.eq(self.number + 1)]
                m.next = "KIND"
        with m.State("KIND"):
            m.d.comb += self.begins.eq(1)
            n_tiles, next_tiles = tiles
            m.d.sync += n_tiles.eq(next_tiles)
            with m.If(self.layer.token_sum):
                m.d.sync += program.ask_words(self.config.max_count)
                m.next = "THRESHOLDS"
            with m.Else():
                m.d.sync += program.ask("tile")
                m.next = "TILE"
        with m.State("THRESHOLDS"):
            m.d.comb += self.threshold_valid.eq(program.arriving)
            with m.If(program.arrived):
                m.next = "FIRE"
        with m.State("FIRE"):
            m.d.comb += self.fire_sums.eq(1)
            m.d.sync += quiet.eq(0)
            m.next = "SETTLE"

    def _offer(self, m, program, tiles, failed):
        """Takes a tile's record, and offers it."""
        count, following = tiles
        with m.State("TILE"):
            m.d.comb += program.keep("tile")
            with m.If(program.arrived):
                m.d.sync += count.eq(following)
                m.next = "OFFER"
        with m.State("OFFER"):
            m.d.comb += [
                self.tile.valid.eq(self.tile_ready),
                self.waiting.eq(~self.tile_ready),
            ]
            if self.config.external:
                with m.If(~self.tile_ready & failed):
                    m.next = "GIVE UP"
            with m.If(self.tile.valid & self.tile.ready):
                m.next = "SETTLE"
                with m.If(count != 0):
                    m.d.sync += program.ask("tile")
                    m.next = "TILE"

    def _settle(self, m, program, layers, quiet):
        """Waits until a layer is stored, or all that is left of an image that is given up."""
        count, _ = layers
        if self.config.external:
            with m.State("GIVE UP"), m.If(quiet):
                m.d.comb += [self.given_up.eq(1), self.release.eq(self.holding)]
                m.next = "IDLE"
        with m.State("SETTLE"), m.If(quiet):
            m.d.comb += self.release.eq(self.holding & self.layer.releases)
            m.next = "IDLE"
            with m.If(count != 0):
                m.d.sync += program.ask("layer")
                m.next = "LAYER"

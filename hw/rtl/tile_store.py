"""The tile store: weights and neurons of all tiles on chip, and what takes them to the columns."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..isa.descriptors import NEURON_TILES, ROWS
from ..isa.memory_parts import block_rams_scarce
from .copier import Copier
from .memory import Memory, placed_layout
from .signals import signals


__all__ = ["SENDING", "TileStore"]


#: Cycles that a tile takes beyond one per row, until it is known to be there.
SENDING = 2


class TileStore(wiring.Component):
    """Sends tile after tile to the buffers of the columns: two weight vectors and two neurons per
    cycle.

    It is one tile ahead: it learns what the next one is filled with when a tile is taken.

    Parameters
    ----------
    config : CoreConfig
    images : dict of str to sequence of str
        Files of the initial contents of ``weights`` and ``neurons``, one per slice; empty for none.
    sliced : bool
        Whether words are cut into slices, each a memory of its own.

    Members
    -------
    load_weights, load_neurons : In(1)
    load_address : In(24)
    load_data : In(widest of both)
        Words of both memories, only while ``clear``.
    clear : In(1)
        No image is at work. The first tile is sent from the cycle behind on.
    fill : In(config.fill)
        What the next tile is filled with; looked at when ``clear`` ends and while ``taken``.
    taken : In(1)
        The tile that was sent before is taken.
    room : In(1)
        There is room for the next one, until it is ``loaded``.
    row, neuron : Out(placed_layout(width, depth))
        For the buffers.
    again : Out(1)
        The next one takes the place of the tile before; high until it is ``loaded``.
    loaded : Out(1)
        All of a tile has left.
    """

    def __init__(self, config, *, images, sliced=True):
        self.config = config
        self.images = images
        self.sliced = sliced
        weights, neurons = (config.memories[name][0] for name in ("weights", "neurons"))
        depths = config.buffer_depths
        super().__init__({
            "load_weights": In(1),
            "load_neurons": In(1),
            "load_address": In(24),
            "load_data": In(max(weights, neurons)),
            "clear": In(1),
            "fill": In(config.fill),
            "taken": In(1),
            "room": In(1),
            "row": Out(placed_layout(weights, depths["weights"])),
            "neuron": Out(placed_layout(neurons, depths["neurons"])),
            "again": Out(1),
            "loaded": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        config, fill = self.config, self.fill
        cleared, begins, sending = signals("cleared begins sending")
        # Of the tile that is sent next; buffers hold some.
        number = Signal(range(NEURON_TILES))
        m.d.sync += cleared.eq(self.clear)
        m.d.comb += begins.eq(self.taken | (cleared & ~self.clear))
        rows = self._copier(
            m, "weights", self.load_weights, self.row, fill.row, fill.rows, config.tile_rows // ROWS
        )
        neurons = self._copier(
            m, "neurons", self.load_neurons, self.neuron, fill.neuron, config.pairs, config.pairs
        )
        with m.Switch(number):
            for tile in range(NEURON_TILES):
                with m.Case(tile):
                    m.d.comb += neurons.target.eq(tile * config.pairs)
        # Tiles lie at multiples of a power of two.
        m.d.comb += rows.target.eq(Cat(C(0, config.tile_address.width - 1), fill.place))
        for copier in (rows, neurons):
            m.d.comb += [
                copier.clear.eq(self.clear),
                copier.start.eq(begins),
                copier.enable.eq(self.room),
            ]
        m.d.comb += self.loaded.eq(sending & ~rows.busy & ~neurons.busy)
        with m.If(self.loaded):
            m.d.sync += sending.eq(0)
        with m.If(begins):
            m.d.sync += [sending.eq(1), number.eq(number + 1), self.again.eq(fill.again)]
        with m.If(self.clear):
            m.d.sync += [sending.eq(0), number.eq(0)]
        return m

    def _copier(self, m, name, load, words, first, number, most):
        """The copier of a memory, with that memory."""
        config = self.config
        width, depth = config.memories[name]
        m.submodules[name] = memory = Memory(
            width=width,
            depth=depth,
            slices=config.slices[name] if self.sliced else 1,
            images=self.images[name],
            scarce=block_rams_scarce(config),
        )
        m.submodules[f"{name}_copier"] = copier = Copier(
            width=width, depth=depth, target_depth=config.buffer_depths[name], most=most
        )
        m.d.comb += [
            words.eq(copier.word),
            memory.write.valid.eq(load),
            memory.write.address.eq(self.load_address),
            memory.write.data.eq(self.load_data),
            copier.first.eq(first),
            copier.number.eq(number),
        ]
        wiring.connect(m, copier.reader, memory.reader)
        return copier

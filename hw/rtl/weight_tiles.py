"""The buffer of a pair of banks: weights of the tile that computes, and of the next one."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In

from ..isa.descriptors import WEIGHT_TILES
from ..isa.memory_parts import block_rams_scarce
from .memory import SharedMemory, placed_layout, read_port


__all__ = ["WeightTiles", "weights_port"]


def weights_port(config):
    """Port that a bank reads: what stands at an address of a tile in every tile."""
    return read_port(config.tile_address, data.ArrayLayout(config.weight_word, WEIGHT_TILES))


class WeightTiles(wiring.Component):
    """Two banks read weight vectors of one tile while those of another one are written.

    Each tile lies in a memory of its own, so that a write never meets a read that matters: it takes
    the first bank's port of a memory whose words nobody wants, or both ports for two vectors. All
    memories answer every read.

    Parameters
    ----------
    config : CoreConfig

    Members
    -------
    a, b : In(weights_port(config))
        Of the banks.
    row : In(placed_layout(width, depth))
        A word that is written, of ``config.rows_at_once`` vectors; the number of the tile stands
        above its address in that.
    """

    def __init__(self, config):
        self.config = config
        super().__init__({
            "a": In(weights_port(config)),
            "b": In(weights_port(config)),
            "row": In(
                placed_layout(config.memories["weights"][0], config.buffer_depths["weights"])
            ),
        })

    def elaborate(self, platform):
        m = Module()
        at_once = self.config.rows_at_once
        address = self.config.tile_address.width - (at_once - 1)
        for tile, depth in enumerate(self.config.tile_depths):
            m.submodules[f"tile_{tile}"] = memory = SharedMemory(
                width=self.config.weight_word,
                depth=depth,
                at_once=at_once,
                scarce=block_rams_scarce(self.config),
            )
            m.d.comb += [
                memory.write.valid.eq(self.row.valid & (self.row.address[address:] == tile)),
                memory.write.address.eq(self.row.address[:address]),
                memory.write.data.eq(self.row.data),
            ]
            for port, bank in ((memory.a, self.a), (memory.b, self.b)):
                m.d.comb += [
                    port.read.eq(bank.read),
                    port.address.eq(bank.address),
                    bank.data[tile].eq(port.data),
                ]
        return m

"""The buffer of a pair of banks: weights of the tile that computes, and of the next one."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..isa.descriptors import WEIGHT_TILES
from ..isa.memory_parts import block_rams_scarce
from .memory import SharedMemory, placed_layout


__all__ = ["WeightTiles"]


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
    a_read, b_read : In(1)
    a_address, b_address : In(config.tile_address)
    a_data, b_data : Out(config.weight_word).array(WEIGHT_TILES)
        Ports of the banks: one enabled cycle from address to data of every tile, which stays.
    row : In(placed_layout(width, depth))
        A word that is written, of ``config.rows_at_once`` vectors; the number of the tile stands
        above its address in that.
    """

    def __init__(self, config):
        self.config = config
        address = config.tile_address
        super().__init__({
            **{f"{port}_read": In(1) for port in "ab"},
            **{f"{port}_address": In(address) for port in "ab"},
            **{f"{port}_data": Out(config.weight_word).array(WEIGHT_TILES) for port in "ab"},
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
                memory.write.eq(self.row.valid & (self.row.address[address:] == tile)),
                memory.write_address.eq(self.row.address[:address]),
                memory.write_data.eq(self.row.data),
            ]
            for port in "ab":
                m.d.comb += [
                    getattr(memory, f"{port}_read").eq(getattr(self, f"{port}_read")),
                    getattr(memory, f"{port}_address").eq(getattr(self, f"{port}_address")),
                    getattr(self, f"{port}_data")[tile].eq(getattr(memory, f"{port}_data")),
                ]
        return m

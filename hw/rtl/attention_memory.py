"""The attention memory of a pair of banks: rows of values, and rows of key-values."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..isa.memory_parts import ATTENTION_PARTS, block_rams_scarce
from .memory import TAG_WIDTH, SharedMemory, placed_layout


__all__ = ["AttentionMemory"]


class AttentionMemory(wiring.Component):
    """Two banks read rows of one kind while those of the other one are written.

    No layer reads what it writes: values are written where weights are read, key-values where
    values are read, and both lie in memories of their own. So a write, which takes the first bank's
    port, never meets a read that matters. Both memories answer every read.

    Parameters
    ----------
    config : CoreConfig
    capture : bool
        Whether writes are logged in simulations that capture.

    Members
    -------
    a_read, b_read : In(1)
    a_address, b_address : In(config.attention_address)
    a_data, b_data : Out(lanes * digit_width).array(2)
        Ports of the banks: one enabled cycle from address to data of values and of key-values,
        which stay. Bit 0 of all lanes' digits lowest.
    row : In(placed_layout(lanes * digit_width, attention_depth))
        What is written.
    part : In(1)
        1 if it is a row of key-values.
    tag : In(TAG_WIDTH)
        For captures.
    """

    def __init__(self, config, *, capture):
        self.config = config
        self.capture = capture
        width = config.digit_word
        super().__init__({
            **{f"{port}_read": In(1) for port in "ab"},
            **{f"{port}_address": In(config.attention_address) for port in "ab"},
            **{f"{port}_data": Out(width).array(len(ATTENTION_PARTS)) for port in "ab"},
            "row": In(placed_layout(width, config.attention_depth)),
            "part": In(1),
            "tag": In(TAG_WIDTH),
        })

    def elaborate(self, platform):
        m = Module()
        for number, part in enumerate(ATTENTION_PARTS):
            m.submodules[part] = memory = SharedMemory(
                width=self.config.digit_word,
                depth=self.config.attention_depth,
                scarce=block_rams_scarce(self.config),
                name=part if self.capture else "",
            )
            m.d.comb += [
                memory.write.eq(self.row.valid & (self.part == number)),
                memory.write_address.eq(self.row.address),
                memory.write_data.eq(self.row.data),
                memory.tag.eq(self.tag),
            ]
            for port in "ab":
                m.d.comb += [
                    getattr(memory, f"{port}_read").eq(getattr(self, f"{port}_read")),
                    getattr(memory, f"{port}_address").eq(getattr(self, f"{port}_address")),
                    getattr(self, f"{port}_data")[number].eq(getattr(memory, f"{port}_data")),
                ]
        return m

"""The attention memory of a pair of banks: rows of values, and rows of key-values."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In

from ..isa.memory_parts import ATTENTION_PARTS, block_rams_scarce
from .memory import TAG_WIDTH, SharedMemory, placed_layout, read_port


__all__ = ["AttentionMemory", "digits_port"]


def digits_port(config):
    """Port that a bank reads: a row of values and one of key-values, bit 0 of all lanes lowest."""
    return read_port(
        config.attention_address, data.ArrayLayout(config.digit_word, len(ATTENTION_PARTS))
    )


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
    a, b : In(digits_port(config))
        Of the banks.
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
        super().__init__({
            "a": In(digits_port(config)),
            "b": In(digits_port(config)),
            "row": In(placed_layout(config.digit_word, config.attention_depth)),
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
                memory.write.valid.eq(self.row.valid & (self.part == number)),
                memory.write.address.eq(self.row.address),
                memory.write.data.eq(self.row.data),
                memory.tag.eq(self.tag),
            ]
            for port, bank in ((memory.a, self.a), (memory.b, self.b)):
                m.d.comb += [
                    port.read.eq(bank.read),
                    port.address.eq(bank.address),
                    bank.data[number].eq(port.data),
                ]
        return m

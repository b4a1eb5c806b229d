"""Memories for Amaranth's simulator, which runs no Verilog."""

from amaranth.hdl import Module
from amaranth.lib import memory

from hw.rtl.memory import Memory


__all__ = ["Twin"]


class Twin(Memory):
    """``hw.rtl.memory.Memory`` without Verilog."""

    def elaborate(self, platform):
        m = Module()
        m.submodules.words = words = memory.Memory(shape=self.width, depth=self.depth, init=[])
        write, read = words.write_port(), words.read_port()
        m.d.comb += [
            write.en.eq(self.write),
            write.addr.eq(self.write_address),
            write.data.eq(self.write_data),
            read.en.eq(self.read),
            read.addr.eq(self.read_address),
            self.read_data.eq(read.data),
        ]
        return m

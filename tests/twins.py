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
            write.en.eq(self.write.valid),
            write.addr.eq(self.write.address),
            write.data.eq(self.write.data),
            read.en.eq(self.reader.read),
            read.addr.eq(self.reader.address),
            self.reader.data.eq(read.data),
        ]
        return m

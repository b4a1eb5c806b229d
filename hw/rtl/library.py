"""The Verilog that components instantiate: memories, and cells of an FPGA."""

from pathlib import Path


__all__ = ["MEMORY", "PRIMITIVES", "WAIVERS", "library"]


#: Memories, in each of their shapes.
MEMORY = Path(__file__).with_name("memory.v")
#: Everything else.
PRIMITIVES = Path(__file__).with_name("primitives.v")
#: Warnings of Verilator that the emitted Verilog waives, and why.
WAIVERS = Path(__file__).with_name("lint.vlt")


def library():
    """Verilog of the modules that components instantiate."""
    return "\n".join(path.read_text() for path in (MEMORY, PRIMITIVES))

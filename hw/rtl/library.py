"""The Verilog that components instantiate: memories, and cells of an FPGA."""

from pathlib import Path


__all__ = ["MEMORY", "PRIMITIVES", "SRAM", "WAIVERS", "library"]


#: Memories, in each of their shapes.
MEMORY = Path(__file__).with_name("memory.v")
#: The same for an ASIC, whose memories are modules that somebody else makes.
SRAM = Path(__file__).with_name("sram.v")
#: Everything else.
PRIMITIVES = Path(__file__).with_name("primitives.v")
#: Warnings of Verilator that the emitted Verilog waives, and why.
WAIVERS = Path(__file__).with_name("lint.vlt")


def library(memory=MEMORY):
    """Verilog of the modules that components instantiate.

    Parameters
    ----------
    memory : Path
        Which memories: ``MEMORY`` or ``SRAM``.

    Returns
    -------
    str
    """
    return "\n".join(path.read_text() for path in (memory, PRIMITIVES))

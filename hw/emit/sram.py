"""Memories of an ASIC: one Verilog module per size, and what chooses among them."""

import re
from dataclasses import dataclass

from .licence import VERILOG_HEAD


__all__ = ["SramSize", "choosing", "models", "sram_sizes"]


#: An instance of a memory in the emitted Verilog, up to its parameters' end.
_INSTANCE = re.compile(r"^  addend_memory #\((.*?)^  \)", re.MULTILINE | re.DOTALL)
_PARAMETER = re.compile(r"\.(\w+)\(32'd(\d+)\)")

#: Ports of one bit, whatever the size.
_BITS = ("clk", "write", "a_read", "b_read")

#: What heads the behavioural models.
_HEAD = """\
// Behavioural models of the memories of an ASIC. Hard macros take their place:
// hw.build --target asic --sram-wrapper FILE wants these modules, with these ports, in FILE.
// Each has words of as many bits as its name says: addend_sram_PORTS_WORDSxBITS.
//   1w1r:  port a writes data at a_address where write is high; port b reads.
//   1rw1r: port a also reads, where a_read is high and write is low.
// A read address is taken at the rising edge of clk where the read enable is high; the word is
// there behind that edge, and stays until the next read. Nothing uses a word that is read at the
// edge that writes it; with ADDEND_COLLIDE defined, it comes with all bits flipped.
// They have neither content nor reset.
"""


@dataclass(frozen=True, order=True, kw_only=True)
class SramSize:
    """A memory as an instance asks for it.

    Parameters
    ----------
    shared : {0, 1, 2}
        Ports that both read and write: none, the writing one, or both.
    depth, width, address_width : int
        Words, and bits of a word and of an address.
    """

    shared: int
    depth: int
    width: int
    address_width: int

    @property
    def module(self):
        """Name of the module."""
        ports = ("1w1r", "1rw1r", "2rw")[self.shared]
        return f"addend_sram_{ports}_{self.depth}x{self.width}"

    @property
    def ports(self):
        """Ports of the module: name, direction and width."""
        first = [("a_read", "input", 1), ("a_data", "output", self.width)] if self.shared else []
        return [
            ("clk", "input", 1),
            ("write", "input", 1),
            ("a_address", "input", self.address_width),
            ("data", "input", self.width),
            *([("other", "input", self.width)] if self.shared == 2 else []),
            *first,
            ("b_read", "input", 1),
            ("b_address", "input", self.address_width),
            ("b_data", "output", self.width),
        ]

    @property
    def head(self):
        """Verilog of the module up to the end of its list of ports."""
        ports = ",\n".join(
            f"    {direction} wire {'' if name in _BITS else f'[{width - 1}:0] '}{name}"
            for name, direction, width in self.ports
        )
        return f"module {self.module} (\n{ports}\n);\n"


def sram_sizes(verilog):
    """Sizes of the memories that a core instantiates, and how many there are of each.

    Parameters
    ----------
    verilog : str
        Of the core, as ``hw.emit.verilog.emit`` has it.

    Returns
    -------
    dict of SramSize to int
    """
    counted = {}
    for instance in _INSTANCE.findall(verilog):
        numbers = {name: int(value) for name, value in _PARAMETER.findall(instance)}
        size = SramSize(
            shared=numbers["SHARED"],
            depth=numbers["DEPTH"],
            width=numbers["WIDTH"],
            address_width=numbers["ADDRESS_WIDTH"],
        )
        counted[size] = counted.get(size, 0) + 1
    return dict(sorted(counted.items()))


def choosing(sizes):
    """Verilog of ``addend_sram``, which takes the module of a size.

    Parameters
    ----------
    sizes : iterable of SramSize

    Returns
    -------
    str
    """
    branches = []
    for size in sizes:
        connected = ", ".join(f".{name}({name})" for name, _, _ in size.ports)
        idle = "" if size.shared else f"            assign a_data = {{{size.width}{{1'b0}}}};\n"
        branches.append(
            f"if (SHARED == {size.shared} && DEPTH == {size.depth} && WIDTH == {size.width}) "
            f"begin : {size.module.removeprefix('addend_')}\n"
            f"            {size.module} memory ({connected});\n{idle}        end\n"
        )
    return (
        "// The memory of a size. A read address is taken where the read enable is high; the word\n"
        "// is there behind that edge of the clock. The modules of all sizes lie in sram.v.\n"
        "module addend_sram #(\n"
        "    parameter SHARED = 0,\n    parameter DEPTH = 16,\n    parameter WIDTH = 8,\n"
        "    parameter ADDRESS_WIDTH = 4\n) (\n"
        "    input wire clk,\n    input wire write,\n"
        "    input wire [ADDRESS_WIDTH-1:0] a_address,\n    input wire [WIDTH-1:0] data,\n"
        "    input wire [WIDTH-1:0] other,\n"
        "    input wire a_read,\n    output wire [WIDTH-1:0] a_data,\n    input wire b_read,\n"
        "    input wire [ADDRESS_WIDTH-1:0] b_address,\n    output wire [WIDTH-1:0] b_data\n);\n"
        f"    generate\n        {'        '.join(branches)}    endgenerate\nendmodule\n"
    )


def models(sizes):
    """Verilog of behavioural models of all sizes.

    Parameters
    ----------
    sizes : iterable of SramSize

    Returns
    -------
    str
    """
    return "\n".join([f"{VERILOG_HEAD}{_HEAD}", *(_model(size) for size in sizes)])


def _model(size):
    reads = " else if (a_read) a_word <= words[a_address];" if size.shared else ""
    first = f"    reg [{size.width - 1}:0] a_word;\n    assign a_data = a_word;\n"
    # Where port b writes, nobody reads meanwhile.
    writes = "if (write) words[b_address] <= other; else " if size.shared == 2 else ""
    collides = "1'b0" if writes else "b_read && write && a_address == b_address"
    return (
        f"{size.head}"
        f"    reg [{size.width - 1}:0] words [0:{size.depth - 1}];\n"
        f"    reg [{size.width - 1}:0] b_word;\n"
        f"    assign b_data = b_word;\n{first if size.shared else ''}"
        f"    always @(posedge clk) if (write) words[a_address] <= data;{reads}\n"
        "    always @(posedge clk) begin\n"
        f"        {writes}if (b_read) b_word <= words[b_address];\n"
        "`ifdef ADDEND_COLLIDE\n"
        f"        if ({collides}) b_word <= ~words[b_address];\n"
        "`endif\n"
        "    end\nendmodule\n"
    )

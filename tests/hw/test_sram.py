"""Memories of an ASIC: their sizes, their modules, and what chooses among them."""

import re

import pytest

from golden.data.reading import InputError
from hw.asic.synthesis import require_wrapper
from hw.emit.sram import SramSize, choosing, models, sram_sizes


VERILOG = """
  addend_memory #(
    .ADDRESS_WIDTH(32'd4),
    .BANK(32'd1024),
    .DEPTH(32'd16),
    .NAME("stream.0"),
    .SHARED(32'd0),
    .WIDTH(32'd15)
  ) memory (
    .clk(clk)
  );
  addend_memory #(
    .ADDRESS_WIDTH(32'd4),
    .DEPTH(32'd16),
    .SHARED(32'd0),
    .WIDTH(32'd15)
  ) memory (
    .clk(clk)
  );
  addend_memory #(
    .ADDRESS_WIDTH(32'd1),
    .DEPTH(32'd2),
    .SHARED(32'd1),
    .WIDTH(32'd1)
  ) slice_0 (
    .clk(clk)
  );
"""

ONE = SramSize(shared=0, depth=16, width=15, address_width=4)
TWO = SramSize(shared=1, depth=2, width=1, address_width=1)


def test_sizes_are_counted():
    assert sram_sizes(VERILOG) == {ONE: 2, TWO: 1}


def test_modules_are_named_by_ports_words_and_bits():
    assert (ONE.module, TWO.module) == ("addend_sram_1w1r_16x15", "addend_sram_1rw1r_2x1")
    assert [name for name, _, _ in ONE.ports] == [
        "clk",
        "write",
        "a_address",
        "data",
        "b_read",
        "b_address",
        "b_data",
    ]
    assert {name for name, _, _ in TWO.ports} - {name for name, _, _ in ONE.ports} == {
        "a_read",
        "a_data",
    }


@pytest.mark.parametrize("text", [models([ONE, TWO]), choosing([ONE, TWO])])
def test_no_content_is_read(text):
    assert "$readmem" not in text
    assert "initial" not in text


def test_each_size_has_one_module_and_one_choice():
    assert re.findall(r"^module (\w+)", models([ONE, TWO]), re.MULTILINE) == [
        ONE.module,
        TWO.module,
    ]
    assert re.findall(r"(addend_sram_\w+) memory", choosing([ONE, TWO])) == [ONE.module, TWO.module]
    assert "    input wire [0:0] data" in TWO.head
    assert "    input wire write" in TWO.head


def wrapped(folder, text):
    """A build directory with memories that a user wrote."""
    (folder / "rtl").mkdir()
    (folder / "rtl" / "sram.v").write_text(text)
    return folder


@pytest.mark.synthesis
def test_what_is_shipped_has_the_ports_that_a_wrapper_needs(tmp_path):
    require_wrapper(wrapped(tmp_path, models([ONE, TWO])), [ONE, TWO])


@pytest.mark.synthesis
@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (models([ONE]), "must have a module addend_sram_1rw1r_2x1"),
        (
            models([TWO, ONE]).replace("wire [14:0] data", "wire [7:0] data"),
            "must have the port data as input of 15 bits, not input of 8 bits",
        ),
        (
            models([TWO, ONE]).replace("input wire a_read,", ""),
            "must have the port a_read as input of 1 bit, not no port",
        ),
        (
            models([TWO, ONE]).replace("clk", "CK"),
            "must have the port clk as input of 1 bit, not no port",
        ),
        (
            models([TWO, ONE]).replace("input wire clk", "input wire clk, input wire CK"),
            "Module addend_sram_1rw1r_2x1 of --sram-wrapper must not have a port CK",
        ),
        (models([TWO, ONE, TWO]), "must have module addend_sram_1rw1r_2x1 once"),
        ("this is no Verilog", "must be one that Yosys reads, which says rtl/sram.v:1: ERROR"),
    ],
)
def test_other_memories_get_a_sentence(tmp_path, text, rule):
    with pytest.raises(InputError) as caught:
        require_wrapper(wrapped(tmp_path, text), [TWO, ONE])
    assert rule in str(caught.value)

"""Reading Liberty: what its cells are, and what a broken file is told as."""

import gzip
import re

import pytest

from golden.data.reading import InputError
from hw.asic import liberty
from hw.asic.liberty import DEFAULT, find_liberty, read_liberty


CELLS = """
/* A comment, with a brace { in it. */
library(few) {
  time_unit : "1ns";
  lu_table_template(delays) { variable_1 : input_net_transition; index_1 ("1, 2"); }
  cell (INV) {
    area : 2.5;
    pin(A) { direction : input; capacitance : 0.1; }
    pin(Y) {
      direction : output
      function : "(!A)";
      timing() { related_pin : "A"; cell_rise(delays) { values ("0.1, \\
        0.2"); } }
    }
  }
  cell (BUF) {
    area : 3;
    pin(A) { direction : input; }
    pin(Y) { direction : output; function : "(A)"; timing() { related_pin : "A"; } }
  }
  cell (NOR) {
    area : 4 /* with a comment */
    pin(A, B) { direction : input; }
    pin(Y) { direction : output; function : "!(A + B)"; timing() { related_pin : "A"; } }
  }
  cell (XOR) {
    area : 5;
    pin(A, B) { direction : input; }
    pin(Y) { direction : output; function : "(A ^ B)"; timing() { related_pin : "A"; } }
  }
  cell (DFF) {
    area : 9;
    ff (IQ, IQN) { clocked_on : "CLK"; next_state : "D"; }
    pin(D) { direction : input; }
    pin(CLK) { direction : input; clock : true; }
    pin(Q) { direction : output; function : "IQ"; timing() { related_pin : "CLK"; } }
  }
  cell (LAT) {
    area : 7;
    latch (IQ, IQN) { enable : "G"; data_in : "D"; }
    pin(D) { direction : input; }
    pin(G) { direction : input; }
    pin(Q) { direction : output; function : "IQ"; }
  }
}
"""


#: What every core needs, in the words of the error.
REGISTER = "a rising-edge flip-flop without set, reset and enable"


def read(tmp_path, text):
    path = tmp_path / "cells.lib"
    path.write_text(text)
    return read_liberty(path)


def test_cells_have_areas_kinds_and_pins(tmp_path):
    found = read(tmp_path, CELLS)
    assert found.name == "few"
    assert {name: (cell.area, cell.kind) for name, cell in found.cells.items()} == {
        "INV": (2.5, "gate"),
        "BUF": (3.0, "gate"),
        "NOR": (4.0, "gate"),
        "XOR": (5.0, "gate"),
        "DFF": (9.0, "ff"),
        "LAT": (7.0, "latch"),
    }
    assert (found.of_kind("ff"), found.of_kind("latch")) == ({"DFF"}, {"LAT"})
    assert found.buffer == "BUF"
    inverter, register = found.cells["INV"], found.cells["DFF"]
    assert (inverter.inputs, inverter.outputs, inverter.functions) == (("A",), ("Y",), ("(!A)",))
    assert (register.inputs, register.clock) == (("D", "CLK"), "CLK")
    assert [name for name, cell in found.cells.items() if cell.is_register] == ["DFF"]
    assert found.cells["NOR"].inputs == ("A", "B")
    assert [name for name, cell in found.cells.items() if cell.is_pair] == ["NOR"]
    assert [name for name, cell in found.cells.items() if cell.timed] == [
        "INV",
        "BUF",
        "NOR",
        "XOR",
        "DFF",
    ]


def without(name):
    """The cells with one whose function nobody knows."""
    head, mark, rest = CELLS.partition(f"cell ({name})")
    return head + mark + rest.replace("function", "fraction", 1)


def test_tools_get_a_file_without_its_mark(tmp_path):
    path = tmp_path / "cells.lib"
    path.write_text(CELLS, encoding="utf-8-sig")
    read_liberty(path).write(tmp_path / "copy.lib")
    assert (tmp_path / "copy.lib").read_text() == CELLS


def test_a_compressed_liberty_gets_its_remedy(tmp_path):
    path = tmp_path / "cells.lib"
    path.write_bytes(gzip.compress(CELLS.encode()))
    with pytest.raises(InputError, match=r"cells.lib is compressed: unpack it with gunzip$"):
        read_liberty(path)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", "must be a Liberty, and begin with 'library', in line 1"),
        ("module top; endmodule", "must be a Liberty, and begin with 'library', in line 1"),
        ("library(few) {", "must be a Liberty, and have '}' where it has its end, in line 1"),
        (CELLS[:-2], "must be a Liberty, and have '}' where it has its end, in line"),
        (f"{CELLS} }}", "must be a Liberty, and end with the brace that closes the library, in"),
        *(
            (
                CELLS.replace("2.5", area),
                f"the area of cell INV must be a number of at least 0, {said}",
            )
            for area, said in (
                ("much", "not much"),
                ("-1", "not -1"),
                ("nan", "not nan"),
                ("inf", "not inf"),
            )
        ),
        (CELLS.replace("area", "size"), "a Liberty must have areas, and no cell has one"),
        (re.sub("area : [0-9.]+", "area : 0", CELLS), "must have areas, and no cell has one"),
        (CELLS.replace("timing(", "times("), f"must have timing of {REGISTER}, and DFF has none"),
        (without("INV"), "a Liberty must have an inverter among its 6 cells"),
        (without("BUF"), "a Liberty must have a buffer among its 6 cells"),
        (without("NOR"), "must have a NAND, NOR, AND or OR of two inputs among its 6 cells"),
        *(
            (
                CELLS.replace(*change),
                f"must have {REGISTER} among its 6 cells: name one that has with --liberty",
            )
            for change in (
                ("ff (", "fg ("),
                ("ff (", "ff_bank ("),
                ('clocked_on : "CLK"', 'clocked_on : "!CLK"'),
                ('clocked_on : "CLK"', 'clocked_on : "(CLK\')"'),
                ("pin(D)", "pin(D, R)"),
            )
        ),
        (CELLS.replace("function", "fraction"), "a Liberty must have gates with a function"),
    ],
)
def test_a_broken_liberty_gets_a_sentence(tmp_path, text, rule):
    with pytest.raises(InputError) as caught:
        read(tmp_path, text)
    assert rule in str(caught.value)
    assert str(tmp_path / "cells.lib") in str(caught.value)


def test_a_missing_default_names_its_package(tmp_path, monkeypatch):
    monkeypatch.setattr(liberty, "DEFAULT", tmp_path / "none.lib")
    with pytest.raises(InputError, match="install it with `apt-get install qflow-tech-osu018`"):
        find_liberty()
    assert find_liberty(tmp_path / "own.lib") == tmp_path / "own.lib"


@pytest.mark.skipif(
    not DEFAULT.exists(), reason="OSU018 is missing: apt-get install qflow-tech-osu018"
)
def test_the_default_is_read():
    found = read_liberty(find_liberty())
    assert found.name == "osu018_stdcells"
    assert len(found.cells) == 32
    assert found.of_kind("ff") == {"DFFNEGX1", "DFFPOSX1", "DFFSR"}
    assert [name for name, cell in found.cells.items() if cell.is_register] == ["DFFPOSX1"]
    assert found.of_kind("latch") == {"LATCH"}
    assert found.cells["DFFPOSX1"].area == 96.0

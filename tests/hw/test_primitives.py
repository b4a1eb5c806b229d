"""Arithmetic primitives: built of a device's cells, they equal what is written for any target."""

import pytest

from hw.rtl.library import library
from hw.tools.process import ToolError
from tests.proofs import prove_script


#: One version. Both are compared with the cell library of Yosys; a counterexample is an error.
PROOF = """
read_verilog {defines} design.v
chparam -set WIDTH {width} addend_choose_add
hierarchy -check -top addend_choose_add
proc; flatten; opt_clean
rename -top {name}
design -stash {name}
"""


def prove(folder, text, width):
    """Raises ToolError unless both versions of the sum are the same."""
    twin = PROOF.format(defines="", width=width, name="twin")
    cells = PROOF.format(defines="-D ADDEND_ECP5", width=width, name="cells")
    cells = f"read_verilog +/ecp5/common_sim.vh +/ecp5/ccu2c_sim.vh\n{cells}"
    script = (
        f"{twin}{cells}design -copy-from twin -as twin twin\n"
        "design -copy-from cells -as cells cells\n"
        "miter -equiv -flatten -make_outputs twin cells miter\n"
        "sat -verify -prove trigger 0 -set-def-inputs miter\n"
    )
    prove_script(folder, text, script)


@pytest.mark.parametrize("width", [1, 2, 3, 12, 17, 20, 23])
def test_the_twin_equals_the_carry_cells(tmp_path, width):
    prove(tmp_path, library(), width)


def test_a_wrong_table_is_noticed(tmp_path):
    text = library()
    assert "16'h569a" in text
    with pytest.raises(ToolError, match="proof did fail"):
        prove(tmp_path, text.replace("16'h569a", "16'h569b"), 12)

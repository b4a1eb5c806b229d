"""Arithmetic primitives: built of a device's cells, they equal what is written for any target."""

import pytest

from hw.rtl.library import library
from hw.tools.process import ToolError
from tests.proofs import prove_script


#: One version. Both are compared with the cell library of Yosys; a counterexample is an error.
PROOF = """
read_verilog {defines} design.v
chparam {parameters} {module}
hierarchy -check -top {module}
proc; flatten; opt_clean
rename -top {name}
design -stash {name}
"""


def prove(folder, text, module, **parameters):
    """Raises ToolError unless both versions of a module are the same."""
    given = " ".join(f"-set {name} {value}" for name, value in parameters.items())
    twin = PROOF.format(defines="", module=module, parameters=given, name="twin")
    cells = PROOF.format(defines="-D ADDEND_ECP5", module=module, parameters=given, name="cells")
    cells = f"read_verilog +/ecp5/common_sim.vh +/ecp5/ccu2c_sim.vh\n{cells}"
    script = (
        f"{twin}{cells}design -copy-from twin -as twin twin\n"
        "design -copy-from cells -as cells cells\n"
        "miter -equiv -flatten -make_outputs twin cells miter\n"
        "sat -verify -prove trigger 0 -set-def-inputs miter\n"
    )
    prove_script(folder, text, script)


@pytest.mark.parametrize(
    "module", ["addend_choose_add", "addend_choose_compare", "addend_load_add", "addend_or_add"]
)
@pytest.mark.parametrize("width", [1, 2, 3, 12, 17, 20, 23])
def test_the_twin_equals_the_carry_cells(tmp_path, width, module):
    prove(tmp_path, library(), module, WIDTH=width)


@pytest.mark.parametrize("inputs", [2, 3, 4, 5, 6, 7, 8, 12, 16, 17, 24, 128])
def test_the_twin_equals_the_tree_of_luts(tmp_path, inputs):
    prove(tmp_path, library(), "addend_xor", INPUTS=inputs)


@pytest.mark.parametrize(
    ("module", "right", "wrong", "sizes"),
    [
        ("addend_choose_add", "16'h569a", "16'h569b", {"WIDTH": 12}),
        ("addend_choose_compare", "16'ha965", "16'ha964", {"WIDTH": 12}),
        ("addend_load_add", "16'hde12", "16'hde13", {"WIDTH": 12}),
        ("addend_or_add", "16'h111e", "16'h1116", {"WIDTH": 12}),
        ("addend_xor", "16'h6996", "16'h6997", {"INPUTS": 12}),
    ],
)
def test_a_wrong_table_is_noticed(tmp_path, module, right, wrong, sizes):
    text = library()
    assert right in text
    with pytest.raises(ToolError, match="proof did fail"):
        prove(tmp_path, text.replace(right, wrong), module, **sizes)

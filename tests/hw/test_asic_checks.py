"""What must hold of gates: one clock, no latch, no inferred memory, reset or a reason."""

import pytest

from hw.asic.checks import check_gates
from hw.tools.process import ToolError


OUTPUTS = "YQ"


def gates(*cells, names=()):
    """A module of cells ``(type, {pin: net})``; nets 0 and 1 are the clock and ``aresetn``."""
    return {
        "ports": {
            "aclk": {"direction": "input", "bits": [0]},
            "aresetn": {"direction": "input", "bits": [1]},
        },
        "cells": {
            f"cell{index}": {
                "type": kind,
                "connections": {pin: [net] for pin, net in pins.items()},
                "port_directions": {pin: "output" if pin in OUTPUTS else "input" for pin in pins},
            }
            for index, (kind, pins) in enumerate(cells)
        },
        "netnames": {name: {"hide_name": 0, "bits": [net]} for name, net in names},
    }


#: The register of the reset pin, and one that it clears: D is next AND NOT reset.
RESET = (("$_NOT_", {"A": 1, "Y": 2}), ("$_DFF_P_", {"C": 0, "D": 2, "Q": 3}))
CLEARED = (
    ("$_NOT_", {"A": 3, "Y": 4}),
    ("$_AND_", {"A": 4, "B": 5, "Y": 6}),
    ("$_DFF_P_", {"C": 0, "D": 6, "Q": 7}),
    ("$_NOT_", {"A": 7, "Y": 5}),
)
#: One that keeps its value or takes that of the cleared one, whatever reset says.
KEPT = (
    ("$_MUX_", {"A": 8, "B": 7, "S": 7, "Y": 9}),
    ("$_DFF_P_", {"C": 0, "D": 9, "Q": 8}),
)


def checked(module):
    """What is found where no register has another name than its own."""
    return check_gates(module, {"netnames": {}, "cells": {}})


def test_reset_gives_registers_their_values():
    found = checked(gates(*RESET, *CLEARED))
    assert (found["clock"], found["flip_flops"], found["reset"]) == ("aclk", 2, 2)
    assert found["unreset"] == []


def test_a_register_without_reset_must_be_listed():
    with pytest.raises(ToolError) as caught:
        checked(gates(*RESET, *CLEARED, *KEPT, names=[("core.kept", 8)]))
    assert "core.kept has none, and 0 more" in str(caught.value)


@pytest.mark.parametrize(
    "name",
    ["core.logits.storage[1]", "core.array.readout_0.packer.values_0[0]"],
)
def test_a_listed_register_comes_with_its_reason(name):
    found = checked(gates(*RESET, *CLEARED, *KEPT, names=[(name, 8)]))
    (entry,) = found["unreset"]
    assert (entry["name"], entry["bits"]) == (name, 1)
    assert ":" in entry["reason"]
    assert (found["flip_flops"], found["reset"]) == (3, 2)


@pytest.mark.parametrize(
    ("cell", "rule"),
    [
        (("$_DLATCH_P_", {"E": 0, "D": 2, "Q": 20}), "The core must have no latch, and has 1"),
        (("$_SR_PP_", {"S": 2, "R": 3, "Q": 20}), "The core must have no latch, and has 1"),
        (("$mem_v2", {"RD_CLK": 0}), "$mem_v2 is none"),
        (("$_DFF_P_", {"C": 7, "D": 2, "Q": 20}), "one clock, aclk, which drives registers alone"),
        (("$_AND_", {"A": 0, "B": 2, "Y": 20}), "one clock, aclk, which drives registers alone"),
        (("addend_sram_1w1r_4x17", {"clk": 3}), "one clock, aclk, which drives registers alone"),
    ],
)
def test_what_no_core_may_have_is_refused(cell, rule):
    with pytest.raises(ToolError) as caught:
        checked(gates(*RESET, *CLEARED, cell))
    assert rule in str(caught.value)


def test_gates_must_form_no_loop():
    loop = (("$_NOT_", {"A": 20, "Y": 21}), ("$_NOT_", {"A": 21, "Y": 20}))
    with pytest.raises(ValueError, match="Gates must form no loop, and cell0 lies in one"):
        checked(gates(*loop))

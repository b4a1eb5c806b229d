"""Whose a gate is: the module's that it drives, or the one around all that it drives."""

from hw.asic.area import areas
from hw.asic.liberty import Cell, Liberty


def cell(name, area, kind, inputs):
    return Cell(
        name=name,
        area=area,
        kind=kind,
        inputs=inputs,
        outputs=("Y",),
        functions=(),
        clock="",
        is_register=kind == "ff",
        timed=True,
    )


LIBERTY = Liberty(
    name="two",
    path=None,
    sha256="",
    voltage=1.0,
    cells={
        "NAND": cell("NAND", 2.0, "gate", ("A", "B")),
        "DFF": cell("DFF", 10.0, "ff", ("A",)),
    },
)


def instance(kind, inputs, output):
    pins = dict(zip("AB", inputs, strict=False))
    return {
        "type": kind,
        "connections": {pin: [net] for pin, net in pins.items()} | {"Y": [output]},
        "port_directions": dict.fromkeys(pins, "input") | {"Y": "output"},
    }


def flat(path, output):
    """A register as flattening leaves it."""
    return f"$flatten{'.'.join(path)}.$procdff${output}", {
        "connections": {"Q": [output]},
        "type": "$dff",
    }


def scope(path):
    return path, {
        "type": "$scopeinfo",
        "attributes": {"module": f"accelerator.{path}"},
        "connections": {},
    }


def test_areas_add_up_and_lie_where_gates_lead():
    names = {"core.a.x": 10, "core.b.y": 11, "core.b.deep.z": 12}
    netnames = {name: {"hide_name": 0, "bits": [net]} for name, net in names.items()}
    modules = {
        "netnames": netnames,
        "cells": dict([
            scope("core"),
            scope("core.a"),
            scope("core.b"),
            scope("core.b.deep"),
            flat(("core", "\\a"), 10),
            flat(("core", "\\b"), 11),
            flat(("core", "\\b", "\\deep"), 12),
        ]),
    }
    netlist = {
        "netnames": netnames,
        "ports": {"out": {"direction": "output", "bits": [24]}},
        "cells": {
            "x": instance("DFF", [20], 10),
            "y": instance("DFF", [21], 11),
            "z": instance("DFF", [22], 12),
            # Drives x alone; y and z; all three through the others; the port.
            "for_x": instance("NAND", [23, 10], 20),
            "for_y": instance("NAND", [25, 11], 21),
            "for_z": instance("NAND", [25, 12], 22),
            "for_b": instance("NAND", [23, 11], 25),
            "for_all": instance("NAND", [10, 11], 23),
            "for_port": instance("NAND", [12, 12], 24),
        },
    }
    found = areas(netlist, modules, LIBERTY)
    assert {path: (own["area"], own["cells"]) for path, own in found.items()} == {
        "accelerator": (2.0, 1),
        "core": (2.0, 1),
        "core.a": (12.0, 2),
        "core.b": (14.0, 3),
        "core.b.deep": (12.0, 2),
    }
    assert {path: own["total_area"] for path, own in found.items()} == {
        "accelerator": 42.0,
        "core": 40.0,
        "core.a": 12.0,
        "core.b": 26.0,
        "core.b.deep": 12.0,
    }
    assert sum(own["flip_flops"] for own in found.values()) == 3

"""From a build folder to a netlist, and the count of multipliers that must be zero.

A build folder holds ``rtl/accelerator.v`` (top module ``accelerator``) and the memory images
``rom/*.hex``, whose names in the Verilog are relative to the folder. Logs and intermediate files
go to ``fpga/`` inside of it.
"""

import json
from collections import Counter
from pathlib import Path

from golden.data.description import read_json
from golden.data.limits import MAX_NETLIST
from hw.tools.wheels import run


__all__ = ["ECP5", "TOP", "WORK", "estimate", "multipliers", "run_yosys", "synthesise"]


TOP = "accelerator"
VERILOG = f"rtl/{TOP}.v"
WORK = "fpga"

#: Commands that synthesise for ECP5: with its primitives, without DSP inference (which made the
#: result larger and slower) and without wide multiplexers (which took a fifth more LUTs).
ECP5 = "synth_ecp5 -nodsp -nowidelut"

#: Commands that synthesise for each target with the inference of DSPs allowed, and the label
#: behind that inference: later passes make LUTs, registers and memories, no DSP.
TARGETS = {
    "ecp5": (f"synth_ecp5 -top {TOP}", "map_ram"),
    "xilinx": (f"synth_xilinx -family xc7 -flatten -top {TOP}", "coarse"),
}

#: The generic target: word-level cells as the Verilog has them, before an optimisation could take a
#: product for an index or for wiring.
GENERIC = f"hierarchy -check -top {TOP}; proc -noopt"

#: Beginnings of the names of cells that multiply or divide, in the libraries of the targets and
#: among Yosys' own (escaped names of modules begin otherwise).
MULTIPLIERS = (
    "MULT",
    "ALU54",
    "ALU24",
    "DSP48",
    "DSP58",
    "$mul",
    "$div",
    "$mod",
    "$pow",
    "$__mul",
    "$__soft_mul",
)


def synthesise(folder, *, top=TOP, limit=3600):
    """Synthesise for ECP5.

    Parameters
    ----------
    folder : Path
        Build folder.
    top : str
        Top module: the accelerator, or one around it, in a file of its name in ``board/``.
    limit : float
        Time limit in seconds.

    Returns
    -------
    dict of str to int
        Number of cells by type, and ``"pins"``.

    Raises
    ------
    ToolError
        If Yosys is missing or fails.
    """
    folder = Path(folder)
    (folder / WORK).mkdir(exist_ok=True)
    statistics = run_yosys(
        folder,
        f"{ECP5} -top {top} -json {WORK}/netlist.json",
        name="yosys",
        define="ADDEND_ECP5",
        limit=limit,
        sources=(VERILOG, *([f"board/{top}.v"] if top != TOP else [])),
    )
    _open_carry_ends(folder / WORK / "netlist.json", top)
    return {**statistics["num_cells_by_type"], "pins": statistics["num_port_bits"]}


def _open_carry_ends(path, top):
    """Disconnects carries that lead nowhere, and those into LUTs that ignore them.

    Two cells bring a carry into a chain and two take one out of it, whether it matters or not,
    unless the pin is open. Yosys never leaves it open.
    """
    netlist = read_json(path, "the netlist", limit=MAX_NETLIST)
    module = netlist["modules"][top]
    pins = [port["bits"] for port in module["ports"].values()]
    pins += [bits for cell in module["cells"].values() for bits in cell["connections"].values()]
    uses = Counter(bit for bits in pins for bit in bits)
    for cell in module["cells"].values():
        if cell["type"] == "CCU2C":
            connections, parameters = cell["connections"], cell["parameters"]
            if uses[connections["COUT"][0]] == 1:
                connections["COUT"] = ["x"]
            if connections["CIN"] == ["0"] and int(parameters["INIT0"], 2) == 0:
                connections["CIN"] = ["x"]
    path.write_text(json.dumps(netlist))


def run_yosys(folder, commands, *, name, limit, define="", sources=(VERILOG,)):
    """Run Yosys on the Verilog of a build folder; return its statistics of the top module."""
    options = f"-D {define} " if define else ""
    read = f"read_verilog {options}{' '.join(sources)}"
    script = f"{read}; {commands}; tee -q -o {WORK}/{name}.json stat -json"
    run("yosys", ["-Q", "-T", "-p", script], folder=folder, log=f"{WORK}/{name}.log", limit=limit)
    return read_json(folder / WORK / f"{name}.json", "the report of Yosys")["design"]


def estimate(cells):
    """Resources of a synthesised netlist, in the units of a device.

    Parameters
    ----------
    cells : dict of str to int
        Number of cells by type.

    Returns
    -------
    dict of str to int
    """
    cells = Counter(cells)
    return {
        # A carry cell holds two LUTs; a distributed memory four, and two for its write port.
        "lut": cells["LUT4"] + 2 * cells["CCU2C"] + 6 * cells["TRELLIS_DPR16X4"],
        "ff": cells["TRELLIS_FF"],
        "bram": cells["DP16KD"],
        "dsp": cells["MULT18X18D"],
    }


def multipliers(folder, target, *, whole=False, limit=3600):
    """Cells that multiply in what a synthesis tool makes of the Verilog when it is free to.

    Parameters
    ----------
    folder : Path
        Build folder.
    target : {"ecp5", "xilinx", "generic"}
        For the first two, DSP cells, and products that are left for LUTs. For
        ``generic`` every multiplication and division that the Verilog contains, of any width, by
        constants too.
    whole : bool
        Whether to go on to the final netlist, which takes ten times as long and cannot have more
        DSPs.
    limit : float
        Time limit in seconds.

    Returns
    -------
    dict of str to int
        Number of such cells by type; empty if there is none.

    Raises
    ------
    ValueError
        If the target is unknown.
    ToolError
        If Yosys is missing or fails.
    """
    if target == "generic":
        commands = GENERIC
    elif target in TARGETS:
        synthesis, label = TARGETS[target]
        commands = synthesis if whole else f"{synthesis} -run begin:{label}"
    else:
        raise ValueError(
            f"Target must be one of {', '.join([*TARGETS, 'generic'])}, not {target!r}"
        )
    folder = Path(folder)
    (folder / WORK).mkdir(exist_ok=True)
    statistics = run_yosys(folder, commands, name=f"multipliers-{target}", limit=limit)
    return {
        cell: number
        for cell, number in statistics["num_cells_by_type"].items()
        if cell.startswith(MULTIPLIERS)
    }

"""From a build folder to a bitstream, and the count of multipliers that must be zero.

A build folder holds ``rtl/accelerator.v`` (top module ``accelerator``) and the memory images
``rom/*.hex``, whose names in the Verilog are relative to the folder. Logs and intermediate files
go to ``fpga/`` inside of it, the bitstream to ``accelerator.bit``.
"""

import json
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

from hw.tools import ToolError, run


__all__ = ["Utilisation", "implement", "multipliers", "pack", "place_and_route", "synthesise"]


TOP = "accelerator"
VERILOG = f"rtl/{TOP}.v"
WORK = "fpga"

#: Commands that synthesise for each target with the inference of DSPs allowed, and the label
#: behind that inference: later passes make tables, registers and memories, no DSP.
TARGETS = {
    "ecp5": (f"synth_ecp5 -top {TOP}", "map_ram"),
    "xilinx": (f"synth_xilinx -family xc7 -flatten -top {TOP}", "coarse"),
}

#: The generic target: word-level cells, before any of them is broken up into gates. A product with
#: a constant power of two has become wiring by then.
GENERIC = f"hierarchy -check -top {TOP}; proc; flatten; opt; wreduce; peepopt; opt_clean"

#: Beginnings of the names of cells that multiply or divide, in the libraries of the targets and
#: among Yosys' own (escaped names of modules begin otherwise).
MULTIPLIERS = ("MULT", "ALU54", "ALU24", "DSP48", "DSP58", "$mul", "$div", "$mod", "$pow",
               "$__mul", "$__soft_mul")


@dataclass(frozen=True, kw_only=True)
class Utilisation:
    """What a routed accelerator takes of its device.

    Parameters
    ----------
    device, package : str
    lut, ff, bram, dsp : int
        Look-up tables (also those inside carry chains and distributed memories), flip-flops,
        block memories of 18 kbit, and DSP cells.
    fmax_mhz, clock_mhz : float
        Clock frequency after routing, slowest corner, and the one asked for.
    seed : int
        Of the placer.
    """

    device: str
    package: str
    lut: int
    ff: int
    bram: int
    dsp: int
    fmax_mhz: float
    clock_mhz: float
    seed: int

    def as_dict(self):
        """Fields by name, for a report."""
        return asdict(self)


def synthesise(folder, *, limit=3600):
    """Synthesise for ECP5, without DSP inference (which made the result larger and slower).

    Parameters
    ----------
    folder : Path
        Build folder.
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
        folder, f"synth_ecp5 -nodsp -top {TOP} -json {WORK}/netlist.json", name="yosys",
        limit=limit)
    return {**statistics["num_cells_by_type"], "pins": statistics["num_port_bits"]}


def run_yosys(folder, commands, *, name, limit):
    """Run Yosys on the Verilog of a build folder; return its statistics of the top module."""
    script = f"read_verilog {VERILOG}; {commands}; tee -q -o {WORK}/{name}.json stat -json"
    run("yosys", ["-Q", "-T", "-p", script], folder=folder, log=f"{WORK}/{name}.log", limit=limit)
    return json.loads((folder / WORK / f"{name}.json").read_text())["design"]


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
        # A carry cell holds two tables; a distributed memory four, and two for its write port.
        "lut": cells["LUT4"] + 2 * cells["CCU2C"] + 6 * cells["TRELLIS_DPR16X4"],
        "ff": cells["TRELLIS_FF"],
        "bram": cells["DP16KD"],
        "dsp": cells["MULT18X18D"],
    }


def place_and_route(folder, *, device, package, clock_mhz, seed=1, limit=7200):
    """Place and route a synthesised accelerator.

    A clock that is missed is no failure: the frequency reached is in the result.

    Parameters
    ----------
    folder : Path
        Build folder, after :func:`synthesise`.
    device : Device
    package : str
    clock_mhz : float
        Frequency to aim at.
    seed : int
        Of the placer: another one finds another placement, faster or slower by some percent.
    limit : float
        Time limit in seconds.

    Returns
    -------
    Utilisation

    Raises
    ------
    ToolError
        If nextpnr is missing or fails.
    """
    folder = Path(folder)
    constraints = folder / f"{TOP}.lpf"
    constraints.write_text(
        "# Pins are placed where they route best; a board adds LOCATE lines.\n"
        f'FREQUENCY PORT "aclk" {clock_mhz:g} MHZ;\n')
    run("nextpnr-ecp5", [
        device.option, "--package", package, "--speed", "6",
        "--json", f"{WORK}/netlist.json", "--lpf", constraints.name,
        "--textcfg", f"{WORK}/{TOP}.config", "--report", f"{WORK}/nextpnr.json",
        "--freq", f"{clock_mhz:g}", "--seed", seed,
        "--timing-allow-fail", "--lpf-allow-unconstrained",
    ], folder=folder, log=f"{WORK}/nextpnr.log", limit=limit)
    report = json.loads((folder / WORK / "nextpnr.json").read_text())
    if not report["fmax"]:
        raise ToolError("nextpnr-ecp5 found no clock: the accelerator must have registers")
    used = {cell: number["used"] for cell, number in report["utilization"].items()}
    return Utilisation(
        device=device.name, package=package,
        lut=used["TRELLIS_COMB"], ff=used["TRELLIS_FF"], bram=used["DP16KD"],
        dsp=used["MULT18X18D"] + used["ALU54B"],
        fmax_mhz=min(clock["achieved"] for clock in report["fmax"].values()),
        clock_mhz=clock_mhz, seed=seed)


def pack(folder, *, limit=600):
    """Write the bitstream of a routed accelerator.

    Parameters
    ----------
    folder : Path
        Build folder, after :func:`place_and_route`.
    limit : float
        Time limit in seconds.

    Returns
    -------
    Path
        ``accelerator.bit`` in the folder; it appears only when it is complete.

    Raises
    ------
    ToolError
        If ecppack is missing or fails.
    """
    folder = Path(folder)
    partial = f"{WORK}/{TOP}.bit"
    run("ecppack", ["--compress", f"{WORK}/{TOP}.config", partial],
        folder=folder, log=f"{WORK}/ecppack.log", limit=limit)
    return (folder / partial).replace(folder / f"{TOP}.bit")


def implement(folder, *, device, clock_mhz, seed=1, progress=print):
    """Synthesise, check that it fits, place, route and pack.

    Parameters
    ----------
    folder : Path
        Build folder.
    device : Device
    clock_mhz : float
        Frequency to aim at.
    seed : int
        Of the placer.
    progress : callable
        Takes one sentence per step.

    Returns
    -------
    Utilisation

    Raises
    ------
    ToolError
        If a tool is missing or fails.
    ValueError
        If the accelerator does not fit the device.
    """
    folder = Path(folder)
    # The bitstream of an earlier build must not be taken for that of a build which fails.
    (folder / f"{TOP}.bit").unlink(missing_ok=True)
    progress("synthesising")
    cells = synthesise(folder)
    device.require(**estimate(cells))
    package = device.package(cells["pins"])
    progress(f"placing and routing for {device.name} in {package}")
    utilisation = place_and_route(
        folder, device=device, package=package, clock_mhz=clock_mhz, seed=seed)
    progress("writing the bitstream")
    pack(folder)
    return utilisation


def multipliers(folder, target, *, whole=False, limit=3600):
    """Cells that multiply in what a synthesis tool makes of the Verilog when it is free to.

    Parameters
    ----------
    folder : Path
        Build folder.
    target : {"ecp5", "xilinx", "generic"}
        For the first two, DSP cells, and products that are left for look-up tables. For
        ``generic`` every multiplication and division that the Verilog contains, of any width.
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
        raise ValueError(f"Target must be one of {', '.join([*TARGETS, 'generic'])}, "
                         f"not {target!r}")
    folder = Path(folder)
    (folder / WORK).mkdir(exist_ok=True)
    statistics = run_yosys(folder, commands, name=f"multipliers-{target}", limit=limit)
    return {
        cell: number for cell, number in statistics["num_cells_by_type"].items()
        if cell.startswith(MULTIPLIERS)
    }

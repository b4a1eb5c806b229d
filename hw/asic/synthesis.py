"""From a build directory to a netlist of standard cells, by Yosys.

The netlist is flat: the mapper sees every path from register to register whole, and puts buffers
behind what many cells read, wherever they lie. What each module takes is told apart afterwards, by
``hw.asic.area``. Memories stay modules of their own. All files but the description of what was
found lie in ``asic/`` inside the build directory.
"""

import contextlib
import re
from pathlib import Path

from golden.data.description import read_json
from golden.data.limits import MAX_NETLIST
from golden.data.reading import InputError, printable
from hw.emit.licence import VERILOG_HEAD
from hw.tools.process import ToolError, ToolTimeoutError, last_error
from hw.tools.wheels import run, tool_command


__all__ = ["TOP", "WORK", "cell_modules", "placed", "read_module", "require_wrapper", "synthesise"]


TOP = "accelerator"
WORK = "asic"

#: What the script writes, by what it is: the core as its modules have it, its gates before they
#: are mapped, and its cells.
STEPS = ("modules", "gates", "netlist")

#: The Liberty, which a wheel would not find everywhere.
_LIBERTY = f"{WORK}/liberty.lib"
#: What drives the core's inputs, and the load of its outputs in femtofarads: without these lines
#: the mapper inserts no buffers.
_CONSTRAINTS = f"{WORK}/abc.constr"
_LOAD = 20

#: What Yosys says of a module that a file has twice.
_AGAIN = re.compile(r"Replacing existing\D*? module `\\?([^'`]+)'")

#: Simulations begin with values that silicon does not have: they are taken away, after a memory
#: became flip-flops too. A case statement stays logic, and queues are flip-flops.
_SCRIPT = f"""\
read_verilog -lib {WORK}/sram_ports.v
read_verilog rtl/{TOP}.v
hierarchy -check -top {TOP}
proc -norom
setattr -unset init w:*
flatten
check -assert
write_json {WORK}/modules.json
opt_expr
opt_clean
opt -nodffe -nosdff
wreduce
peepopt
opt_clean
alumacc
opt
memory -nomap -nordff
opt_clean
opt -fast -full
memory_map
setattr -unset init w:*
opt -undriven -fine
techmap
setundef -zero
opt -fast
dfflegalize -cell $_DFF_P_ x
opt_expr
opt_merge
opt_clean -purge
write_json {WORK}/gates.json
dfflibmap -liberty {_LIBERTY}
abc -liberty {_LIBERTY} -D {{picoseconds}} -constr {_CONSTRAINTS}
setundef -zero
splitnets
opt_clean -purge
write_json {WORK}/netlist.json
write_verilog -noattr -noexpr -nohex -simple-lhs {WORK}/netlist.v
read_liberty -overwrite -ignore_miss_func {_LIBERTY}
hierarchy -top {TOP}
proc
opt_clean
select * =A:blackbox %d {TOP} %d
write_verilog -noattr -selected {WORK}/cells.v
"""


def synthesise(folder, liberty, sizes, *, clock_mhz, limit=7200):
    """Map a core to the cells of a Liberty.

    Parameters
    ----------
    folder : Path
        Build directory.
    liberty : Liberty
    sizes : iterable of SramSize
        Of the core's memories.
    clock_mhz : float
        Clock that the mapper aims at.
    limit : float
        Time limit in seconds.

    Returns
    -------
    dict of str to dict
        By the names of ``STEPS``, the top module as Yosys writes it to JSON.

    Raises
    ------
    ToolError
        If Yosys is missing or fails.
    """
    folder = Path(folder)
    work = folder / WORK
    work.mkdir(exist_ok=True)
    boxes = [f"(* blackbox *)\n{size.head}endmodule\n" for size in sizes]
    (work / "sram_ports.v").write_text("".join(boxes))
    (folder / _CONSTRAINTS).write_text(f"set_driving_cell {liberty.buffer}\nset_load {_LOAD}\n")
    (work / "netlist.ys").write_text(_SCRIPT.format(picoseconds=round(1e6 / clock_mhz)))
    with placed(liberty, folder):
        run(
            "yosys",
            ["-Q", "-T", "-s", f"{WORK}/netlist.ys"],
            folder=folder,
            log=f"{WORK}/yosys.log",
            limit=limit,
        )
    for name in ("netlist.v", "cells.v"):
        path = work / name
        path.write_text(f"{VERILOG_HEAD}{path.read_text()}")
    return {step: read_module(folder, step) for step in STEPS}


def read_module(folder, step):
    """The top module of a step, as Yosys writes it to JSON."""
    path = Path(folder) / WORK / f"{step}.json"
    return read_json(path, "the netlist", limit=MAX_NETLIST)["modules"][TOP]


def require_wrapper(folder, sizes, *, limit=600):
    """Check that the Verilog of memories has each module once, with the ports that are wanted.

    Parameters
    ----------
    folder : Path
        Build directory, whose ``rtl/sram.v`` the user wrote.
    sizes : iterable of SramSize
    limit : float
        Time limit in seconds.

    Raises
    ------
    InputError
        If it has not, or is no Verilog.
    ToolError
        If Yosys is missing or takes too long.
    """
    folder = Path(folder)
    (folder / WORK).mkdir(exist_ok=True)
    log = folder / WORK / "wrapper.log"
    # What is missing is no fault of the Verilog.
    tool_command("yosys")
    try:
        run(
            "yosys",
            ["-Q", "-T", "-p", f"read_verilog -sv -lib rtl/sram.v; write_json {WORK}/wrapper.json"],
            folder=folder,
            log=f"{WORK}/wrapper.log",
            limit=limit,
        )
    except ToolTimeoutError:
        raise
    except ToolError:
        raise InputError(
            "The Verilog of --sram-wrapper must be one that Yosys reads, which says "
            f"{printable(last_error(log))} (see {log})"
        ) from None
    if twice := _AGAIN.search(log.read_text(errors="replace")):
        raise InputError(f"The Verilog of --sram-wrapper must have module {twice[1]} once")
    path = folder / WORK / "wrapper.json"
    found = read_json(path, "the memories", limit=MAX_NETLIST)["modules"]
    for size in sizes:
        if size.module not in found:
            raise InputError(f"The Verilog of --sram-wrapper must have a module {size.module}")
        ports = {
            name: (port["direction"], len(port["bits"]))
            for name, port in found[size.module]["ports"].items()
        }
        wanted = {name: (direction, width) for name, direction, width in size.ports}
        for name, port in wanted.items():
            if ports.get(name) != port:
                raise InputError(
                    f"Module {size.module} of --sram-wrapper must have the port {name} as "
                    f"{_said(port)}, not {_said(ports.get(name))}"
                )
        if foreign := sorted(set(ports) - set(wanted)):
            raise InputError(
                f"Module {size.module} of --sram-wrapper must not have a port {foreign[0]}"
            )


def _said(port):
    """A port in words."""
    return "no port" if port is None else f"{port[0]} of {port[1]} bit{'s'[: port[1] != 1]}"


@contextlib.contextmanager
def placed(liberty, folder):
    """A Liberty in ``asic/`` for as long as a tool takes: others wrote what it holds.

    Parameters
    ----------
    liberty : Liberty
    folder : Path
        Build directory.
    """
    target = Path(folder) / _LIBERTY
    target.unlink(missing_ok=True)
    try:
        liberty.write(target)
        yield
    finally:
        target.unlink(missing_ok=True)


def cell_modules(text):
    """Names of the modules in Verilog."""
    return set(re.findall(r"^module \\?(\S+?)\s*\(", text, re.MULTILINE))

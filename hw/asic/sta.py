"""Static timing of a netlist by OpenSTA, before anything is placed: wires have no length."""

import re
import shutil
from pathlib import Path

from hw.emit.licence import SPDX
from hw.tools.process import ToolError, run_logged

from .checks import CLOCK
from .synthesis import TOP, WORK, placed


__all__ = ["STA_PACKAGE", "has_sta", "preamble", "run_sta", "sram_liberty", "timing"]


#: Debian package of OpenSTA, whose program is ``sta``.
STA_PACKAGE = "opensta"

#: Groups of paths that are told apart, by what OpenSTA is asked for. Memories answer at once and
#: take what comes with the edge: their own times are added by whoever has them.
_PATHS = {
    "from_memories": "-from $memories",
    "into_memories": "-to $memories",
    "registers": "",
}

#: Decimals of a delay in nanoseconds.
DIGITS = 5

#: A path's last lines in a report.
_SLACK = re.compile(r"^\s*(-?[\d.]+)\s+slack \((?:MET|VIOLATED)\)", re.MULTILINE)

#: Where OpenSTA measures delays and slopes; nothing depends on it where both are 0.
_THRESHOLDS = "".join(
    f"  {kind}_threshold_pct_{edge} : {percent};\n"
    for kind, percent in (
        ("input", 50),
        ("output", 50),
        ("slew_lower", 20),
        ("slew_upper", 80),
    )
    for edge in ("rise", "fall")
)


def has_sta():
    """Whether OpenSTA is installed."""
    return shutil.which("sta") is not None


def sram_liberty(sizes, voltage):
    """Liberty of the memories: flip-flops on all inputs and outputs, without delays and area.

    Parameters
    ----------
    sizes : iterable of SramSize
    voltage : float
        Of the cells' Liberty: the nets behind a memory switch by it.

    Returns
    -------
    str
    """
    types = {width for size in sizes for _, _, width in size.ports}
    return (
        f"/* {SPDX} */\n"
        "library(addend_sram) {\n  delay_model : table_lookup;\n"
        f'{_THRESHOLDS}  nom_voltage : {voltage};\n  time_unit : "1ns";\n'
        '  voltage_unit : "1V";\n  current_unit : "1uA";\n  pulling_resistance_unit : "1kohm";\n'
        '  leakage_power_unit : "1nW";\n  capacitive_load_unit (1, pf);\n'
        + "".join(
            f"  type(bits_{width}) {{ base_type : array; data_type : bit; bit_width : {width}; "
            f"bit_from : {width - 1}; bit_to : 0; }}\n"
            for width in sorted(types)
        )
        + "".join(_sram_cell(size) for size in sizes)
        + "}\n"
    )


def _sram_cell(size):
    """A memory as a cell."""
    pins = []
    for name, direction, width in size.ports:
        if name == "clk":
            pins.append("    pin(clk) { direction : input; capacitance : 0.0; clock : true; }\n")
            continue
        kind = "setup_rising" if direction == "input" else "rising_edge"
        tables = (
            ("rise_constraint", "fall_constraint")
            if direction == "input"
            else ("cell_rise", "cell_fall", "rise_transition", "fall_transition")
        )
        timing = "".join(f'{table}(scalar) {{ values("0.0"); }} ' for table in tables)
        load = " capacitance : 0.0;" if direction == "input" else ""
        arc = f'timing() {{ related_pin : "clk"; timing_type : {kind}; {timing}}}'
        inner = f"direction : {direction};{load} {arc}"
        whole = name in ("write", "a_read", "b_read")
        group = f"pin({name}) {{" if whole else f"bus({name}) {{ bus_type : bits_{width};"
        pins.append(f"    {group} {inner} }}\n")
    return f"  cell({size.module}) {{\n    area : 0.0;\n{''.join(pins)}  }}\n"


def preamble(clock_mhz, memories=None):
    """Commands that read a core, from inside of ``asic/``, and give it a clock.

    Parameters
    ----------
    clock_mhz : float
    memories : iterable of str, optional
        Names of the memories' instances; without it, they are black boxes.

    Returns
    -------
    list of str
    """
    known = [] if memories is None else ["read_liberty sram.lib"]
    listed = " ".join(f"{{{name}}}" for name in sorted(memories or ()))
    return [
        "read_liberty liberty.lib",
        # Otherwise times are in the unit of this Liberty.
        "set_cmd_units -time ns",
        *known,
        "read_verilog netlist.v",
        f"link_design {TOP}",
        f"create_clock -name {CLOCK} -period {1e3 / clock_mhz:.6f} [get_ports {CLOCK}]",
        # The outside is on time, and does not wait.
        "set inputs {}",
        "foreach port [all_inputs] {",
        f'  if {{[get_property $port full_name] ne "{CLOCK}"}} {{ lappend inputs $port }}',
        "}",
        f"set_input_delay 0 -clock {CLOCK} $inputs",
        f"set_output_delay 0 -clock {CLOCK} [all_outputs]",
        f"set memories {{}}; foreach name [list {listed}] {{ lappend memories [get_cells $name] }}",
    ]


def run_sta(folder, name, commands, liberty, *, limit=3600):
    """Run OpenSTA in ``asic/`` of a build directory.

    Parameters
    ----------
    folder : Path
    name : str
        Of the script and of the log.
    commands : list of str
        In its language, Tcl.
    liberty : Liberty
    limit : float
        Time limit in seconds.

    Returns
    -------
    str
        What it printed.

    Raises
    ------
    ToolError
        If it is missing, fails or takes too long.
    """
    if not has_sta():
        raise ToolError(f"OpenSTA was not found: install it with `apt-get install {STA_PACKAGE}`")
    work = Path(folder) / WORK
    script, log = work / f"{name}.tcl", work / f"{name}.log"
    script.write_text("\n".join(commands) + "\n")
    with placed(liberty, folder):
        run_logged(
            [shutil.which("sta"), "-no_init", "-no_splash", "-exit", script.name],
            folder=work,
            log=log.name,
            limit=limit,
            name="OpenSTA",
            # It ends with status 0 behind an error, too.
            failure=r"^Error:|invalid command name",
        )
    return log.read_text(errors="replace")


def timing(folder, liberty, memories, *, clock_mhz):
    """Longest paths of a netlist.

    Parameters
    ----------
    folder : Path
        Build directory, after ``hw.asic.synthesis.synthesise`` and with ``asic/sram.lib``.
    liberty : Liberty
    memories : iterable of str
        Names of the memories' instances.
    clock_mhz : float
        Clock that is aimed at.

    Returns
    -------
    dict
        ``clock_mhz``; ``paths_ns``: the longest delay, set-up included, from the memories'
        outputs, into their inputs, and everywhere else (``registers``), None where there is no
        such path; ``slack_ns`` of the longest, and ``fmax_mhz``, both with memories that answer
        at once.
    """
    commands = preamble(clock_mhz, memories)
    for name, ends in _PATHS.items():
        if name == "registers":
            commands += ["set_false_path -from $memories", "set_false_path -to $memories"]
        commands += [
            f"puts {{paths {name}}}",
            f"report_checks -digits {DIGITS} -path_delay max {ends}",
        ]
    printed = run_sta(folder, "timing", commands, liberty)
    period = 1e3 / clock_mhz
    paths = {}
    for part in printed.split("paths ")[1:]:
        name, _, report = part.partition("\n")
        slack = _SLACK.search(report)
        paths[name.strip()] = round(period - float(slack[1]), DIGITS) if slack else None
    longest = max((delay for delay in paths.values() if delay is not None), default=0.0)
    if not longest:
        raise ToolError(f"OpenSTA found no path: see {Path(folder) / WORK / 'timing.log'}")
    return {
        "clock_mhz": clock_mhz,
        "paths_ns": paths,
        "slack_ns": round(period - longest, DIGITS),
        "fmax_mhz": round(1e3 / longest, 1),
    }

"""Power of a netlist, from what switched in a simulation of it.

The OpenSTA of Debian reads no file of activities. So each pin is told how often it changes in a
clock cycle, and for which part of the time it is high. Clock pins switch with the clock.
"""

import re
from pathlib import Path

from hw.tools.process import ToolError

from .sta import preamble, run_sta
from .synthesis import WORK


__all__ = ["power"]


#: A row of a report on power, in watts.
_ROW = re.compile(
    r"^(Sequential|Combinational|Total)\s+(\S+)\s+(\S+)\s+(\S+)\s+(\S+)", re.MULTILINE
)


def power(folder, liberty, pins, activity, *, clock_mhz, name="power"):
    """Power of a core while it computed a picture.

    Parameters
    ----------
    folder : Path
        Build directory, as ``hw.asic.sta.timing`` takes it.
    liberty : Liberty
    pins : dict
        From ``hw.asic.netlist.cell_pins``.
    activity : dict of str to (float, float)
        Of each net, as ``hw.asic.simulation.Run`` has it.
    clock_mhz : float
        Clock that the core runs at.
    name : str
        Of the script and of the log.

    Returns
    -------
    dict
        ``milliwatts`` of all cells; ``sequential_milliwatts`` and ``combinational_milliwatts`` of
        them; ``pins``, whose activity is known, and ``changes_per_cycle``, their mean.
    """
    found = {
        (cell, pin): activity.get(net, (0.0, float(net.endswith("1"))))
        for cell, (kind, connected) in pins.items()
        for pin, net in connected.items()
        if pin != liberty.cells[kind].clock
    }
    commands = [
        # A memory that is a cell without power makes the sum no number.
        *preamble(clock_mhz),
        # Activities are taken once power was asked for, which is no number before they are there.
        "catch {report_power}",
        *(
            f"sta::set_power_pin_activity [get_pins {{{cell}/{pin}}}] {changes:.6f} {high:.6f}"
            for (cell, pin), (changes, high) in found.items()
        ),
        "puts {measured}",
        "report_power -digits 6",
    ]
    printed = run_sta(folder, name, commands, liberty).partition("measured\n")[2]
    watts = {row[0]: float(row[4]) for row in _ROW.findall(printed)}
    if "Total" not in watts:
        raise ToolError(f"OpenSTA reported no power: see {Path(folder) / WORK / f'{name}.log'}")
    return {
        "milliwatts": 1e3 * watts["Total"],
        "sequential_milliwatts": 1e3 * watts["Sequential"],
        "combinational_milliwatts": 1e3 * watts["Combinational"],
        "pins": len(found),
        "changes_per_cycle": sum(changes for changes, _ in found.values()) / len(found),
    }

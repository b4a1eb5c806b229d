"""A flat netlist that Yosys wrote to JSON, as a graph of nets and cells."""

import re
from collections import defaultdict


__all__ = ["Graph", "net_names", "registers"]


#: A register as flattening names it: the path of its module, then a number.
_REGISTER = re.compile(r"\$flatten(.*)\.\$procdff\$\d+")


def net_names(module):
    """Public names of each net, as name and bit; bit is None where the name has one alone."""
    names = defaultdict(list)
    for name, net in module["netnames"].items():
        if not net["hide_name"]:
            bits = net["bits"]
            for index, bit in enumerate(bits):
                names[bit].append((name, index if len(bits) > 1 else None))
    return names


def registers(modules):
    """Registers, by each name that flattening gave each bit of them.

    Parameters
    ----------
    modules : dict
        The top module when it was just made flat: registers have the names of their modules there.

    Returns
    -------
    dict of str to (tuple of str, str)
        By name, and with ``[bit]`` where the name has several: path of the module that has the
        register, and the register's name, path included.
    """
    names = net_names(modules)
    found = {}
    for cell_name, cell in modules["cells"].items():
        if "Q" not in cell["connections"] or not (match := _REGISTER.fullmatch(cell_name)):
            continue
        path = tuple(match[1].replace("\\", "").split("."))
        for bit in cell["connections"]["Q"]:
            own = [name for name, _ in names[bit] if name.startswith(".".join(path) + ".")]
            # Behind a dollar stand names of expressions.
            register = min(own, key=lambda name: ("$" in name, len(name)), default=".".join(path))
            for name, index in names[bit]:
                found[_bit_name(name, index)] = path, register
    return found


def _bit_name(name, index):
    """Name of a bit of a net."""
    return name if index is None else f"{name}[{index}]"


class Graph:
    """Who drives and who reads each net of a module.

    Parameters
    ----------
    module : dict
        As Yosys writes it.
    known : dict of str to Cell
        Cells of a Liberty, of which Yosys does not know what is an output.

    Attributes
    ----------
    cells : dict of str to dict
        Cells that are hardware, by name.
    names : dict of int to list of (str, int or None)
        As ``net_names`` returns them.
    """

    def __init__(self, module, known=()):
        self.module = module
        self.known = known
        self.cells = {
            name: cell for name, cell in module["cells"].items() if cell["type"] != "$scopeinfo"
        }
        self.names = net_names(module)

    def pins(self, name, direction):
        """Pins of a cell of a direction, and their nets."""
        cell = self.cells[name]
        if "port_directions" in cell:
            directions = cell["port_directions"]
            pins = [pin for pin in cell["connections"] if directions[pin] == direction]
        else:
            known = self.known[cell["type"]]
            outputs = [pin for pin in cell["connections"] if pin in known.outputs]
            inputs = [pin for pin in cell["connections"] if pin not in known.outputs]
            pins = outputs if direction == "output" else inputs
        return [(pin, cell["connections"][pin]) for pin in pins]

    def bit_names(self, net):
        """Public names of a net, with ``[bit]`` where they have several."""
        return [_bit_name(name, index) for name, index in self.names[net]]

    def nets(self, name, direction):
        """Nets at a cell's pins of a direction; constants are none."""
        return [
            bit for _, bits in self.pins(name, direction) for bit in bits if isinstance(bit, int)
        ]

    def in_order(self, gates):
        """Gates behind all gates that drive them.

        Parameters
        ----------
        gates : set of str
            Names of cells without a register inside.

        Returns
        -------
        list of str

        Raises
        ------
        ValueError
            If gates form a loop.
        """
        driver = {net: name for name in gates for net in self.nets(name, "output")}
        readers, missing = defaultdict(list), {}
        for name in gates:
            before = {driver[net] for net in self.nets(name, "input") if net in driver}
            missing[name] = len(before)
            for other in before:
                readers[other].append(name)
        ready = sorted(name for name, count in missing.items() if not count)
        ordered = []
        while ready:
            name = ready.pop()
            ordered.append(name)
            for reader in readers[name]:
                missing[reader] -= 1
                if not missing[reader]:
                    ready.append(reader)
        if len(ordered) < len(gates):
            looped = next(name for name in sorted(gates) if missing[name])
            raise ValueError(f"Gates must form no loop, and {looped} lies in one")
        return ordered

"""Area of a flat netlist, told apart by the modules of the core.

A register counts for the module that has it. A gate counts for the module whose register, memory or
port it drives; where it drives several, for the smallest module that all of them lie in. So the
areas add up to that of the netlist, which a mapper was free to optimise as a whole.
"""

from collections import defaultdict

from .graph import Graph, registers


__all__ = ["CORE", "areas"]


#: Name of the top module in a table, where others have their path in it.
CORE = "accelerator"


def areas(netlist, modules, liberty):
    """Cells and area of each module.

    Parameters
    ----------
    netlist : dict
        The top module of cells, as Yosys writes it to JSON.
    modules : dict
        The same when it was just made flat: registers have the names of their modules there.
    liberty : Liberty

    Returns
    -------
    dict of str to dict
        By the module's path: ``cells``, ``flip_flops`` and ``area`` of its own, and ``total_area``
        with all modules in it. The core itself comes first.
    """
    graph = Graph(netlist, liberty.cells)
    owners = _Owners(modules)
    cells = {
        name: liberty.cells[cell["type"]]
        for name, cell in graph.cells.items()
        if cell["type"] in liberty.cells
    }
    found = defaultdict(lambda: {"cells": 0, "flip_flops": 0, "area": 0.0})
    for path in owners.scopes:
        _ = found[path]
    for name, path in _cell_owners(graph, cells, owners).items():
        own = found[path]
        own["cells"] += 1
        own["flip_flops"] += cells[name].kind == "ff"
        own["area"] += cells[name].area
    for own in found.values():
        own["total_area"] = 0.0
    for path, own in found.items():
        for above in _around(path):
            if above in found:
                found[above]["total_area"] += own["area"]
    return {
        ".".join(path) or CORE: own
        for path, own in sorted(found.items())
        if own["total_area"] or not path
    }


class _Owners:
    """Who has a register or a memory.

    Parameters
    ----------
    modules : dict
        As ``areas`` takes them.
    """

    def __init__(self, modules):
        self.registers = registers(modules)
        #: Paths of the modules that components are; those of the library belong to their users.
        self.scopes = {()} | {
            tuple(name.split("."))
            for name, cell in modules["cells"].items()
            if cell["type"] == "$scopeinfo"
            and cell["attributes"].get("module", "").startswith(f"{CORE}.")
        }

    def of_name(self, name):
        """Path of the smallest module that a name lies in."""
        return next(path for path in _around(tuple(name.split("."))) if path in self.scopes)

    def of_net(self, names):
        """Path of the module whose register drives a net of these names."""
        known = [self.registers[name][0] for name in names if name in self.registers]
        if known:
            return known[0]
        return max((self.of_name(name) for name in names), key=len, default=())


def _cell_owners(graph, cells, owners):
    """Path of the module that each cell of the Liberty counts for."""
    owned, wanted = {}, defaultdict(list)
    for port in graph.module["ports"].values():
        for bit in port["bits"] if port["direction"] == "output" else ():
            wanted[bit].append(())
    gates = {name for name, cell in cells.items() if cell.kind == "gate"}
    for name in graph.cells:
        if name in gates:
            continue
        if name in cells:
            names = [net for bit in graph.nets(name, "output") for net in graph.bit_names(bit)]
            owned[name] = owners.of_net(names)
        path = owned.get(name, owners.of_name(name))
        for bit in graph.nets(name, "input"):
            wanted[bit].append(path)
    for name in reversed(graph.in_order(gates)):
        driven = [path for bit in graph.nets(name, "output") for path in wanted[bit]]
        owned[name] = _common(driven)
        for bit in graph.nets(name, "input"):
            wanted[bit].append(owned[name])
    return owned


def _common(paths):
    """Path of the smallest module that all of some lie in."""
    if not paths:
        return ()
    shortest, longest = min(paths), max(paths)
    length = next(
        (
            index
            for index, pair in enumerate(zip(shortest, longest, strict=False))
            if pair[0] != pair[1]
        ),
        min(len(shortest), len(longest)),
    )
    return shortest[:length]


def _around(path):
    """A path and all that lead to it, the longest first."""
    return [path[:length] for length in range(len(path), -1, -1)]

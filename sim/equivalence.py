"""Proofs that a fault changes nothing: on its module, by Yosys."""

from hw.tools import ToolError


__all__ = ["proved_equivalent"]


#: Seconds that one proof may take.
LIMIT = 60

#: Cycles over which the proof by induction reaches.
DEPTH = 4


def proved_equivalent(netlist, mutation, *, limit=LIMIT):
    """Whether Yosys proves a module with a fault equal to the one without.

    What the module instantiates is cut out, with its ports as ports of the module, so that the
    proof holds for every content of the memories.

    Parameters
    ----------
    netlist : Netlist
    mutation : Mutation
    limit : float
        Seconds.

    Returns
    -------
    bool
        False, too, where the proof fails, or takes too long.
    """
    faulty = mutation.command(chosen=False).replace(f"-module {mutation.module} ",
                                                    "-module faulty ")
    commands = [
        "read_rtlil netlist.il", f"blackbox * {mutation.module} %d",
        f"rename {mutation.module} right", "copy right faulty", faulty,
        "expose -evert right faulty", "memory_map right faulty", "opt_clean right faulty",
        "equiv_make right faulty both", "hierarchy -top both", "opt_clean",
        f"equiv_simple -seq {DEPTH}", f"equiv_induct -seq {DEPTH}", "equiv_status -assert",
    ]
    try:
        netlist.yosys(f"proof-{mutation.number}", commands, limit=limit)
    except ToolError:
        return False
    return True

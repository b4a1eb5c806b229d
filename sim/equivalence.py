"""Proofs that a fault changes nothing: on its module, by Yosys."""

from hw.tools import ToolError
from hw.verilog import TOP


__all__ = ["proved_equivalent"]


#: Seconds that one proof may take.
LIMIT = 150

#: Cycles over which the proof by induction reaches.
DEPTH = 4


def proved_equivalent(netlist, mutation, *, limit=LIMIT):
    """Whether Yosys proves a module with a fault equal to the one without.

    What the module instantiates is cut out, with its ports as ports of the module. If that fails,
    the module is compared with all that is in it, and then the module around it with all that is
    in that: nothing there may look at what is wrong. Memories are always cut out, so that a proof
    holds for every content; the tags of their writes are no hardware.

    Parameters
    ----------
    netlist : Netlist
    mutation : Mutation
    limit : float
        Seconds.

    Returns
    -------
    bool
        False, too, where the proofs fail, or take too long.
    """
    module = mutation.module
    around = module.rpartition(".")[0]
    fault = mutation.command(chosen=False).replace(f"-module {module} ", "-module broken ")
    whole = [f"copy {module} broken", fault, f"rename {module} right", "rename broken faulty"]
    scopes = {
        "alone": [f"blackbox * {module} %d", *whole],
        "whole": [*whole, "flatten right faulty"],
        "around": [f"copy {module} broken", fault, f"rename {around} right", "copy right faulty",
                   f"chtype -set broken faulty/t:{module}", "flatten right faulty"],
    }
    if around == TOP:
        # It has nothing else in it.
        del scopes["around"]
    return any(_proved(netlist, f"proof-{mutation.number}-{name}", commands, limit)
               for name, commands in scopes.items())


def _proved(netlist, name, commands, limit):
    """Whether Yosys proves modules ``right`` and ``faulty`` equal, which the commands make.

    Their outputs must be, and the registers that these depend on.
    """
    try:
        netlist.yosys(name, [
            "read_rtlil netlist.il", "delete =addend_memory/w:tag", *commands,
            "expose -evert right/c:* faulty/c:*", "memory_map right faulty",
            "opt_clean -purge right faulty",
            # Wires between registers need not be equal, and are not compared without a name.
            "select -set registers right/t:$dff %co1:+[Q] faulty/t:$dff %co1:+[Q] %u",
            "rename -hide right/w:* faulty/w:* %u @registers %d right/x:* faulty/x:* %u %d",
            "equiv_make right faulty both", "hierarchy -top both", "opt_clean -purge",
            f"equiv_simple -seq {DEPTH}", f"equiv_induct -seq {DEPTH}", "equiv_status -assert",
        ], limit=limit)
    except ToolError:
        return False
    return True

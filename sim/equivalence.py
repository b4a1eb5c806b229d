"""Proofs that a fault changes nothing: on its module, by Yosys."""

import re
import time

from hw.emit.verilog import TOP
from hw.tools.process import ToolError


__all__ = ["proved_equivalent"]


#: Seconds that the proofs of one fault may take.
LIMIT = 150

#: Cycles over which the proof by induction reaches; simulation has looked at the first ones.
DEPTH = 4

#: Bits of registers that a proof may leave uncompared.
FREE = 8


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
        "around": [
            f"copy {module} broken",
            fault,
            f"rename {around} right",
            "copy right faulty",
            f"chtype -set broken faulty/t:{module}",
            "flatten right faulty",
        ],
    }
    if around == TOP:
        # It has nothing else in it.
        del scopes["around"]
    end = time.monotonic() + limit
    return any(
        _proved(netlist, f"proof-{mutation.number}-{name}", commands, end)
        for name, commands in scopes.items()
    )


def _proved(netlist, name, commands, end):
    """Whether Yosys proves modules ``right`` and ``faulty`` equal, which the commands make.

    Their outputs must be, bit by bit, and the registers that these depend on. A register that is
    not, as one that is reset to another value which nothing looks at, is compared no longer, and
    may then hold anything: what depends on it must still be equal.
    """
    registers = [f"{module}/t:$_DFF_P_ %co1:+[Q]" for module in ("right", "faulty")]
    free = set()
    while len(free) <= FREE and time.monotonic() < end:
        hidden = [f"rename -hide right/w:{bit} faulty/w:{bit}" for bit in sorted(free)]
        try:
            netlist.yosys(
                name,
                [
                    "read_rtlil netlist.il",
                    "delete =addend_memory/w:tag",
                    *commands,
                    "expose -evert right/c:* faulty/c:*",
                    "memory_map right faulty",
                    # What is used in part is kept in part.
                    "simplemap right/t:$dff right/t:$mux faulty/t:$dff faulty/t:$mux",
                    "splitnets right faulty",
                    "opt_clean -purge right faulty",
                    # Wires between registers may differ, and are not compared without a name.
                    f"select -set registers {' '.join(registers)} %u",
                    "rename -hide right/w:* faulty/w:* %u @registers %d right/x:* faulty/x:* %u %d",
                    *hidden,
                    "equiv_make right faulty both",
                    "hierarchy -top both",
                    "opt_clean -purge",
                    f"equiv_simple -seq {DEPTH}",
                    f"equiv_induct -seq {DEPTH}",
                    "equiv_status -assert",
                ],
                limit=end - time.monotonic(),
            )
        except ToolError:
            differing = _differing(netlist.folder / f"{name}.log") - free
            if not differing:
                return False
            free |= differing
        else:
            return True
    return False


def _differing(log):
    """Bits that could not be proved equal, as patterns of their names."""
    names = re.findall(
        r"^  Unproven \$equiv \S+: \\(\S+)_gold(?: (\[\d+\]))? ", log.read_text(), re.MULTILINE
    )
    return {re.sub(r"[\[\]]", "?", name + bit) for name, bit in names}

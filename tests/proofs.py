"""Proofs of Yosys that a module is the same as another one."""

from hw.tools.wheels import run


__all__ = ["prove_script", "step_proof"]


#: One side of a proof, its memories broken up into registers.
SIDE = """
design -reset
read_verilog -formal {defines} design.v
hierarchy -check -top {top} {parameters}
proc; flatten; chformal -lower; opt_clean; memory_map; opt_clean
rename -top {name}
design -stash {name}
"""

#: Both agree after any cycle before which they agreed; a counterexample is an error.
STEP = """
design -reset
design -copy-from plain -as plain plain
design -copy-from laid_out -as laid_out laid_out
miter -equiv -flatten -make_outputs plain laid_out miter
sat -verify -seq 2 -prove-skip 1 -set-assumes {agreed} {agree} miter
"""


def step_proof(top, parameters, equal, define):
    """Yosys script which proves that a module is the plain one, given the registers that agree."""
    return "".join((
        SIDE.format(defines="", top="plain", parameters=parameters, name="plain"),
        SIDE.format(defines=define, top=top, parameters=parameters, name="laid_out"),
        STEP.format(
            agreed=" ".join(f"-set-at 1 {one} {other}" for one, other in equal),
            agree=" ".join(f"-prove {one} {other}" for one, other in equal),
        ),
    ))


def prove_script(folder, text, script):
    """Raises ToolError unless a script proves what it says of this Verilog, its ``design.v``."""
    (folder / "design.v").write_text(text)
    (folder / "prove.ys").write_text(script)
    run("yosys", ["-Q", "-T", "prove.ys"], folder=folder, log="prove.log", limit=300)

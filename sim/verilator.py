"""Cocotb's runner for Verilator, and what its simulators are built with."""

import os
import subprocess
from pathlib import Path

import cocotb_tools.config
import cocotb_tools.runner

from hw.tools.verilator import simulator

from .program import Program


__all__ = ["Verilator", "testbench_program"]


#: Folder of the libraries through which a simulator calls Python.
LIBRARIES = cocotb_tools.config.libs_dir
#: Main program of simulators that make the clock themselves.
CLOCKED = Path(__file__).with_name("clock.cpp")
#: Cocotb's own, where a testbench makes the clock.
UNCLOCKED = cocotb_tools.config.share_dir / "lib" / "verilator" / "verilator.cpp"


def testbench_program(clock):
    """Main program of a simulator that runs testbenches of cocotb.

    Parameters
    ----------
    clock : str or None
        Input that it drives as the clock.

    Returns
    -------
    Program
    """
    return Program(
        source=UNCLOCKED if clock is None else CLOCKED,
        text=None if clock is None else CLOCKED.read_text(),
        macros=() if clock is None else (f"CLOCK={clock}",),
        libraries=LIBRARIES,
        links=("-lcocotbvpi_verilator",),
        flags=("--vpi",),
    )


class Verilator(cocotb_tools.runner.Verilator):
    """Runner of cocotb, with time limits."""

    def __init__(self, *, limit):
        super().__init__()
        self.limit = limit
        self.status = 0

    def _set_env_common(self):
        super()._set_env_common()
        self.env.update(simulator())
        # Rewriting assertions costs the import of pytest in every run; testbenches write messages.
        self.env["COCOTB_REWRITE_ASSERTION_FILES"] = ""
        # A path in the simulator itself would have to pass a linker's command line.
        self.env["LD_LIBRARY_PATH"] = os.pathsep.join([
            str(LIBRARIES),
            *filter(None, [self.env.get("LD_LIBRARY_PATH")]),
        ])

    def _execute_cmds(self, cmds, cwd, stdout=None):
        for cmd in cmds:
            self.status = subprocess.run(
                cmd,
                cwd=cwd,
                env=self.env,
                stdout=stdout,
                stderr=subprocess.STDOUT,
                timeout=self.limit,
            ).returncode
            if self.status:
                raise RuntimeError(f"{Path(cmd[0]).name} failed with status {self.status}")

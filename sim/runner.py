"""Builds a design with Verilator, once, and runs a testbench of cocotb on it."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import parse as parse_xml

from hw.emit.verilog import convert
from hw.rtl.library import library
from hw.tools.process import ToolError, last_error
from hw.tools.verilator import simulator

from .program import Tuning, compiled


__all__ = ["Design", "SimulationError", "build", "simulate"]


#: What a testbench sees, for Verilator: ports; memories too where inner workings are looked at.
PORTS = '`verilator_config\npublic_flat_rw -module "{top}" -port "*"\n'
WORDS = 'public_flat_rw -module "*" -var "words"\n'


#: Short runs of one engine spend their time in the compiler, and start from random memories; runs
#: of a whole accelerator spend it in the simulator.
QUICK = Tuning(("-O1", "--x-assign", "unique", "--x-initial", "unique"), PORTS + WORDS, "-O0")
FAST = Tuning(("-O3", "--x-assign", "fast", "--x-initial", "fast", "--no-assert"), PORTS, "-O2")


class SimulationError(AssertionError):
    """A testbench found a difference, or did not come to an end."""


@dataclass(frozen=True)
class Design:
    """Verilog, and the name of its top module.

    Parameters
    ----------
    top : str
    verilog : str
    clock : str or None
        Input that the simulator itself drives; a testbench drives it if there is none.
    """

    top: str
    verilog: str
    clock: str | None = None

    @classmethod
    def of(cls, component):
        """Design whose top module is an Amaranth component, named as its class in lower case."""
        top = type(component).__name__.lower()
        text = convert(component, name=top)
        return cls(top, f"{text}\n{library()}" if "addend_" in text else text)


def build(design, cache, *, fast=False, capture=False, limit=900):
    """Compile a simulator, unless an earlier call has built the same one, to its end.

    A testbench sees the ports of the design, and the words of its memories unless it is fast.

    Parameters
    ----------
    design : Design
    cache : Path
        Folder that keeps simulators.
    fast : bool
        Spend time in the compiler for a fast simulator.
    capture : bool
        Log what memories store, see ``hw/rtl/memory.v``.
    limit : float
        Seconds that one step may take.

    Returns
    -------
    Path
        The simulator, named as the design's top module.

    Raises
    ------
    ToolError
        If a tool is missing, fails or takes too long.
    """
    environment = simulator()
    from .verilator import testbench_program

    return compiled(
        design,
        testbench_program(design.clock),
        cache,
        tuning=FAST if fast else QUICK,
        environment=environment,
        defines={"ADDEND_CAPTURE": 1} if capture else {},
        limit=limit,
    )


def simulate(executable, testbench, folder, *, parameters=None, only=None, seed=None, limit=120):
    """Run the tests of a testbench module.

    Parameters
    ----------
    executable : Path
        What ``build`` returned.
    testbench : str
        Module of the testbench, for example ``sim.testbenches.tb_lane``.
    folder : Path
        Folder to run in: memory images are found, and captures written, relative to it.
    parameters : dict, optional
        For the testbench, which reads them by ``sim.testbenches.base.parameters``; plain values.
    only : str, optional
        Regular expression that the names of the tests to run match.
    seed : int, optional
        Of stalls and stimuli; ``COCOTB_RANDOM_SEED`` from the environment comes first, then 1.
    limit : float
        Wall-clock seconds.

    Returns
    -------
    dict of str to float
        Seconds that each test took which passed, by name, at least one; the interpreter had
        started by then.

    Raises
    ------
    SimulationError
        If a test failed or the limit was exceeded. The message holds what the testbench said, and
        the seed to repeat the run with.
    """
    folder = Path(folder).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "parameters.json").write_text(json.dumps(parameters or {}))
    results, log = folder / "results.xml", folder / "sim.log"
    seed = int(os.environ.get("COCOTB_RANDOM_SEED", 1 if seed is None else seed))
    repeat = f"repeat with COCOTB_RANDOM_SEED={seed}, see {log}"
    print(f"{testbench}: seed {seed}", flush=True)
    # Imported once something is simulated: help needs no cocotb.
    from .verilator import Verilator

    runner = Verilator(limit=limit)
    try:
        runner.test(
            test_module=testbench,
            hdl_toplevel=executable.name,
            hdl_toplevel_lang="verilog",
            build_dir=executable.parent,
            test_dir=folder,
            results_xml=str(results),
            seed=seed,
            test_filter=only,
            log_file=log,
            timescale=("1ns", "1ns"),
            plusargs=["+verilator+rand+reset+2", f"+verilator+seed+{seed + 1}"],
        )
    except subprocess.TimeoutExpired:
        raise SimulationError(
            f"{testbench} must finish within {limit:g} s, and did not ({repeat})"
        ) from None
    except (RuntimeError, SystemExit):
        # Failed tests end the runner too; what they say is in the results.
        if not results.exists():
            raise ToolError(
                f"{testbench} ended with status {runner.status} and without results: "
                f"{last_error(log)} (see {log})"
            ) from None
    passed, failed = _read_results(results)
    if failed:
        raise SimulationError(
            "; ".join(f"{testbench}.{name}: {message}" for name, message in failed.items())
            + f" ({repeat})"
        )
    if not passed:
        raise ToolError(f"{testbench} must hold at least one test that matches {only!r}")
    return passed


def _read_results(path):
    """Seconds of each test that passed, and the message of each that failed."""
    passed, failed = {}, {}
    for case in parse_xml(path).getroot().iter("testcase"):  # noqa: S314
        messages = [
            child.get("message", child.tag) for child in case if child.tag in ("failure", "error")
        ]
        if messages:
            failed[case.get("name")] = messages[0]
        elif case.find("skipped") is None:
            passed[case.get("name")] = float(case.get("time"))
    return passed, failed

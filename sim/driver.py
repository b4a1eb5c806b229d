"""The process that simulates a core without a testbench: a request in, a record per picture out.

It is a process and not a library in Python's own: it has a working directory of its own, which
``$readmemh`` reads from, ends alone where the simulated core ends it, and ends with Ctrl-C.
"""

import struct
import subprocess
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import NamedTuple

import numpy as np

from hw.tools.process import ToolError, stop
from hw.tools.verilator import verilator

from .program import Program, Tuning, compiled


__all__ = ["Outcome", "Record", "Request", "drive", "driver"]


#: As ``Request`` and ``Record`` of driver.cpp.
_REQUEST = struct.Struct("<9Q")
_RECORD = struct.Struct("<7Q")

#: A whole core spends its time in the simulator; nothing but its ports is looked at.
FAST = Tuning(
    ("-O3", "--x-assign", "fast", "--x-initial", "fast", "--no-assert"),
    "`verilator_config\n",
    "-O2",
)
#: One picture with waves spends it in the compiler.
TRACED = Tuning((*FAST.flags, "--trace-fst"), FAST.public, "-O0")


class Outcome(Enum):
    """What came of a picture."""

    #: All logits.
    DONE = 0
    #: No end within the deadline.
    STUCK = 1
    #: No logits, or not all; the core's status says why.
    FAILED = 2
    #: All logits, but ``tlast`` not with the last one.
    MISPLACED_LAST = 3


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a run is about.

    Parameters
    ----------
    pictures : uint8 array, shape (pictures, height, width, channels)
    classes : int
        Logits of a picture.
    deadline : int
        Cycles within which a picture must be done.
    loads : list of int
        Beats for the load port, sent after reset; ``tlast`` is bit 32.
    memory : bytes
        Content of the external memory.
    word_bytes : int
        Bytes of one of its beats.
    latency : int
        Cycles after which it answers a burst.
    """

    pictures: np.ndarray
    classes: int
    deadline: int
    loads: list
    memory: bytes
    word_bytes: int
    latency: int

    def packed(self):
        """What the process reads."""
        count, height, width, channels = self.pictures.shape
        head = _REQUEST.pack(
            count,
            height * width,
            channels,
            self.classes,
            len(self.loads),
            len(self.memory),
            self.word_bytes,
            self.latency,
            self.deadline,
        )
        loads = np.array(self.loads, "<u8").tobytes()
        return b"".join([head, loads, self.memory, np.ascontiguousarray(self.pictures).data])


class Record(NamedTuple):
    """What came of one picture, and the core's counters after it.

    Parameters
    ----------
    outcome : Outcome
    status : int
        Of the core.
    begun, ended : int
        Cycles, since the simulation began, of its first pixel and its last logit.
    cycles, additions, stalls : int
        Of the core.
    logits : list of int
    """

    outcome: Outcome
    status: int
    begun: int
    ended: int
    cycles: int
    additions: int
    stalls: int
    logits: list


def driver(design, cache, *, external, traced=False, limit=900):
    """Compile the process for a core, unless an earlier call has.

    Parameters
    ----------
    design : Design
        Its Verilog, whose top module is the accelerator.
    cache : Path
        Folder that keeps simulators.
    external : bool
        Whether its weights lie in an external memory.
    traced : bool
        Whether it writes waves.
    limit : float
        Seconds that one step may take.

    Returns
    -------
    Path

    Raises
    ------
    ToolError
        If a tool is missing, fails or takes too long.
    """
    source = Path(__file__).with_name("driver.cpp")
    macros = ("EXTERNAL",) if external else ()
    return compiled(
        design,
        Program(source=source, text=source.read_text(), macros=macros),
        cache,
        tuning=TRACED if traced else FAST,
        environment=verilator(),
        limit=limit,
    )


def drive(executable, request, folder, *, wave=None):
    """Run the process once.

    Parameters
    ----------
    executable : Path
        What ``driver`` returned.
    request : Request
    folder : Path
        Folder that holds the folder of memory images.
    wave : Path, optional
        FST file to be written, if the process writes waves.

    Returns
    -------
    list of Record
        Up to the first that is not ``DONE``.

    Raises
    ------
    ToolError
        If the process ends before its work does.
    """
    command = [executable, *([] if wave is None else [Path(wave).resolve()])]
    process = subprocess.Popen(
        command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        found, said = process.communicate(request.packed())
    finally:
        stop(process, grace=0.1)
    size = _RECORD.size + 4 * request.classes
    records = [_record(found[start : start + size]) for start in range(0, len(found), size)]
    whole = len(records) == len(request.pictures) or (
        records and records[-1].outcome is not Outcome.DONE
    )
    if process.returncode or not whole:
        lines = said.decode(errors="replace").split("\n")
        told = [line.strip() for line in lines if line.strip()] or ["it printed nothing"]
        raise ToolError(
            f"The simulator of {folder} ended with status {process.returncode} after "
            f"{len(records)} of {len(request.pictures)} pictures: {told[0]}"
        )
    return records


def _record(data):
    outcome, *numbers = _RECORD.unpack_from(data)
    logits = np.frombuffer(data, "<i4", offset=_RECORD.size)
    return Record(Outcome(outcome), *numbers, logits.tolist())

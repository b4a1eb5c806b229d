"""Watches a process that runs cases: its time, its memory, and what it says."""

import json
import os
import selectors
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path


#: Where the process finds the readers: commands that ran before in this process have set
#: PYTHONSAFEPATH, so that its working folder does not count.
ROOT = Path(__file__).parents[2]

#: A case may take so many seconds of processor time, or three times that of any, and the process
#: may grow by so many bytes.
SECONDS = 20
GROWTH = 500_000_000

#: Seconds between looks at the memory of a process that says nothing.
GLANCE = 0.2

#: Until a process has started and has read the good files, on a machine that is busy.
STARTING = 180


@dataclass
class Campaign:
    """What became of the cases of one reader.

    Parameters
    ----------
    outcomes : Counter
        Cases by outcome.
    faults : list of str
        Of each case that failed, what happened and the command that repeats it.
    growth : int
        Bytes by which the process grew at most.
    """

    outcomes: Counter = field(default_factory=Counter)
    faults: list = field(default_factory=list)
    growth: int = 0


def run_campaign(name, seed, count, *, seconds=SECONDS, growth=GROWTH):
    """Run cases of a reader in a process that is watched.

    A case that takes too long or too much memory costs its process; the next one takes over.

    Parameters
    ----------
    name : str
        Of a reader.
    seed, count : int
    seconds : float
        Limit of a case.
    growth : int
        Limit of the process's resident memory, in bytes, beyond what it had when it started.

    Returns
    -------
    Campaign
    """
    campaign, first = Campaign(), 0
    while first < count and len(campaign.faults) < 10:
        first = _watch(campaign, name, seed, first, count, seconds, growth)
    return campaign


def _watch(campaign, name, seed, first, count, seconds, growth):
    """Run cases until the end or the death of the process; the number of the next case."""

    def fault(case, what, text=""):
        campaign.outcomes[what] += 1
        campaign.faults.append(
            f"{name}: {what}: python -m tests.fuzz {name} --seed {seed} --case {case}\n{text}"
        )

    with tempfile.TemporaryFile() as noise:
        process = subprocess.Popen(
            [
                sys.executable,
                "-W",
                "error",
                "-m",
                "tests.fuzz",
                name,
                "--seed",
                str(seed),
                "--case",
                str(first),
                "--count",
                str(count - first),
            ],
            stdout=subprocess.PIPE,
            stderr=noise,
            cwd=ROOT,
            env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)},
        )
        case, base = first, 0
        try:
            for record in _records(process, seconds):
                if "ready" in record:
                    base = _resident(process)
                elif "begins" in record:
                    case = record["begins"]
                elif "hangs" in record:
                    fault(case, "it hangs")
                    return case + 1
                elif record.get("outcome") in ("right", "refused"):
                    campaign.outcomes[record["outcome"]] += 1
                elif record:
                    fault(case, record["outcome"], record["text"])
                campaign.growth = max(campaign.growth, _resident(process) - base) if base else 0
                if campaign.growth > growth:
                    fault(case, f"it grew by {campaign.growth} bytes")
                    campaign.growth = 0
                    return case + 1
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
            process.stdout.close()
        noise.seek(0)
        words = noise.read().decode(errors="replace")
        if process.returncode or words:
            fault(case, f"the process ended with {process.returncode}", words[-2000:])
            # Without the good files there are no other cases.
            return case + 1 if base else count
    return count


def _records(process, seconds):
    """What the process reports; ``hangs`` if nothing comes for too long, else nothing meanwhile."""
    os.set_blocking(process.stdout.fileno(), False)
    pending, until, most = b"", time.monotonic() + STARTING, STARTING
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while True:
            if not selector.select(GLANCE):
                if _spent(process) > most or time.monotonic() > until:
                    yield {"hangs": True}
                    return
                yield {}
                continue
            block = os.read(process.stdout.fileno(), 2**20)
            if not block:
                process.wait(timeout=60)
                return
            *lines, pending = (pending + block).split(b"\n")
            yield from map(json.loads, lines)
            # On a machine that is busy, other processes have most of the time.
            most, until = _spent(process) + seconds, time.monotonic() + 3 * seconds


def _spent(process):
    """Seconds of processor time that a process has used."""
    try:
        fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _resident(process):
    """Largest resident memory that a process ever had, in bytes; 0 after its end."""
    try:
        status = Path(f"/proc/{process.pid}/status").read_text()
    except OSError:
        return 0
    peak = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")]
    return int(peak[0]) * 1024 if peak else 0

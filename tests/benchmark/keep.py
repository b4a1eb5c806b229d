"""Keeps what the runs of the hardware benchmark measured, until sources change."""

import hashlib
import time
from concurrent.futures import as_completed
from functools import cache
from itertools import chain
from pathlib import Path

from golden.data.atomic import replacing
from golden.data.sealed import read_kept, sealed_text
from hw.cli.workers import workers
from hw.tools.process import ToolError
from sim.runner import SimulationError


__all__ = ["measure"]


#: Form of the file of a run; what it measured is its own affair.
_KEPT = {"sources": str, "measured": dict}


def measure(runs, settings, names=None, *, alone=(), n_workers=2, progress=print):
    """Runs what is not known yet. A run that fails loses nothing of the others.

    Parameters
    ----------
    runs : dict of str to callable
        Each takes the settings and returns a dict of plain values; the longest come first.
    settings : Settings
    names : sequence of str, optional
        Some of them; all if not given.
    alone : sequence of str
        Those that measure times: they come last, with nothing beside them.
    n_workers : int
        Processes.
    progress : callable
        Takes one sentence per run.

    Returns
    -------
    dict of str to dict
        What each run measured.

    Raises
    ------
    ToolError, SimulationError
        What the first run said that failed, when all have come to an end.
    """
    names = list(names or runs)
    sources = _sources()
    known, missing = {}, []
    for name in names:
        path = _kept(settings, name)
        kept = read_kept(path, "what was measured", _KEPT)
        if kept is not None and kept["sources"] == sources:
            known[name] = kept["measured"]
        else:
            missing.append(name)
    if known:
        progress(f"{len(known)} of {len(names)} runs are known from before")
    finished = chain(
        _finished({name: runs[name] for name in missing if name not in alone}, settings, n_workers),
        _finished({name: runs[name] for name in missing if name in alone}, settings, 1),
    )
    failures = []
    for done, (name, future) in enumerate(finished, start=1):
        try:
            measured, seconds = future.result()
        except (ToolError, SimulationError) as error:
            failures.append(error)
            progress(f"{name}: {error}, {done} of {len(missing)} runs")
            continue
        known[name] = measured
        path = _kept(settings, name)
        with replacing(path) as file:
            file.write(sealed_text({"sources": sources, "measured": measured}).encode())
        progress(f"{name}: {seconds:.0f} s, {done} of {len(missing)} runs")
    if failures:
        raise failures[0]
    return {name: known[name] for name in names}


def _finished(runs, settings, n_workers):
    """Names of runs and their futures, as they come to their end."""
    with workers(n_workers) as pool:
        running = {pool.submit(_timed, run, settings): name for name, run in runs.items()}
        for future in as_completed(running):
            yield running[future], future


def _kept(settings, name):
    return settings.folder / ("quick" if settings.quick else "measured") / f"{name}.json"


@cache
def _sources():
    """Digest of everything that a figure depends on."""
    digest = hashlib.sha256()
    root = Path(__file__).parents[2]
    for folder in ("golden", "hw", "sim", "tests/benchmark", "tests/data"):
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in (".py", ".v", ".cpp", ".safetensors", ".npz"):
                digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def _timed(run, settings):
    began = time.perf_counter()
    return run(settings), time.perf_counter() - began

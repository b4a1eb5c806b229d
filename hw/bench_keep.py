"""Keeps what the runs of ``hw.bench`` measured: they are repeated only if sources changed."""

import hashlib
import json
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import cache
from pathlib import Path

from golden.atomic import replacing


__all__ = ["measure"]


def measure(runs, settings, names=None, *, workers=2, progress=print):
    """Runs what is not known yet.

    Parameters
    ----------
    runs : dict of str to callable
        Each takes the settings and returns a dict of plain values; the longest come first.
    settings : Settings
    names : sequence of str, optional
        Some of them; all if not given.
    workers : int
        Processes.
    progress : callable
        Takes one sentence per run.

    Returns
    -------
    dict of str to dict
        What each run measured.
    """
    names = list(names or runs)
    sources = _sources()
    known, missing = {}, []
    for name in names:
        path = _kept(settings, name)
        kept = json.loads(path.read_text()) if path.exists() else {}
        if kept.get("sources") == sources:
            known[name] = kept["measured"]
        else:
            missing.append(name)
    if known:
        progress(f"{len(known)} of {len(names)} runs are known from before")
    with ProcessPoolExecutor(workers) as pool:
        running = {pool.submit(_timed, runs[name], settings): name for name in missing}
        for done, future in enumerate(as_completed(running), start=1):
            name = running[future]
            try:
                known[name], seconds = future.result()
            except BaseException:
                for other in running:
                    other.cancel()
                raise
            path = _kept(settings, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(path) as file:
                file.write(json.dumps({"sources": sources, "measured": known[name]},
                                      indent=1).encode())
            progress(f"{name}: {seconds:.0f} s, {done} of {len(missing)} runs")
    return {name: known[name] for name in names}


def _kept(settings, name):
    return settings.folder / ("quick" if settings.quick else "measured") / f"{name}.json"


@cache
def _sources():
    """Digest of everything that a figure depends on."""
    digest = hashlib.sha256()
    root = Path(__file__).parent.parent
    for folder in ("golden", "hw", "sim"):
        for path in sorted((root / folder).iterdir()):
            if path.suffix in (".py", ".v", ".cpp"):
                digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def _timed(run, settings):
    began = time.perf_counter()
    return run(settings), time.perf_counter() - began

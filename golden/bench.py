"""How fast the golden model runs, beside PyTorch's float32 inference of the same network."""

import json
import os
import resource
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass

from golden.network import run


__all__ = ["Bench", "bench"]


@dataclass(frozen=True)
class Bench:
    """Figures of one run.

    Parameters
    ----------
    golden : float
        Seconds per image, median of the rounds.
    torch : float or None
        The same for PyTorch; ``None`` where it is missing or cannot run the network.
    peak : int
        Largest resident size of the process that ran the golden model, in bytes.
    """

    golden: float
    torch: float | None
    peak: int

    def lines(self):
        """What a user should know, as lines of text."""
        lines = [_line("golden", self.golden), f"peak memory    {self.peak / 2**30:8.2f} GiB"]
        if self.torch is None:
            return [*lines, "PyTorch cannot run this network here, so nothing was compared"]
        return [*lines, _line("torch float32", self.torch),
                f"golden takes {self.golden / self.torch:.2f} times as long"]


def bench(model, path, images, *, rounds):
    """Run a model on images, several times, and its float network in a process with PyTorch.

    Parameters
    ----------
    model : IntegerModel
    path : Path
        Its file, which the other process reads.
    images : uint8 array, shape (images, height, width, channels)
    rounds : int

    Returns
    -------
    Bench
    """
    run(model, images[:1])
    seconds = []
    for _ in range(rounds):
        began = time.perf_counter()
        run(model, images)
        seconds.append((time.perf_counter() - began) / len(images))
    # Linux counts kibibytes.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return Bench(statistics.median(seconds), _torch(path, len(images), rounds), peak)


def _line(name, seconds):
    return f"{name:15}{1 / seconds:8.2f} images/s {1000 * seconds:9.1f} ms/image"


def _torch(path, count, rounds):
    """Seconds per image in PyTorch; the golden model itself never imports it."""
    command = [sys.executable, "-m", "train", "inference", str(path), "--images", str(count),
               "--rounds", str(rounds), "--threads", str(len(os.sched_getaffinity(0)))]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        return None
    return json.loads(done.stdout)["seconds"]

"""How fast the golden model runs, beside PyTorch's float32 inference of the same network."""

import argparse
import resource
import statistics
import sys
import time
from dataclasses import dataclass

import numpy as np

from golden.cli.entry import enter
from golden.cli.options import input_file, whole
from golden.model.executor import run
from golden.model.file import load


__all__ = ["Bench", "bench", "main"]


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
        return [
            *lines,
            _line("torch float32", self.torch),
            f"golden takes {self.golden / self.torch:.2f} times as long",
        ]


def bench(model, images, *, rounds):
    """Run a model on images, several times, and its float network in PyTorch.

    Parameters
    ----------
    model : IntegerModel
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
    return Bench(statistics.median(seconds), _torch(model, len(images), rounds), peak)


def _line(name, seconds):
    return f"{name:15}{1 / seconds:8.2f} images/s {1000 * seconds:9.1f} ms/image"


def _torch(model, count, rounds):
    """Seconds per image in PyTorch, which is imported only once the golden model is done."""
    try:
        from tests.benchmark.float_network import network_of, time_inference

        return time_inference(network_of(model), count, rounds=rounds)
    except (ModuleNotFoundError, ValueError):
        return None


def main(arguments=None, prog="python -m tests.benchmark.inference"):
    """Command line.

    Returns
    -------
    int
        Exit status: 0, or 2 for a file that is no model.
    """
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Print how many images per second the golden model runs on all "
        "cores, its peak memory, and the time of PyTorch's float32 inference of the same network, "
        "one image at a time, in the same run.",
    )
    parser.add_argument("model", metavar="MODEL", type=input_file, help="model file (.safetensors)")
    parser.add_argument("--images", type=whole(1, 1024), default=4, metavar="N", help="default: 4")
    parser.add_argument("--rounds", type=whole(1, 1000), default=3, metavar="N", help="default: 3")
    options = parser.parse_args(arguments)
    try:
        model = load(options.model)
    except ValueError as error:
        print(f"{prog}: {error}.", file=sys.stderr)
        return 2
    # What an image shows does not matter: no step of the golden model depends on it.
    images = np.random.default_rng(0).integers(
        0, 256, (options.images, *model.image_shape), np.uint8
    )
    print("\n".join(bench(model, images, rounds=options.rounds).lines()))
    return 0


if __name__ == "__main__":
    sys.exit(enter(main, prog="python -m tests.benchmark.inference"))

"""What a training step costs, against the plain way to write the network and against time steps."""

import argparse
import multiprocessing
import os
import resource
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import torch
import torch.nn.functional as F

from golden.cli.entry import enter
from golden.cli.options import input_file, output_file, whole
from tests.benchmark.plain import PlainNetwork, TimeSteps, integer_neuron
from train.cli.progress import image_progress
from train.cli.report import write_json
from train.families.e_spikeformer import ESpikeFormer
from train.interpret.float_run import FloatRun
from train.network.build import layered
from train.run import config


__all__ = ["STEPS", "Bench", "VARIANTS", "bench", "main"]


DESCRIPTION = """\
Print what a training step costs: of our network, of the same network written the plain way (a
module per step, neurons as autograd functions of their own, q k^T first), and of the same network
run over 4 binary time steps with leaky neurons. The three take turns in one process. Peak memory is
the rise of a process's largest resident size during steps, one process each.
"""


#: Time steps of the binary network.
STEPS = 4

#: Steps before the first that is timed, and before the peak is read.
_WARM_UP = 2


class _Ours(torch.nn.Module):
    """Our network as training runs it: layer after layer."""

    def __init__(self, network):
        super().__init__()
        self._layers = layered(ESpikeFormer(network))
        self._run = FloatRun()

    def forward(self, images):
        return self._layers(images, self._run)


def _plain(network):
    return PlainNetwork(network, integer_neuron(network))


def _binary(network):
    return PlainNetwork(network, lambda head=False: TimeSteps(STEPS), steps=STEPS)


#: Networks that are compared; the first is ours.
VARIANTS = {
    "ours": _Ours,
    "plain PyTorch": _plain,
    f"binary, T = {STEPS}": _binary,
}


@dataclass(frozen=True)
class Bench:
    """Times and peaks of every variant.

    Parameters
    ----------
    seconds : dict of str to list of float
        Per step; the variants take turns.
    peaks : dict of str to int
        Bytes by which a step raises the peak of a process's resident memory.
    """

    seconds: dict
    peaks: dict

    def rows(self):
        """Per variant: milliseconds (median), times ours, MiB, times ours.

        The ratio of times is the median over the turns of each turn's own ratio.
        """
        ours = self.seconds["ours"]
        return [
            (
                name,
                1e3 * median(taken),
                median(a / b for a, b in zip(taken, ours, strict=True)),
                self.peaks[name] / 2**20,
                self.peaks[name] / self.peaks["ours"],
            )
            for name, taken in self.seconds.items()
        ]


def bench(network, *, batch, rounds, threads, progress=None):
    """Time training steps of every variant and measure their peak memory.

    Parameters
    ----------
    network : NetworkConfig
        Of the base family.
    batch : int
        Images per step, random ones.
    rounds : int
        Turns; in each, every variant takes one step.
    threads : int
    progress : function of (int, int), optional
        Called with the number of turns done and their total.

    Returns
    -------
    Bench
    """
    peaks = {}
    context = multiprocessing.get_context("spawn")
    for name in VARIANTS:
        with context.Pool(1) as pool:
            peaks[name] = pool.apply(_peak, (name, network, batch, threads))
    torch.set_num_threads(threads)
    steps = {name: _step(name, network, batch) for name in VARIANTS}
    seconds = {name: [] for name in VARIANTS}
    for turn in range(_WARM_UP + rounds):
        for name, step in steps.items():
            began = time.perf_counter()
            step()
            if turn >= _WARM_UP:
                seconds[name].append(time.perf_counter() - began)
        if progress is not None:
            progress(max(0, turn + 1 - _WARM_UP), rounds)
    return Bench(seconds, peaks)


def _step(name, network, batch):
    """Function that makes one training step of a variant."""
    torch.manual_seed(0)
    module = VARIANTS[name](network).train()
    optimizer = torch.optim.AdamW(module.parameters(), lr=1e-3, fused=True)
    height, width, channels = network.image
    images = torch.randint(0, 256, (batch, channels, height, width)).float()
    labels = torch.randint(0, network.classes, (batch,))

    def step():
        loss = F.cross_entropy(module(images), labels)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()

    return step


def _peak(name, network, batch, threads):
    """Bytes by which steps raise the peak memory of this process."""
    torch.set_num_threads(threads)
    _step(name, network, 2)()
    step = _step(name, network, batch)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(_WARM_UP):
        step()
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    # Linux counts KiB; a tiny network may find room in what is there.
    return 1024 * max(1, grown)


def main(arguments=None, prog="python -m tests.benchmark.training"):
    """Command line.

    Returns
    -------
    int
        Exit status: 0, or 2 for a configuration that is wrong or of another family.
    """
    options = _parser(prog).parse_args(arguments)
    try:
        network = config.load(options.config).network
    except ValueError as error:
        print(f"{prog}: {error}.", file=sys.stderr)
        return 2
    if network.family != "base":
        print(f"{prog}: the networks to compare with are of the base family.", file=sys.stderr)
        return 2
    with image_progress("turns") as progress:
        found = bench(
            network,
            batch=options.batch,
            rounds=options.rounds,
            threads=options.threads,
            progress=progress,
        )
    print(
        f"a training step of {options.batch} images, {options.threads} threads, "
        f"median of {options.rounds} turns"
    )
    print(f"{'':16}{'ms':>9}{'× ours':>9}{'peak MiB':>11}{'× ours':>9}")
    for name, milliseconds, times, mebibytes, peaks in found.rows():
        print(f"{name:16}{milliseconds:9.1f}{times:9.2f}{mebibytes:11.0f}{peaks:9.2f}")
    if options.out is not None:
        write_json({"seconds": found.seconds, "peaks": found.peaks}, options.out)
    return 0


def _parser(prog):
    parser = argparse.ArgumentParser(
        prog=prog, description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--config",
        type=input_file,
        metavar="FILE",
        default=Path(config.__file__).parents[1] / "recipes" / "cifar10-nano.toml",
        help="TOML file whose network is trained (default: cifar10-nano)",
    )
    parser.add_argument(
        "--batch",
        type=whole(2, 4096),
        default=32,
        metavar="N",
        help="images per step (default: 32)",
    )
    parser.add_argument(
        "--rounds", type=whole(1, 1000), default=7, metavar="N", help="turns (default: 7)"
    )
    parser.add_argument(
        "--threads",
        type=whole(1, 1024),
        metavar="N",
        default=os.cpu_count(),
        help="of torch (default: one per processor)",
    )
    parser.add_argument("--out", type=output_file, metavar="FILE", help="also write JSON here")
    return parser


if __name__ == "__main__":
    sys.exit(enter(main, prog="python -m tests.benchmark.training"))

"""How accuracy depends on the largest spike count and on the width of the weights."""

from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from msgspec.structs import replace

from train.run import checkpoint
from train.run.checkpoint import CheckpointError
from train.run.config import FLOAT_CHECKPOINT, with_epochs
from train.run.fit import fit


__all__ = ["Sweep", "sweep"]


@dataclass(frozen=True)
class Sweep:
    """Accuracies of networks that differ in spike counts and weights.

    Parameters
    ----------
    accuracy : dict of (int, int) to dict of int to dict of str to float
        Per largest count ``D`` and weight width, per seed: ``float``, ``quantised`` and ``golden``,
        0 to 1.
    """

    accuracy: dict

    def table(self):
        """Table in Markdown: medians over the seeds, and the integer model's of each seed."""
        seeds = list(next(iter(self.accuracy.values())))
        rows = [
            ["D", "weight bits", "float SFA", "golden", *(f"seed {seed}" for seed in seeds)],
            ["---"] * (4 + len(seeds)),
        ]
        for (max_count, bits), runs in self.accuracy.items():
            medians = (median(run[kind] for run in runs.values()) for kind in ("float", "golden"))
            goldens = (runs[seed]["golden"] for seed in seeds)
            rows.append([str(max_count), str(bits), *(f"{x:.2%}" for x in (*medians, *goldens))])
        return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def sweep(
    config, out, *, counts, bits, seeds, data=None, init=None, resume=False, progress=nullcontext
):
    """Train a float network per count and seed, and go on from it with each weight width.

    Parameters
    ----------
    config : Config
        Whose ``max_count`` and ``weight_bits`` are replaced.
    out : path-like
        Runs go to ``OUT/count-D/seed-N/float`` and ``OUT/count-D/seed-N/bits-B``.
    counts, bits, seeds : sequence of int
    data : path-like, optional
        Image files, if the configuration trains on them.
    init : path-like, optional
        Checkpoint at the end of a float phase, in place of the float runs.
    resume : bool
        Go on with runs that are already there.
    progress : function of str, optional
        Returns a context manager whose value reports the run of that name.

    Returns
    -------
    Sweep

    Raises
    ------
    CheckpointError, OSError
        As :func:`train.run.fit.fit`.
    """
    accuracy = {(max_count, width): {} for max_count in counts for width in bits}
    shared = {"data": data, "resume": resume}
    for max_count in counts:
        for seed in seeds:
            folder = Path(out) / f"count-{max_count}" / f"seed-{seed}"
            start = init
            if start is None:
                with progress(f"D {max_count}, seed {seed}, float: ") as watcher:
                    fit(
                        _part(config, max_count),
                        folder / "float",
                        seed=seed,
                        progress=watcher,
                        **shared,
                    )
                start = folder / "float" / FLOAT_CHECKPOINT
            float_accuracy = _float_accuracy(start)
            for width in bits:
                with progress(f"D {max_count}, seed {seed}, {width} bits: ") as watcher:
                    state = fit(
                        _part(config, max_count, width),
                        folder / f"bits-{width}",
                        seed=seed,
                        init=start,
                        progress=watcher,
                        **shared,
                    )
                accuracy[max_count, width][seed] = {"float": float_accuracy, **state.accuracy}
    return Sweep(accuracy)


def _float_accuracy(path):
    found = checkpoint.load(path).accuracy
    if "float" not in found:
        raise CheckpointError(f"{path}: must be the end of a float phase, a float.pt")
    return found["float"]


def _part(config, max_count, width=None):
    """Configuration of the float phase alone, or of the quantised one with a weight width."""
    network = replace(config.network, max_count=max_count)
    if width is None:
        return with_epochs(replace(config, network=network), config.fit.float_epochs, 0)
    quantise = replace(config.quantise, weight_bits=width)
    tuned = replace(config, network=network, quantise=quantise)
    return with_epochs(tuned, 0, config.fit.quantised_epochs)

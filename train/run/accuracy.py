"""The accuracy contract: several seeds, medians, and whether the integer model keeps up."""

from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from train.run.fit import fit


__all__ = ["LARGEST_LOSS", "LEAST_ACCURACY", "Study", "study"]


#: Least median accuracy of the integer model, and most that its median may lie below that of the
#: float SFA network; both on the test set.
LEAST_ACCURACY = 0.96
LARGEST_LOSS = 0.01

_KINDS = ("float", "quantised", "golden")


@dataclass(frozen=True)
class Study:
    """Accuracies of several training runs.

    Parameters
    ----------
    accuracy : dict of int to dict of str to float
        Per seed: ``float``, ``quantised`` and ``golden``, 0 to 1.
    """

    accuracy: dict

    @property
    def medians(self):
        """Median over the seeds of each kind."""
        return {kind: median(run[kind] for run in self.accuracy.values()) for kind in _KINDS}

    def failures(self):
        """Sentences about what the contract asks and does not find; empty if it holds."""
        medians = self.medians
        found = []
        if medians["golden"] < LEAST_ACCURACY:
            found.append(
                f"median accuracy of the integer model must be at least {LEAST_ACCURACY:.0%}, "
                f"not {medians['golden']:.2%}"
            )
        # Whole images decide; without rounding 0.98 - 0.97 exceeds 0.01.
        if round(medians["float"] - medians["golden"], 9) > LARGEST_LOSS:
            found.append(
                f"median accuracy of the integer model must be within {LARGEST_LOSS:.0%} of the "
                f"float median {medians['float']:.2%}, not {medians['golden']:.2%}"
            )
        return found

    def table(self):
        """Text table with a row per seed and the medians."""
        rows = [("seed", "float SFA", "quantised", "golden")]
        rows += [(str(seed), *_percent(run)) for seed, run in self.accuracy.items()]
        rows.append(("median", *_percent(self.medians)))
        return "\n".join("".join(f"{cell:>11}" for cell in row) for row in rows)


def study(config, seeds, out, *, data=None, resume=False, progress=nullcontext):
    """Train one network per seed.

    Parameters
    ----------
    config : Config
    seeds : sequence of int
    out : path-like
        Each run goes to ``OUT/seed-N``.
    data : path-like, optional
        Image files, if the configuration trains on them.
    resume : bool
        Go on with runs that are already there.
    progress : function of str, optional
        Returns a context manager whose value reports the run of that name.

    Returns
    -------
    Study

    Raises
    ------
    CheckpointError, OSError
        As :func:`train.run.fit.fit`.
    """
    accuracy = {}
    for seed in seeds:
        with progress(f"seed {seed}: ") as watcher:
            state = fit(
                config,
                Path(out) / f"seed-{seed}",
                seed=seed,
                data=data,
                resume=resume,
                progress=watcher,
            )
        accuracy[seed] = state.accuracy
    return Study(accuracy)


def _percent(run):
    return [f"{run[kind]:.2%}" for kind in _KINDS]

"""When which phase of a run is trained, and with which learning rate."""

import math


__all__ = ["FLOAT", "FROZEN", "QUANTISED", "Schedule", "rise_and_fall"]


#: Phases of a run, in their order: the float SFA network; quantised weights; quantised weights with
#: fixed batch-norm statistics and grids, as they are exported.
FLOAT = "float"
QUANTISED = "quantised"
FROZEN = "frozen"


class Schedule:
    """Phases over the planned epochs.

    Parameters
    ----------
    fit : FitConfig
    """

    def __init__(self, fit):
        self._fit = fit
        self.total = fit.float_epochs + fit.quantised_epochs
        self._ends = {
            FLOAT: fit.float_epochs,
            QUANTISED: self.total - fit.frozen_epochs,
            FROZEN: self.total,
        }

    def phase(self, epoch):
        """Phase to which an epoch, counted from 0, belongs."""
        return next(phase for phase, end in self._ends.items() if epoch < end)

    def end(self, phase):
        """Number of epochs up to the end of a phase."""
        return self._ends[phase]

    def rate(self, passed):
        """Learning rate after ``passed`` epochs: a linear rise, then a cosine to 0.

        Float and quantised training have a curve each; the frozen epochs are the end of the latter.
        """
        fit = self._fit
        peak = fit.float_rate if passed < fit.float_epochs else fit.quantised_rate
        return rise_and_fall(self._part(passed), peak, fit.warmup)

    def penalty(self, passed):
        """Weight of the additions after ``passed`` epochs, over the same curves: a linear rise."""
        fit, part = self._fit, self._part(passed)
        rising = part < fit.penalty_warmup
        return fit.spike_penalty * part / fit.penalty_warmup if rising else fit.spike_penalty

    def _part(self, passed):
        """How much of float training, or of all that follows it, is done: 0 to 1."""
        fit = self._fit
        if passed < fit.float_epochs:
            return passed / fit.float_epochs
        return (passed - fit.float_epochs) / fit.quantised_epochs


def rise_and_fall(part, peak, warmup):
    """Linear rise to ``peak`` over the first ``warmup`` of a whole of 1, then a cosine to 0."""
    if part < warmup:
        return peak * part / warmup
    return peak * (1 + math.cos(math.pi * (part - warmup) / (1 - warmup))) / 2

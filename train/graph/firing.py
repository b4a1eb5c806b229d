"""How real potentials become counts: the rule of a neuron before anything is an integer."""

from dataclasses import dataclass
from enum import Enum
from fractions import Fraction

import torch

from golden.neuron import Rounding
from train.graph.straight import straight_through
from train.nn.neuron import spike_count, spike_output


__all__ = ["Firing", "Ties"]


class Ties(Enum):
    """Rounding rules: where the j-th spike lies less ``j - 1/2``, and which spikes lie above it.

    The second number says which spikes need more than that value: none of them, those of odd j,
    or all.
    """

    HALF_UP = Fraction(0), "none"
    HALF_EVEN = Fraction(0), "odd"
    HALF_DOWN = Fraction(0), "all"
    FLOOR = Fraction(1, 2), "none"
    CEIL = Fraction(-1, 2), "all"

    @classmethod
    def of(cls, rounding):
        """The rule of a `golden.neuron.Rounding`."""
        return cls.HALF_EVEN if rounding is Rounding.HALF_EVEN else cls.HALF_UP


@dataclass(frozen=True)
class Firing:
    """A neuron: counts ``0..levels`` of ``gain`` times the potential, each worth ``unit``.

    Parameters
    ----------
    levels : int
        D, 1 to 255.
    ties : Ties
    gain : Fraction
        Above 0.
    unit : Fraction
        Above 0: the neuron hands on ``count * unit``.
    ladder : tuple of tuple of Fraction, or None
        Least potentials that fire each spike, of one channel for all or of each: in place of
        ``ties`` and ``gain``.
    """

    levels: int
    ties: Ties = Ties.HALF_UP
    gain: Fraction = Fraction(1)
    unit: Fraction = Fraction(1)
    ladder: tuple[tuple[Fraction, ...], ...] | None = None

    @property
    def rounding(self):
        """The rule as golden names it: half-even, or half-up for whatever else is in thresholds."""
        return Rounding.HALF_EVEN if self.ties is Ties.HALF_EVEN else Rounding.HALF_UP

    @property
    def canonical(self):
        """The neuron behind a stream that counts its gain and is lifted: rounding is all."""
        half_even = self.ties is Ties.HALF_EVEN
        return Firing(self.levels, Ties.HALF_EVEN if half_even else Ties.HALF_UP)

    @property
    def lift(self):
        """What is added to a stream so that the j-th spike lies at ``j - 1/2`` and fires there.

        A number of counts, and a number of units of the stream.
        """
        shift, strict = self.ties.value
        return -shift, -1 if strict == "all" else 0

    def tie(self, spike, channel=0):
        """Potential at which a spike fires, and whether it needs more than that.

        Parameters
        ----------
        spike : int
            From 1.
        channel : int

        Returns
        -------
        potential : Fraction
        strict : bool
        """
        if self.ladder is not None:
            return self.ladder[channel if len(self.ladder) > 1 else 0][spike - 1], False
        shift, strict = self.ties.value
        tie = (spike - Fraction(1, 2) + shift) / self.gain
        return tie, strict == "all" or (strict == "odd" and spike % 2 == 1)

    def counts(self, potential):
        """Whole numbers 0..levels as floats; the gradient passes straight in the band.

        Parameters
        ----------
        potential : float tensor, shape (images, channels, ...)
        """
        if self._rounds:
            potential = potential if self.gain == 1 else potential * float(self.gain)
            return spike_count(potential, self.levels, self.rounding)
        straight = (potential * float(self.gain)).clamp(0, self.levels)
        return straight_through(self._compared(potential), straight)

    def spikes(self, potential):
        """What the neuron hands on: counts times ``unit``."""
        if self._rounds and self.gain == 1 and self.unit.numerator == 1:
            return spike_output(potential, self.levels, self.rounding, self.unit.denominator)
        return self.counts(potential) * float(self.unit)

    @property
    def _rounds(self):
        """Whether a rounding of torch computes the counts."""
        return self.ladder is None and self.ties in (Ties.HALF_UP, Ties.HALF_EVEN)

    def _compared(self, potential):
        """Number of spikes whose tie is reached."""
        rows = 1 if self.ladder is None else len(self.ladder)
        counts = torch.zeros_like(potential)
        across = (rows, *[1] * (potential.dim() - 2))
        for spike in range(1, self.levels + 1):
            ties = [self.tie(spike, channel) for channel in range(rows)]
            value = potential.new_tensor([float(tie) for tie, _ in ties]).view(across)
            counts += potential > value if ties[0][1] else potential >= value
        return counts

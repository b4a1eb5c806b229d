"""Counts that a gate lets pass, head by head."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from golden.neuron import Neuron
from golden.ops import Fire
from golden.ops import Mask as Operator
from train.graph import Firing
from train.nn.attention import masked_sum
from train.ops.layer import Layer
from train.quant.thresholds import fold_thresholds


__all__ = ["Mask"]


@dataclass(frozen=True, kw_only=True)
class Mask(Layer):
    """Counts of values times those of their head's gate.

    Parameters
    ----------
    gate, values : str
        Tensors of counts.
    unit : Fraction
        What a gate and a value of one count stand for, multiplied.
    largest : int
        Largest product of the two.
    heads : int
    firing : Firing
    """

    gate: str
    values: str
    unit: Fraction
    largest: int
    heads: int
    firing: Firing

    @property
    def reads(self):
        return (self.gate, self.values)

    def fan_outs(self, run):
        return [(self.gate, run.tensors[self.values].shape[1] // self.heads)]

    def float(self, run):
        run.measure(self)
        run.tensors[self.counts] = self.firing.spikes(run.scaled(self._masked(run), self))

    def integer(self, run):
        run.fire(self.counts, self.firing, self._masked(run) * float(self.unit))

    def _masked(self, run):
        return masked_sum(run.tensors[self.gate], run.tensors[self.values], heads=self.heads)

    def lower(self, run):
        thresholds = fold_thresholds(self.firing, self.unit, Fraction(0), low=0, high=self.largest)
        fire = Fire(Neuron(thresholds[np.newaxis], self.firing.rounding))
        run.add(Operator(self.name, self.gate, self.values, self.heads, fire))

"""Attention without softmax: a memory of keys and values, and its queries."""

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from golden.ladders import attention_thresholds
from golden.neuron import Neuron
from golden.ops import Fire, KeyValue, Query
from train.graph import Firing
from train.nn.attention import attention, split_heads
from train.ops.layer import Layer


__all__ = ["Attention"]


@dataclass(frozen=True, kw_only=True)
class Attention(Layer):
    """Counts of ``scale q (k^T v)``: the layers ``memory`` and ``name`` of the integer model.

    Parameters
    ----------
    memory : str
        Name of the memory.
    queries, keys, values : str
        Tensors of counts.
    unit : Fraction
        What a query, a key and a value of one count stand for, multiplied.
    largest : int
        Largest product of a query, a key and a value.
    heads : int
    dk, tokens : int
        Channels of a head's queries and keys, and positions.
    scale : (Fraction, Fraction)
        Numerator, and square of the denominator.
    firing : Firing
    """

    memory: str
    queries: str
    keys: str
    values: str
    unit: Fraction
    largest: int
    heads: int
    dk: int
    tokens: int
    scale: tuple[Fraction, Fraction]
    firing: Firing

    @property
    def reads(self):
        return (self.queries, self.keys, self.values)

    def fan_outs(self, run):
        # Spikes of keys add rows of values, and spikes of queries rows of the memory.
        width = run.tensors[self.values].shape[1] // self.heads
        return [(self.keys, width), (self.queries, width)]

    def float(self, run):
        run.measure(self)
        queries, keys, values = self._read(run)
        numerator, square = (float(number) for number in self.scale)
        potential = attention(queries, keys, values, heads=self.heads, scale=(numerator, square))
        run.tensors[self.counts] = self.firing.spikes(run.scaled(potential, self))

    def integer(self, run):
        queries, keys, values = self._read(run)
        maps = queries.shape[2:]
        queries, keys, values = (split_heads(x, self.heads) for x in (queries, keys, values))
        memory = keys @ values.transpose(-1, -2)
        run.keep(self.memory, memory)
        products = (memory.transpose(-1, -2) @ queries).flatten(1, 2).unflatten(2, maps)
        numerator, square = self.scale[0] * self.unit, self.scale[1]
        # One division, so that an exact tie stays one.
        denominator = numerator.denominator * math.sqrt(square)
        run.fire(self.counts, self.firing, products * float(numerator.numerator) / denominator)

    def lower(self, run):
        thresholds = attention_thresholds(
            self.dk,
            self.firing.levels,
            self.firing.rounding,
            divisor=1,
            scale=(self.scale[0] * self.unit * self.firing.gain, self.scale[1]),
        )
        # One more than the largest potential is never reached.
        thresholds = np.minimum(thresholds, self.dk * self.tokens * self.largest + 1)
        run.add(KeyValue(self.memory, self.keys, self.values, self.heads))
        fire = Fire(Neuron(thresholds, self.firing.rounding))
        run.add(Query(self.name, self.queries, self.memory, self.heads, fire))

    def _read(self, run):
        return (run.tensors[name] for name in (self.queries, self.keys, self.values))

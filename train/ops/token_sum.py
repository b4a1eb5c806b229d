"""The mean of a stream over its tokens, as counts: a sum whose thresholds hold the division."""

from dataclasses import dataclass

from golden.ladders import stream_thresholds
from golden.neuron import Neuron
from golden.ops import Fire, Sum
from train.graph import Firing
from train.ops.layer import Layer


__all__ = ["TokenSum"]


@dataclass(frozen=True, kw_only=True)
class TokenSum(Layer):
    """Counts of the mean over all positions, shape (images, channels, 1, 1).

    Parameters
    ----------
    stream : str
        Layer that wrote the stream.
    tokens : int
    firing : Firing
    """

    stream: str
    tokens: int
    firing: Firing

    @property
    def reads(self):
        return (f"{self.stream}.stream",)

    def float(self, run):
        mean = run.tensors[f"{self.stream}.stream"].mean((2, 3), keepdim=True)
        run.tensors[self.counts] = self.firing.spikes(mean)

    def integer(self, run):
        total = run.tensors[f"{self.stream}.stream"].sum((2, 3), keepdim=True)
        run.fire(self.counts, self.firing.canonical, total / self.tokens)

    def lower(self, run):
        bits, rounding = run.grids.fraction_bits[self.stream], self.firing.rounding
        thresholds = stream_thresholds(bits, self.firing.levels, rounding, self.tokens)
        run.add(Sum(self.name, f"{self.stream}.stream", Fire(Neuron(thresholds, rounding))))

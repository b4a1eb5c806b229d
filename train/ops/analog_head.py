"""A classifier of the mean of a stream itself, which golden computes and hardware does not."""

from dataclasses import dataclass
from fractions import Fraction

from golden.ops import AnalogHead as Operator
from golden.ops import Output
from train.ops.head import scores
from train.ops.layer import Layer
from train.projection import Projection
from train.quant.folded import fold_logits
from train.quant.grids import on_grid


__all__ = ["AnalogHead"]


@dataclass(frozen=True, kw_only=True)
class AnalogHead(Layer):
    """Class scores of the mean of a stream over its tokens, shape (images, classes).

    Parameters
    ----------
    stream : str
        Layer that wrote the stream.
    tokens : int
    projection : Projection
    gain : Fraction
        Of the stream.
    """

    stream: str
    tokens: int
    projection: Projection
    gain: Fraction = Fraction(1)

    @property
    def reads(self):
        return (f"{self.stream}.stream",)

    def float(self, run):
        weight, bias = scores(*run.bound[self.name])
        run.scores[self.name] = self._mean(run) @ weight.flatten(1).T + bias

    def quantised(self, run):
        weight, bias = scores(*run.bound[self.name])
        step = run.grids.scales[self.name]
        units = self._units(run)
        weight = on_grid(weight, step, run.limit(self)).flatten(1)
        run.scores[self.name] = self._mean(run) @ weight.T + on_grid(bias, step / units, None)

    def _mean(self, run):
        return run.tensors[f"{self.stream}.stream"].mean((2, 3))

    def grid(self, run):
        run.score(self, scores(*run.bound[self.name])[0])

    def integer(self, run):
        folded = self.folded(run)
        units = 2.0 ** run.grids.fraction_bits[self.stream]
        sums = run.tensors[f"{self.stream}.stream"].sum((2, 3)) * units
        run.score(self, sums @ folded.weight.flatten(1).T + folded.bias, folded.scale)

    def lower(self, run):
        folded = self.folded(run)
        weight = run.narrow(self, run.whole(folded.weight)[:, :, 0, 0])
        output = Output(run.whole(folded.bias), folded.scale)
        run.add(Operator(self.name, f"{self.stream}.stream", weight, run.bits(self), output))

    def _units(self, run):
        """Whole numbers of summed streams that are a mean of 1."""
        units = self.tokens * 2 ** run.grids.fraction_bits[self.stream]
        return units if self.gain == 1 else units * float(self.gain)

    def folded(self, run):
        """Integer weights and bias, in float64."""
        return fold_logits(
            *scores(*run.bound[self.name]),
            scale=float(run.grids.scales[self.name]),
            limit=run.limit(self),
            units=self._units(run),
        )

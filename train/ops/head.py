"""A convolution whose potentials are class scores."""

from dataclasses import dataclass
from fractions import Fraction

from golden.ops import Output
from train.ops.layer import Layer
from train.projection import Projection, convolve, fan_out, norm_affine
from train.quant.folded import fold_logits
from train.quant.grids import on_grid


__all__ = ["Head", "scores"]


def scores(conv, norm):
    """Weights and bias of class scores, what is behind the convolution included."""
    slope, offset = norm_affine(conv, norm)
    if norm is None:
        return conv.weight, offset
    return conv.weight * slope.view(-1, *[1] * (conv.weight.dim() - 1)), offset


@dataclass(frozen=True, kw_only=True)
class Head(Layer):
    """Class scores of counts, shape (images, classes).

    Parameters
    ----------
    source : str
        Tensor of counts.
    unit : Fraction
        What one of its counts stands for.
    projection : Projection
    """

    source: str
    unit: Fraction
    projection: Projection

    @property
    def reads(self):
        return (self.source,)

    def fan_outs(self, run):
        return [(self.source, fan_out(self.projection, run.bound[self.name][0]))]

    def float(self, run):
        run.measure(self)
        inputs, (conv, norm) = run.spikes(self), run.bound[self.name]
        run.scores[self.name] = run.normalise(self.name, run.project(inputs, conv), norm).flatten(1)

    def quantised(self, run):
        run.measure(self)
        inputs, (conv, norm) = run.spikes(self), run.bound[self.name]
        weight, bias = scores(conv, norm)
        unit, step = float(self.unit), run.grids.scales[self.name]
        weight = on_grid(weight * unit, step, run.limit(self)) / unit
        bias = on_grid(bias, step / 2**run.grids.logit_shift, None)
        run.scores[self.name] = convolve(inputs, conv, weight=weight, bias=bias).flatten(1)

    def grid(self, run):
        weight, bias = scores(*run.bound[self.name])
        run.score(self, weight * float(self.unit), bias)

    def integer(self, run):
        folded = self.folded(run)
        conv, _ = run.bound[self.name]
        potential = convolve(run.tensors[self.source], conv, weight=folded.weight, bias=None)
        totals = potential.flatten(1) * 2**folded.shift + folded.bias
        run.score(self, totals, folded.scale)

    def lower(self, run):
        folded = self.folded(run)
        layer = run.conv(self, run.whole(folded.weight))
        run.append(layer, Output(run.whole(folded.bias), folded.scale, folded.shift))

    def folded(self, run):
        """Integer weights and bias, in float64."""
        return fold_logits(
            *scores(*run.bound[self.name]),
            scale=float(run.grids.scales[self.name]),
            limit=run.limit(self),
            shift=run.grids.logit_shift,
            unit=self.unit,
        )

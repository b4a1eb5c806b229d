"""A convolution whose neuron is its own: batch norm and scales go into thresholds."""

from dataclasses import dataclass
from fractions import Fraction

from golden.neuron import Neuron
from golden.ops import Fire
from train.graph import Firing
from train.ops.layer import Layer
from train.projection import Projection, convolve, fan_out, normalise
from train.quant.folded import fold_fire
from train.quant.grids import on_grid


__all__ = ["Branch"]


@dataclass(frozen=True, kw_only=True)
class Branch(Layer):
    """Counts of a projection.

    Parameters
    ----------
    source : str
        Tensor of counts, or pixels.
    unit : Fraction
        What one of its counts stands for.
    projection : Projection
    firing : Firing
    """

    source: str
    unit: Fraction
    projection: Projection
    firing: Firing

    @property
    def reads(self):
        return (self.source,)

    def fan_outs(self, run):
        return [(self.source, fan_out(self.projection, run.bound[self.name][0]))]

    def float(self, run):
        inputs, (conv, norm) = run.spikes(self), run.bound[self.name]
        self._fire(run, run.normalise(self.name, run.project(inputs, conv), norm))

    def quantised(self, run):
        inputs, (conv, norm) = run.spikes(self), run.bound[self.name]
        weight = conv.weight
        step = run.grids.scales[self.name].view(-1, *[1] * (weight.dim() - 1))
        weight = on_grid(weight, step, run.limit(self))
        self._fire(run, normalise(convolve(inputs, conv, weight=weight, bias=conv.bias), norm))

    def _fire(self, run, potential):
        run.measure(self, potential)
        run.tensors[self.counts] = self.firing.spikes(potential)

    def grid(self, run):
        run.branch(self, run.bound[self.name][0].weight.flatten(1))

    def integer(self, run):
        folded = self.folded(run)
        conv, _ = run.bound[self.name]
        potential = convolve(run.tensors[self.source], conv, weight=folded.weight, bias=None)
        slope, offset = folded.slope[:, None, None], folded.offset[:, None, None]
        run.fire(self.counts, self.firing, potential * slope + offset)

    def lower(self, run):
        weight, slopes, offsets = run.folded(self)
        # A negative slope would turn the comparison round; negating the row keeps one kind.
        signs = [-1 if slope < 0 else 1 for slope in slopes]
        weight = weight * run.across(signs, weight)
        slopes = [slope * sign for slope, sign in zip(slopes, signs, strict=True)]
        layer = run.conv(self, weight)
        thresholds = run.ladders(layer, self.firing, slopes, offsets)
        run.append(layer, Fire(Neuron(thresholds, self.firing.rounding)))

    def folded(self, run):
        """Integer weights and the affine map behind them, in float64."""
        conv, norm = run.bound[self.name]
        return fold_fire(
            conv,
            norm,
            scales=run.grids.scales[self.name].double(),
            limit=run.limit(self),
            unit=self.unit,
        )

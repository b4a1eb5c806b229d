"""A convolution that adds to the residual stream, or begins a new one."""

from dataclasses import dataclass
from fractions import Fraction

import torch

from golden.ladders import stream_thresholds
from golden.neuron import Neuron
from golden.ops import Write as Epilogue
from train.graph import Firing
from train.graph.times import times
from train.ops.layer import Layer
from train.projection import Projection, convolve, fan_out, norm_affine, normalise
from train.quant.folded import fold_write
from train.quant.grids import on_grid


__all__ = ["Write"]


@dataclass(frozen=True, kw_only=True)
class Write(Layer):
    """Stream after adding a projection to ``previous``, and the counts that all its readers share.

    Parameters
    ----------
    source : str
        Tensor of counts, or pixels.
    unit : Fraction
        What one of its counts stands for.
    projection : Projection
    previous : str or None
        Layer that wrote the stream before.
    stage : str
        Layer that began the stream.
    firing : Firing or None
        ``None`` where nobody reads counts.
    gain : Fraction
        What the integer stream counts: ``gain`` times the real one, so that the neurons of the
        stage have a gain of 1.
    """

    source: str
    unit: Fraction
    projection: Projection
    previous: str | None
    stage: str
    firing: Firing | None = None
    gain: Fraction = Fraction(1)

    @property
    def stream(self):
        """Name of the stream tensor."""
        return f"{self.name}.stream"

    @property
    def reads(self):
        return (self.source,) if self.previous is None else (self.source, f"{self.previous}.stream")

    def fan_outs(self, run):
        return [(self.source, fan_out(self.projection, run.bound[self.name][0]))]

    def float(self, run):
        inputs, (conv, norm) = run.spikes(self), run.bound[self.name]
        self._write(run, run.normalise(self.name, run.project(inputs, conv), norm))

    def quantised(self, run):
        inputs, (conv, norm) = run.spikes(self), run.bound[self.name]
        slope, offset = norm_affine(conv, norm)
        step = 2.0 ** -run.grids.exponents[self.name]
        training = norm is not None and norm.training
        if training:
            slope = slope.detach()
            slope = torch.where(slope == 0, torch.ones_like(slope), slope)
        weight = conv.weight
        # A division by the divisor of an earlier neuron, as the network itself has it.
        factor = self._factor(slope).view(-1, *[1] * (weight.dim() - 1))
        weight = on_grid(weight * factor, step, run.limit(self))
        if training:
            value = convolve(inputs, conv, weight=weight / factor, bias=conv.bias)
            self._write(run, normalise(value, norm))
            return
        bias = on_grid(offset * float(self.gain), 2.0 ** -run.grids.fraction_bits[self.name], None)
        value = convolve(inputs, conv, weight=self._unscaled(weight), bias=bias)
        self._write(run, value if self.gain == 1 else value / float(self.gain))

    def _factor(self, slope):
        """Slope times unit and gain."""
        return times(slope, self.unit * self.gain)

    def _unscaled(self, weight):
        """Weights of counts as those of spikes."""
        return weight * self.unit.denominator / self.unit.numerator

    def _write(self, run, value):
        run.measure(self, value)
        if self.previous is not None:
            value = run.tensors[f"{self.previous}.stream"] + value
        run.tensors[self.stream] = value
        if self.firing is not None:
            run.tensors[self.counts] = self.firing.spikes(value)

    def grid(self, run):
        conv, norm = run.bound[self.name]
        slope, offset = norm_affine(conv, norm)
        folded = conv.weight.flatten(1) * self._factor(slope)[:, None]
        run.write(self, folded, offset * float(self.gain))

    def integer(self, run):
        conv, _ = run.bound[self.name]
        folded = self.folded(run)
        potential = convolve(run.tensors[self.source], conv, weight=folded.weight, bias=None)
        bias = folded.bias[:, None, None] * 2.0**-folded.fraction_bits
        value = potential * 2.0**-folded.exponent + bias
        if self.previous is not None:
            value = run.tensors[f"{self.previous}.stream"] + value
        run.keep(self.stream, value, whole=value * 2.0**folded.fraction_bits)
        if self.firing is not None:
            run.fire(self.counts, self.firing.canonical, value)

    def lower(self, run):
        folded = self.folded(run)
        neuron = None
        if self.firing is not None:
            rounding = self.firing.rounding
            thresholds = stream_thresholds(folded.fraction_bits, self.firing.levels, rounding)
            neuron = Neuron(thresholds, rounding)
        layer = run.conv(self, run.whole(folded.weight))
        epilogue = Epilogue(
            previous=None if self.previous is None else f"{self.previous}.stream",
            shift=folded.fraction_bits - folded.exponent,
            bias=run.whole(folded.bias),
            fraction_bits=folded.fraction_bits,
            neuron=neuron,
        )
        run.append(layer, epilogue)

    def folded(self, run):
        """Integer weights and bias, in float64."""
        conv, norm = run.bound[self.name]
        return fold_write(
            conv,
            norm,
            exponent=run.grids.exponents[self.name],
            fraction_bits=run.grids.fraction_bits[self.name],
            limit=run.limit(self),
            factor=self._factor,
            gain=self.gain,
            lift=(Fraction(0), 0) if self.firing is None else self.firing.lift,
        )

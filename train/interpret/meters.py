"""Meters: additions that the spikes of a batch cause, over those of one spike at every input."""

import numpy as np
import torch

from golden.spike import set_bits


__all__ = ["AdditionMeter", "MeanMeter", "additions_of"]


class _Meter:
    """What layers of a run have spent since the last call of ``take``."""

    def __init__(self):
        self._spent = 0.0
        self._dense = 0

    def take(self):
        """Ratio since the last call; the loss can be differentiated through it."""
        ratio = self._spent / self._dense
        self._spent, self._dense = 0.0, 0
        return ratio


class MeanMeter(_Meter):
    """Mean counts of convolutions in front of neurons and streams, as if no tap fell on padding."""

    def __call__(self, run, layer, potential):
        """Count a layer; ``potential`` is that of a convolution, or ``None`` of what is none."""
        if potential is None or layer.source == "pixels":
            return
        spikes, (conv, _) = run.tensors[layer.source], run.bound[layer.name]
        connections = conv.weight.numel() * potential.shape[2] * potential.shape[3]
        unit = run.units[layer.source]
        mean = spikes.mean()
        mean = mean * unit.denominator if unit.numerator == 1 else mean / float(unit)
        self._spent = self._spent + mean * connections
        self._dense += connections


class AdditionMeter(_Meter):
    """Additions that hardware executes, as ``golden.additions`` counts them; not those of pixels.

    Parameters
    ----------
    network : SpikingNetwork
    code : SpikeCode
    """

    def __init__(self, network, code):
        super().__init__()
        self._firings = network.firings
        # One code for the whole network, that of its largest D.
        most = max(firing.levels for firing in network.firings.values())
        self._table = set_bits(np.arange(most + 1), code, most)
        self._fan_outs = {}
        self._sums = {}

    def __call__(self, run, layer, potential):
        """Count a layer."""
        if layer.name not in self._fan_outs:
            self._fan_outs[layer.name] = [
                (name, torch.as_tensor(fan_out), int(np.sum(fan_out)))
                for name, fan_out in layer.fan_outs(run)
                if name in self._firings
            ]
        for name, fan_out, total in self._fan_outs[layer.name]:
            spikes = run.tensors[name]
            if name not in self._sums:
                unit = float(self._firings[name].unit)
                self._sums[name] = additions_of(spikes, self._table, unit)
            sums = self._sums[name]
            self._spent = self._spent + (sums * fan_out.to(sums)).sum()
            places = 1 if fan_out.dim() else spikes.shape[2] * spikes.shape[3]
            self._dense += spikes.shape[0] * spikes.shape[1] * places * total

    def take(self):
        """Ratio since the last call; the loss can be differentiated through it."""
        self._sums.clear()
        return super().take()


def additions_of(spikes, table, unit):
    """Additions that spikes stand for, summed over images and channels.

    The gradient is straight through: the slope at a count of the line that joins the entries of the
    table, which is the mean of both sides where there are two.

    Parameters
    ----------
    spikes : tensor, shape (images, channels, height, width)
        Counts times ``unit``.
    table : int array, shape (D + 1,)
        Additions of each count.
    unit : float

    Returns
    -------
    tensor, shape (height, width)
        Of float64 if ``spikes`` are, else of float32.

    Examples
    --------
    >>> spikes = torch.tensor([0.0, 0.25, 1.0]).view(1, 1, 1, 3).requires_grad_()
    >>> sums = additions_of(spikes, np.array([0, 1, 1, 2, 1]), 0.25)
    >>> sums.tolist(), torch.autograd.grad(sums.sum(), spikes)[0].flatten().tolist()
    ([[0.0, 1.0, 1.0]], [4.0, 2.0, -4.0])
    """
    return _Additions.apply(spikes, table, np.gradient(table.astype(float)), unit)


class _Additions(torch.autograd.Function):
    """The sums of `additions_of`, which keeps a byte for each count."""

    @staticmethod
    def forward(ctx, spikes, table, slopes, unit):
        dtype = torch.promote_types(spikes.dtype, torch.float32)
        counts = (spikes.to(dtype) / unit).round_().to(torch.uint8)
        ctx.save_for_backward(counts)
        ctx.slopes, ctx.unit, ctx.dtype = slopes, unit, spikes.dtype
        return _looked_up(table, counts, dtype).sum((0, 1))

    @staticmethod
    def backward(ctx, gradient):
        (counts,) = ctx.saved_tensors
        slopes = _looked_up(ctx.slopes, counts, gradient.dtype)
        return (slopes * (gradient / ctx.unit)).to(ctx.dtype), None, None, None


def _looked_up(table, counts, dtype):
    """Entries of a table, in the shape of counts."""
    table = torch.as_tensor(table, dtype=dtype, device=counts.device)
    return table.index_select(0, counts.flatten().int()).view_as(counts)

"""The spike firing approximation (SFA) neuron: the one place where its float form is defined."""

from functools import cache

import torch
from torch import nn

from golden.neuron import Rounding


__all__ = ["MAX_COUNTS", "SpikeNeuron", "spike_count", "spike_output"]


#: The counts ``D`` that a neuron may be limited to; hardware runs those up to 15.
MAX_COUNTS = range(1, 256)


class _SpikeOutput(torch.autograd.Function):
    """``count / divisor`` in few passes over memory; the gradient passes straight in the band."""

    @staticmethod
    def forward(ctx, potential, max_count, half_even, divisor):
        ctx.save_for_backward(potential)
        ctx.max_count = max_count
        ctx.half_even = half_even
        ctx.divisor = divisor
        count = potential.clamp(0, max_count)
        if half_even:
            count.round_()
        else:
            # Adding 1/2 itself would round 0.49999997 up to 1; its lower neighbour is exact.
            count.add_(_below(0.5, potential.dtype)).floor_()
        return count if divisor == 1 else count.div_(divisor)

    @staticmethod
    def backward(ctx, gradient):
        (potential,) = ctx.saved_tensors
        low, high = 0.0, float(ctx.max_count)
        if ctx.half_even:
            low, high = _below(low, potential.dtype), -_below(-high, potential.dtype)
        # One pass: 0 where potential <= low or potential >= high.
        passed = torch.ops.aten.hardtanh_backward(gradient, potential, low, high)
        return passed if ctx.divisor == 1 else passed.div_(ctx.divisor), None, None, None


@cache
def _below(value, dtype):
    """Largest number of ``dtype`` below ``value``."""
    infinity = torch.tensor(-torch.inf, dtype=dtype)
    return float(torch.nextafter(torch.tensor(value, dtype=dtype), infinity))


def spike_count(potential, max_count, rounding):
    """Number of spikes that a neuron fires: ``round(clamp(potential, 0, D))``.

    The gradient is 1 in the pass-band and 0 outside. The published code for half-to-even includes
    both ends of the band, the one for half-up neither; so does this function.

    Parameters
    ----------
    potential : float tensor, any shape
        Membrane potentials in units of one spike.
    max_count : int
        ``D``, 1 to 255.
    rounding : Rounding
        Where a potential halfway between two counts goes.

    Returns
    -------
    float tensor of the same shape
        Whole numbers in 0..D.

    References
    ----------
    Yao et al., TPAMI 47(4), 2025, doi:10.1109/TPAMI.2025.3530246 (spike firing approximation).

    Examples
    --------
    >>> u = torch.tensor([-1.0, 0.5, 1.5, 2.5, 9.0])
    >>> spike_count(u, 4, Rounding.HALF_UP)
    tensor([0., 1., 2., 3., 4.])
    >>> spike_count(u, 4, Rounding.HALF_EVEN)
    tensor([0., 0., 2., 2., 4.])
    """
    return spike_output(potential, max_count, rounding, 1)


def spike_output(potential, max_count, rounding, divisor):
    """``spike_count`` over ``divisor``, in one pass."""
    return _SpikeOutput.apply(potential, max_count, rounding is Rounding.HALF_EVEN, divisor)


class SpikeNeuron(nn.Module):
    """Neuron that hands ``count / divisor`` to the next layer; it has no parameter and no state.

    Parameters
    ----------
    max_count : int
        ``D``, 1 to 255; hardware runs those up to 15.
    rounding : Rounding or str
        ``half-up`` or ``half-even``: where a potential halfway between two counts goes.
    divisor : int, optional
        ``D`` inside the network, which is the default, and 1 in front of a classifier.

    Raises
    ------
    ValueError
        If ``max_count`` is outside 1..255 or ``divisor`` is below 1.
    """

    def __init__(self, *, max_count, rounding=Rounding.HALF_UP, divisor=None):
        super().__init__()
        if max_count not in MAX_COUNTS:
            raise ValueError(f"max_count must be 1 to 255, not {max_count}")
        divisor = max_count if divisor is None else divisor
        if divisor < 1:
            raise ValueError(f"divisor must be at least 1, not {divisor}")
        self.max_count = max_count
        self.rounding = Rounding(rounding)
        self.divisor = divisor

    def forward(self, potential):
        """Spikes, scaled by ``1 / divisor``; same shape as ``potential``."""
        return spike_output(potential, self.max_count, self.rounding, self.divisor)

    def extra_repr(self):
        return f"max_count={self.max_count}, rounding={self.rounding.value}, divisor={self.divisor}"

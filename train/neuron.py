"""The spike firing approximation (SFA) neuron: the one place where its float form is defined."""

import torch
from torch import nn

from golden.model import Rounding


__all__ = ["MAX_COUNTS", "SpikeNeuron", "spike_count"]


#: The counts ``D`` that a neuron may be limited to.
MAX_COUNTS = range(1, 16)


class _SpikeCount(torch.autograd.Function):
    """Rounds and clamps on the way forward; passes the gradient straight through in the band."""

    @staticmethod
    def forward(ctx, potential, max_count, half_even):
        ctx.save_for_backward(potential)
        ctx.max_count = max_count
        ctx.half_even = half_even
        clamped = potential.clamp(0, max_count)
        if half_even:
            return clamped.round_()
        # floor(x + 1/2) would round the sum, so that 0.49999999999999994 fires.
        count = clamped.floor()
        return count.add_(clamped.sub_(count).ge_(0.5))

    @staticmethod
    def backward(ctx, gradient):
        (potential,) = ctx.saved_tensors
        if ctx.half_even:
            band = (potential >= 0) & (potential <= ctx.max_count)
        else:
            band = (potential > 0) & (potential < ctx.max_count)
        return gradient * band, None, None


def spike_count(potential, max_count, rounding):
    """Number of spikes that a neuron fires: ``round(clamp(potential, 0, D))``.

    The gradient is 1 in the pass-band and 0 outside. The published code for half-to-even includes
    both ends of the band, the one for half-up neither; so does this function.

    Parameters
    ----------
    potential : float tensor, any shape
        Membrane potentials in units of one spike.
    max_count : int
        ``D``, 1 to 15.
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
    return _SpikeCount.apply(potential, max_count, rounding is Rounding.HALF_EVEN)


class SpikeNeuron(nn.Module):
    """Neuron that hands ``count / divisor`` to the next layer; it has no parameter and no state.

    Parameters
    ----------
    max_count : int
        ``D``, 1 to 15.
    rounding : Rounding
    divisor : int
        ``D`` inside the network, 1 in front of the classifier.

    Raises
    ------
    ValueError
        If ``max_count`` is outside 1..15 or ``divisor`` is below 1.
    """

    def __init__(self, *, max_count, rounding, divisor):
        super().__init__()
        if max_count not in MAX_COUNTS:
            raise ValueError(f"max_count must be 1 to 15, not {max_count}")
        if divisor < 1:
            raise ValueError(f"divisor must be at least 1, not {divisor}")
        self.max_count = max_count
        self.rounding = Rounding(rounding)
        self.divisor = divisor

    def forward(self, potential):
        """Spikes, scaled by ``1 / divisor``; same shape as ``potential``."""
        count = spike_count(potential, self.max_count, self.rounding)
        return count if self.divisor == 1 else count / self.divisor

    def extra_repr(self):
        return f"max_count={self.max_count}, rounding={self.rounding.value}, divisor={self.divisor}"

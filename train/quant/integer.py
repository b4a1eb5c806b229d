"""The quantised network in evaluation mode: integers, then one affine map per layer, in float64.

This is the torch side of the comparison with the integer model. Every sum here is a whole number
below 2**53 or a whole number of stream units, hence exact; the one rounding is that of the affine
map in front of a branch-internal neuron.
"""

import copy
import math
from dataclasses import dataclass

import torch
from msgspec.structs import replace
from torch import nn

from train.network.arithmetic import PIXEL_DIVISOR, Stream, convolve, split_heads, with_constant
from train.network.model import to_maps
from train.network.neuron import spike_count
from train.quant.folded import fold_fire, fold_logits, fold_write
from train.quant.grids import Grids, weight_limit


__all__ = ["IntegerArithmetic", "QuantisedNetwork"]


class IntegerArithmetic:
    """Integer evaluation of a quantised network whose parameters are float64.

    Spikes are counts. With ``trace`` a dict, every tensor that the integer model has is put there
    under the same name, as int64 arrays.

    Parameters
    ----------
    network : NetworkConfig
    grids : Grids
    weight_bits : int
    trace : dict, optional
    """

    def __init__(self, network, grids, *, weight_bits, trace=None):
        self.shape = network
        self.grids = grids
        self.limit = weight_limit(weight_bits)
        self.trace = trace

    def pixels(self, images):
        """Pixels as they are, and the constant channel."""
        return self._keep("pixels", with_constant(images.double(), self.shape.pixel_constant))

    def fire(self, name, conv, norm, spikes):
        """Counts of a branch-internal neuron."""
        folded = fold_fire(
            conv,
            norm,
            scales=self.grids.scales[name].double(),
            limit=self.limit,
            divisor=self.shape.divisor,
        )
        potential = convolve(spikes, conv, weight=folded.weight, bias=None)
        slope, offset = folded.slope[:, None, None], folded.offset[:, None, None]
        return self._count(name, potential * slope + offset)

    def stem(self, name, conv, norm, pixels):
        """Stream that the first layer writes from pixels."""
        return self._written(name, conv, norm, pixels, divisor=PIXEL_DIVISOR, previous=None)

    def write(self, name, conv, norm, spikes, *, previous):
        """Stream after adding a branch."""
        return self._written(
            name, conv, norm, spikes, divisor=self.shape.divisor, previous=previous
        )

    def attention(self, name, queries, keys, values, *, heads):
        """Counts of the neuron behind ``q (k^T v)``."""
        maps = queries.shape[2:]
        queries, keys, values = (split_heads(x, heads) for x in (queries, keys, values))
        memory = self._keep(f"{name}.kv", keys @ values.transpose(-1, -2))
        products = (memory.transpose(-1, -2) @ queries).flatten(1, 2).unflatten(2, maps)
        numerator, square_denominator = self.shape.attention_scale(queries.shape[2])
        # One division, so that an exact tie stays one.
        denominator = self.shape.divisor**3 * math.sqrt(square_denominator)
        return self._count(f"{name}.attn", products * numerator / denominator)

    def token_mean(self, name, stream):
        """Counts of the mean over tokens, shape (images, channels, 1, 1)."""
        height, width = stream.value.shape[2:]
        total = stream.value.sum((2, 3), keepdim=True)
        return self._count(name, total / (height * width))

    def logits(self, name, linear, spikes):
        """Class scores; the trace has them in integers."""
        folded = fold_logits(
            linear,
            scale=float(self.grids.scales[name]),
            limit=self.limit,
            shift=self.grids.logit_shift,
        )
        totals = spikes.flatten(1) @ folded.weight.T * 2**folded.shift + folded.bias
        return self._keep("logits", totals) * folded.scale

    def analog_logits(self, name, linear, stream):
        """Class scores from the sum of a stream; the trace has them in integers."""
        height, width = stream.value.shape[2:]
        fraction_bits = self.grids.fraction_bits[stream.name]
        folded = fold_logits(
            linear,
            scale=float(self.grids.scales[name]),
            limit=self.limit,
            units=height * width * 2**fraction_bits,
        )
        sums = stream.value.sum((2, 3)) * 2.0**fraction_bits
        return self._keep("logits", sums @ folded.weight.T + folded.bias) * folded.scale

    def _written(self, name, conv, norm, inputs, *, divisor, previous):
        fraction_bits = self.grids.fraction_bits[name]
        folded = fold_write(
            conv,
            norm,
            exponent=self.grids.exponents[name],
            fraction_bits=fraction_bits,
            limit=self.limit,
            divisor=divisor,
        )
        potential = convolve(inputs, conv, weight=folded.weight, bias=None)
        bias = folded.bias[:, None, None] * 2.0**-fraction_bits
        value = potential * 2.0**-folded.exponent + bias
        if previous is not None:
            value = previous.value + value
        self._keep(f"{name}.stream", value * 2.0**fraction_bits)
        return Stream(name, value, self._count(name, value))

    def _count(self, name, potential):
        count = spike_count(potential, self.shape.max_count, self.shape.rounding)
        return self._keep(f"{name}.counts", count)

    def _keep(self, name, values):
        if self.trace is not None:
            whole = values.to(torch.int64)
            if not torch.equal(whole.double(), values):
                raise ArithmeticError(f"{name} must be whole numbers")
            self.trace[name] = whole.numpy()
        return values


@dataclass(frozen=True)
class QuantisedNetwork:
    """A trained network with its grids, as it is evaluated and exported.

    Parameters
    ----------
    network : nn.Module
        In float64 and evaluation mode, with one head; :meth:`of` makes such a copy.
    grids : Grids
    weight_bits : int
    """

    network: nn.Module
    grids: Grids
    weight_bits: int

    @classmethod
    def of(cls, network, grids, *, weight_bits, rounding=None, head=None):
        """Copy ``network`` into float64 and evaluation mode.

        Parameters
        ----------
        network : nn.Module
        grids : Grids
        weight_bits : int
        rounding : Rounding, optional
            Of every neuron, in place of the rule that the network was trained with.
        head : str, optional
            ``spike`` or ``analog``, for a network that has both; ``spike`` if not given.

        Raises
        ------
        ValueError
            If the network does not have that head.
        """
        copied = copy.deepcopy(network).double().eval()
        copied.network = replace(
            copied.network,
            rounding=rounding or copied.network.rounding,
            head=_chosen(copied.network.head, head),
        )
        return cls(copied, grids, weight_bits)

    @property
    def shape(self):
        """Configuration of the network."""
        return self.network.network

    @torch.no_grad()
    def run(self, images, *, trace=False):
        """Every tensor of the integer model, or its logits alone, computed by torch.

        Parameters
        ----------
        images : uint8 array, shape (images, height, width, channels)
        trace : bool

        Returns
        -------
        dict of str to int64 array
            In the order in which they are computed; ``logits`` is the last.
        """
        tensors = {}
        arithmetic = IntegerArithmetic(
            self.shape,
            self.grids,
            weight_bits=self.weight_bits,
            trace=tensors,
        )
        self.network(to_maps(images), arithmetic)
        return tensors if trace else {"logits": tensors["logits"]}


def _chosen(heads, head):
    """Head to export, of those that a network has."""
    if head is None:
        return "spike" if heads == "both" else heads
    if heads not in (head, "both"):
        raise ValueError(f"the network has no {head} head, so export its {heads} head")
    return head

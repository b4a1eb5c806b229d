"""A trained network with its grids, as it is evaluated and exported."""

from dataclasses import dataclass

import torch

from train.network.images import to_maps
from train.network.spiking import SpikingNetwork
from train.quant.grids import Grids
from train.quant.integer import IntegerRun


__all__ = ["QuantisedNetwork"]


@dataclass(frozen=True)
class QuantisedNetwork:
    """A network in integer evaluation.

    Parameters
    ----------
    network : SpikingNetwork
        In float64 and evaluation mode, with one head.
    grids : Grids
    weight_bits : int
    """

    network: SpikingNetwork
    grids: Grids
    weight_bits: int

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
        run = IntegerRun(self.network, self.grids, weight_bits=self.weight_bits, trace=tensors)
        run(to_maps(images))
        return tensors if trace else {"logits": tensors["logits"]}

"""A trained network with its grids, as it is evaluated and exported."""

import copy
from dataclasses import dataclass

import torch

from train.interpret.integer_run import IntegerRun
from train.network.build import layered, with_head
from train.network.images import to_maps
from train.nn import SpikeNeuron
from train.ops.spiking import SpikingNetwork
from train.quant.grids import Grids


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

    @classmethod
    def of(cls, network, grids, *, weight_bits, rounding=None, head=None):
        """Copy a network into float64 and evaluation mode.

        Parameters
        ----------
        network : nn.Module
            As `train.network.build.build` makes it.
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
        copied = with_head(copy.deepcopy(network).double().eval(), head)
        for module in copied.modules():
            if isinstance(module, SpikeNeuron) and rounding is not None:
                module.rounding = rounding
        return cls(layered(copied), grids, weight_bits)

    @property
    def rounding(self):
        """Rule of its neurons."""
        return next(layer.firing.rounding for layer in self.network.layers if layer.fires)

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

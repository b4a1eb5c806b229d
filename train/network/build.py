"""Networks of a configuration, and their layers."""

from train.families.e_spikeformer import ESpikeFormer
from train.families.large import LargeSpikeFormer
from train.normalise import normalise
from train.trace import trace


__all__ = ["build", "count_parameters", "layered"]


def build(network):
    """Network of a configuration, with fresh parameters.

    Parameters
    ----------
    network : NetworkConfig

    Returns
    -------
    ESpikeFormer or LargeSpikeFormer
    """
    return {"base": ESpikeFormer, "large": LargeSpikeFormer}[network.family](network)


def layered(network):
    """Layers of a network that `build` made; parameters are shared.

    Parameters
    ----------
    network : nn.Module

    Returns
    -------
    SpikingNetwork
    """
    # Projections of the large family are two convolutions with nothing between them.
    merge = network.network.family == "large"
    return normalise(trace(network, network.network.image), merge=merge)


def count_parameters(network):
    """Number of trainable values of a network."""
    return sum(parameter.numel() for parameter in network.parameters())

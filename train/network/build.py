"""Networks of a configuration, and their layers."""

import copy

from msgspec.structs import replace

from train.families.e_spikeformer import ESpikeFormer
from train.families.large import LargeSpikeFormer
from train.normalise import normalise
from train.trace import trace


__all__ = ["build", "count_parameters", "layered", "with_head"]


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


def with_head(network, head=None):
    """A network with one head, whose parameters are shared.

    Parameters
    ----------
    network : nn.Module
        As `build` makes it.
    head : str, optional
        ``spike`` or ``analog``, for a network that has both; ``spike`` if not given.

    Raises
    ------
    ValueError
        If the network does not have that head.
    """
    heads = network.network.head
    if head is None:
        head = "spike" if heads == "both" else heads
    elif heads not in (head, "both"):
        raise ValueError(f"the network has no {head} head, so export its {heads} head")
    chosen = copy.copy(network)
    chosen.network = replace(network.network, head=head)
    return chosen


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

"""Networks of a configuration, and their layers."""

import copy
import math

from msgspec.structs import replace

from train.families.e_spikeformer import ESpikeFormer
from train.families.large import LargeSpikeFormer
from train.families.own import OwnNetwork, load_own
from train.normalise import normalise
from train.trace import trace


__all__ = ["build", "count_parameters", "layered", "shape_of", "with_head"]


def build(network):
    """Network of a configuration, with fresh parameters.

    Parameters
    ----------
    network : NetworkConfig or OwnNetwork

    Returns
    -------
    nn.Module
        An ``ESpikeFormer``, a ``LargeSpikeFormer`` or what a user's function returns.
    """
    if isinstance(network, OwnNetwork):
        own = load_own(network.module, network.keywords)
        own.addend_shape = network
        return own
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
    heads = shape_of(network).head
    if head is None:
        head = "spike" if heads == "both" else heads
    elif heads not in (head, "both"):
        raise ValueError(f"the network has no {head} head, so export its {heads} head")
    if head == heads:
        return network
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

    Raises
    ------
    ValueError
        If a user's own network has another number of class scores than its data have classes.
    """
    # Projections of the large family are two convolutions with nothing between them.
    shape = shape_of(network)
    merge = getattr(shape, "family", "own") == "large"
    graph = trace(network, shape.image)
    layers = normalise(graph, merge=merge)
    scores = math.prod(graph.node(graph.outputs[0]).size)
    if scores != shape.classes:
        raise ValueError(f"the network computes {scores} class scores of {shape.classes} classes")
    return layers


def shape_of(network):
    """Configuration of a network that `build` made."""
    return network.__dict__.get("addend_shape") or network.network


def count_parameters(network):
    """Number of trainable values of a network."""
    return sum(parameter.numel() for parameter in network.parameters())

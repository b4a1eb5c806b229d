"""A network as a list of layers over its own modules."""

from torch import nn

from train.graph import Pixels
from train.ops.layer import Layer


__all__ = ["SpikingNetwork"]


class SpikingNetwork(nn.Module):
    """Layers in order of execution, and the modules that hold their parameters.

    Parameters
    ----------
    modules : nn.Module
        The network that was traced, or modules that a reader made.
    entry : Pixels
        The input.
    layers : tuple of Layer
    heads : tuple of str
        Layers whose class scores are averaged.
    name : str
    exact : bool
        As a `train.graph.SpikeGraph` has it.
    classes : tuple of str
    origins : dict of str to str
        Node of the float graph that each layer was made for, by the layer's name.
    """

    def __init__(
        self,
        modules,
        *,
        entry,
        layers,
        heads,
        name="network",
        exact=False,
        classes=(),
        origins=None,
    ):
        super().__init__()
        self.modules_of = modules
        self.entry: Pixels = entry
        self.layers: tuple[Layer, ...] = tuple(layers)
        self.heads = tuple(heads)
        self.name = name
        self.exact = exact
        self.classes = tuple(classes)
        self.origins = origins or {}
        self.bind()
        self.last_reads = _last_reads(self.layers)

    def bind(self):
        """Look every layer's modules up again, after they were replaced."""
        self.bound = {
            layer.name: layer.projection.bind(self.modules_of)
            for layer in self.layers
            if hasattr(layer, "projection")
        }

    def forward(self, images, run):
        """Class scores of images, shape (images, classes), as a run computes them."""
        return run(self, images)


def _last_reads(layers):
    """Of each layer: tensors that no later one reads."""
    found, seen = {}, set()
    for layer in reversed(layers):
        found[layer.name] = [name for name in dict.fromkeys(layer.reads) if name not in seen]
        seen.update(layer.reads)
    return found

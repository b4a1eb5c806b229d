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
    exact : bool
        As a `train.graph.SpikeGraph` has it.
    origins : dict of str to str
        Node of the float graph that each layer was made for, by the layer's name.

    Attributes
    ----------
    firings : dict of str to Firing
        Neuron that fired the counts of a tensor, by the tensor's name.
    units : dict of str to Fraction
        What a count of each tensor of counts stands for where nothing scales it.
    """

    def __init__(self, modules, *, entry, layers, heads, exact=False, origins=None):
        super().__init__()
        self.modules_of = modules
        self.entry: Pixels = entry
        self.layers: tuple[Layer, ...] = tuple(layers)
        self.heads = tuple(heads)
        self.exact = exact
        self.origins = origins or {}
        self.bound = {
            layer.name: layer.projection.bind(modules)
            for layer in self.layers
            if hasattr(layer, "projection")
        }
        self.firings, self.units = _counts(entry, self.layers)
        self._last_reads = _last_reads(self.layers)

    def compute(self, run, step):
        """Call a step of every layer, and forget tensors that nobody reads any more.

        Parameters
        ----------
        run : FloatRun or IntegerRun
            With ``tensors``.
        step : str
            Name of a method of layers.
        """
        for layer in self.layers:
            getattr(layer, step)(run)
            for name in self._last_reads[layer.name]:
                del run.tensors[name]

    def forward(self, images, run):
        """Class scores of images, shape (images, classes), as a run computes them."""
        return run(self, images)


def _counts(entry, layers):
    """Neurons and units of all tensors of counts.

    What fires no counts of its own hands on those of what it reads, as a max pool does.
    """
    firings, units = {}, {"pixels": entry.scale}
    for layer in layers:
        if layer.fires:
            firings[layer.counts], units[layer.counts] = layer.firing, layer.firing.unit
        elif len(layer.reads) == 1:
            (source,) = layer.reads
            for found in (firings, units):
                if source in found:
                    found[layer.counts] = found[source]
    return firings, units


def _last_reads(layers):
    """Of each layer: tensors that no later one reads."""
    found, seen = {}, set()
    for layer in reversed(layers):
        found[layer.name] = [name for name in dict.fromkeys(layer.reads) if name not in seen]
        seen.update(layer.reads)
    return found

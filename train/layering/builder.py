"""The layers that have been made of a graph so far, and how more are made."""

from dataclasses import dataclass, replace
from fractions import Fraction

from train.graph import Firing, Pixels
from train.layering.names import Names
from train.layering.values import Affine, Counts, Stream, StreamMean
from train.ops import AnalogHead, Branch, Head, MaxPool, TokenSum, Write
from train.projection import Identity, Projection


__all__ = ["Builder", "Fault", "Finding"]


class Fault(Exception):  # noqa: N818
    """What is wrong with a node: reason and remedy, parts of a sentence."""

    def __init__(self, reason, remedy):
        super().__init__(reason)
        self.reason = reason
        self.remedy = remedy


@dataclass(frozen=True)
class Finding:
    """A node that does not become a layer.

    Parameters
    ----------
    name, kind : str
        Of the node.
    reason, remedy : str
        Parts of a sentence.
    """

    name: str
    kind: str
    reason: str
    remedy: str

    def __str__(self):
        return f"{self.name} ({self.kind}) {self.reason}: {self.remedy}"


_SCALES = Fault(
    "has neurons of several scales on its stream", "give all quantisers of a stream the same scale"
)
_ROUNDING = Fault("rounds a stream that others add to", "round half up or half to even")


class Builder:
    """Values of nodes, and layers in order of execution.

    Parameters
    ----------
    graph : SpikeGraph
    merge : bool
        Fold pointwise convolutions into those in front of them.
    """

    def __init__(self, graph, merge):
        self.graph = graph
        self.merge = merge
        self.entry: Pixels = graph.nodes[0]
        self.layers = []
        self.heads = []
        self.names = Names(graph)
        self.readers = graph.readers()
        self.values = {}
        # Node that asked for each layer.
        self.asked = {}
        self._nodes = {node.name: node for node in graph.nodes}
        self._fired = {}
        self._writes = {}
        self._sums = []
        self._analog = []

    def node(self, name):
        """The node of a name."""
        return self._nodes[name]

    def size(self, node):
        """Channels, height and width of what a node reads first."""
        return self._nodes[node.inputs[0]].size

    def identity(self, node, counts, *more):
        """Counts as an affine map of themselves, and what a node does to them."""
        stage = Identity(name=f"{node.name}.identity", inputs=node.inputs[:1], size=self.size(node))
        return Affine((stage, *more), counts)

    def projection(self, affine):
        """Stages with the size of what they read."""
        read_pixels = isinstance(affine.source, Counts) and affine.source.tensor == "pixels"
        return Projection(
            affine.stages, self.size(affine.stages[0]), self.entry.centre if read_pixels else 0
        )

    def branch(self, node, affine, firing):
        """Counts of an affine map, which the node of this name computes; made once."""
        key = node, firing
        if key not in self._fired:
            layer = Branch(
                name=self.names.branch(affine.stages),
                source=affine.source.tensor,
                unit=affine.source.unit,
                projection=self.projection(affine),
                firing=firing,
            )
            self._fired[key] = self.append(layer, firing)
        return self._fired[key]

    def sum(self, node, mean, firing):
        """Append a sum over tokens; returns its counts."""
        name = self.names.token_sum(node)
        layer = TokenSum(name=name, stream=mean.layer, tokens=mean.tokens, firing=firing)
        self._sums.append(layer)
        return self.append(layer, firing)

    def append(self, layer, firing):
        """Append a layer that fires; returns its counts."""
        self.layers.append(layer)
        return Counts(layer.counts, firing.unit, firing.levels)

    def pool(self, node, counts):
        """Append a max pool; returns its counts."""
        layer = MaxPool(
            name=self.names.module(node),
            source=counts.tensor,
            kernel=node.kernel,
            stride=node.stride,
            padding=node.padding,
        )
        self.layers.append(layer)
        return replace(counts, tensor=layer.counts)

    def streamed(self, name):
        """The affine value of a node as a stream that begins there."""
        value = self.values[name]
        if isinstance(value, Affine):
            stages = value.stages
            value = self.write(self.names.stream(stages, self._nodes[stages[0].name].scope), value)
            self.values[name] = value
        return value

    def write(self, name, affine, previous=None):
        """Append a layer that writes a stream."""
        if not affine.of_counts:
            raise Fault("adds the mean of a stream", "put a neuron behind the mean")
        layer = Write(
            name=name,
            source=affine.source.tensor,
            unit=affine.source.unit,
            projection=self.projection(affine),
            previous=None if previous is None else previous.layer,
            stage=name if previous is None else self._writes[previous.layer].stage,
        )
        self._writes[name] = layer
        self.layers.append(layer)
        return Stream(name)

    def fire_stream(self, stream, firing):
        """Let a stream have a neuron; returns its counts."""
        layer = self._writes[stream.layer]
        if layer.firing not in (None, firing):
            raise Fault("reads a stream through another neuron", "use one kind of neuron for it")
        if firing.ladder is not None:
            raise Fault(
                "has thresholds of its own for a stream", "quantise the sum by evenly spaced steps"
            )
        self._replace(replace(layer, firing=firing))
        return Counts(layer.counts, firing.unit, firing.levels)

    def head(self, affine):
        """Append a classifier; returns its name."""
        name, source = self.names.branch(affine.stages), affine.source
        projection = self.projection(affine)
        if isinstance(source, StreamMean):
            layer = AnalogHead(
                name=name, stream=source.layer, tokens=source.tokens, projection=projection
            )
            self._analog.append(layer)
        elif source.tensor == "pixels":
            raise Fault("classifies pixels", "put a layer with neurons in front of it")
        else:
            layer = Head(name=name, source=source.tensor, unit=source.unit, projection=projection)
        self.layers.append(layer)
        self.heads.append(name)
        return name

    def settle(self):
        """Give every stream a neuron, and the gain of its neurons.

        Returns
        -------
        list of (str, Fault)
            Layers whose stream cannot be what their neuron asks for.
        """
        neurons, faults = {}, []
        for layer in (*self._writes.values(), *self._sums):
            writer = self._writes.get(layer.name) or self._writes[layer.stream]
            if not layer.fires:
                continue
            if neurons.setdefault(writer.stage, layer.firing).gain != layer.firing.gain:
                faults.append((layer.name, _SCALES))
        usual = next((layer.firing for layer in self.layers if layer.fires), Firing(1))
        gone_on = {layer.previous for layer in self._writes.values()}
        for layer in list(self._writes.values()):
            # Hardware has a neuron behind every stream; its counts need no reader.
            neuron = neurons.get(layer.stage, usual)
            gain = neuron.gain if layer.stage in neurons else Fraction(1)
            firing = layer.firing or Firing(neuron.levels, neuron.canonical.ties, gain)
            if firing.lift != (0, 0) and layer.name in gone_on:
                faults.append((layer.name, _ROUNDING))
            self._replace(replace(layer, firing=firing, gain=gain))
        for layer in self._analog:
            self._put(replace(layer, gain=self._writes[layer.stream].gain))
        return faults

    def _replace(self, layer):
        self._writes[layer.name] = layer
        self._put(layer)

    def _put(self, layer):
        """Put a layer in the place of the one of its name."""
        self.layers = [layer if other.name == layer.name else other for other in self.layers]

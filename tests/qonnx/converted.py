"""A QONNX file on its way through the reader to the integer model, and what both count."""

from dataclasses import dataclass

import numpy as np
import onnx

import golden
from golden.model.integer_model import IntegerModel
from tests.qonnx.exact import Exact
from tests.qonnx.rational import evaluate, source
from train.graph import Largest, Neuron, SpikeGraph
from train.interpret.find import find_grids
from train.interpret.lower import integer_model
from train.network.quantised import QuantisedNetwork
from train.normalise import normalise
from train.ops import MaxPool
from train.qonnx import read
from train.run.config import QuantiseConfig


__all__ = ["Converted", "compare", "convert", "logits_are_exact", "saved"]


@dataclass(frozen=True)
class Converted:
    """A file that became an integer model.

    Parameters
    ----------
    graph : SpikeGraph
    quantised : QuantisedNetwork
    model : IntegerModel
    """

    graph: SpikeGraph
    quantised: QuantisedNetwork
    model: IntegerModel

    @property
    def neurons(self):
        """Pairs of the neurons of the graph and the tensors of their counts, in order."""
        layers = self.quantised.network.layers
        read = {name for layer in layers for name in layer.reads}
        fired = [
            layer.counts
            for layer in layers
            if getattr(layer, "firing", None) is not None and layer.counts in read
        ]
        pools = {layer.source: layer.counts for layer in layers if isinstance(layer, MaxPool)}
        pairs = []
        nodes = [node for node in self.graph.nodes if isinstance(node, Neuron)]
        for node, counts in zip(nodes, fired, strict=True):
            # The largest potential fires as often as the largest count, which is what golden has.
            behind = isinstance(self.graph.node(node.inputs[0]), Largest)
            pairs.append((node, pools[counts] if behind else counts))
        return pairs


def convert(path, *, scale=None, weight_bits=8, max_fraction_bits=20):
    """Read a file and lower it."""
    graph = read(path, scale=scale)
    network = normalise(graph)
    config = QuantiseConfig(weight_bits=weight_bits, max_fraction_bits=max_fraction_bits)
    quantised = QuantisedNetwork(network, find_grids(network, config), config.weight_bits)
    return Converted(graph, quantised, integer_model(quantised, name=graph.name))


def compare(model, converted, pictures, byte, zero=0):
    """Compare all that golden counts with what the file says, in exact numbers.

    Parameters
    ----------
    model : onnx.ModelProto
    converted : Converted
    pictures : uint8 array
    byte, zero
        As `tests.qonnx.rational.evaluate` has them.

    Returns
    -------
    dict of str to int
        Counts of each neuron that differ, by its name; and ``logits`` that are not the integers
        nearest to those of the file.
    """
    exact = evaluate(model, pictures, byte, zero)
    found = golden.run(converted.model, pictures, trace=True)
    quantisers = activations(model, exact, len(pictures))
    differ = {}
    for node, (neuron, counts) in zip(quantisers, converted.neurons, strict=True):
        expected = exact[node.output[0]].integers(neuron.firing.unit)
        if any(entry.s == b"NHWC" for entry in node.attribute):
            expected = np.moveaxis(expected, -1, 1)
        differ[neuron.name] = int((found.tensors[counts].reshape(expected.shape) != expected).sum())
    logits = exact[model.graph.output[0].name]
    scale = Exact.of(converted.model.layers[-1].epilogue.scale)
    nearest = (logits * scale.inverse()).rounded("ROUND").astype(np.int64)
    differ["logits"] = int((found.logits != nearest.reshape(found.logits.shape)).sum())
    return differ


def activations(model, exact, pictures):
    """Quantisers of what follows from pictures, but for those that change nothing."""
    found, seen = [], {source(model.graph)}
    for node in model.graph.node:
        quantises = node.op_type in {"Quant", "IntQuant", "MultiThreshold"}
        follows = bool(seen.intersection(node.input))
        if follows and quantises and not is_bytes(model, node) and changes(node, exact):
            found.append(node)
        if follows:
            seen.add(node.output[0])
        assert not follows or exact[node.output[0]].shape[0] == pictures
    return found


def changes(node, exact):
    """Whether a quantiser does anything to what it reads."""
    before, after = (exact[name] for name in (node.input[0], node.output[0]))
    return not before.rational or (before.fractions() != after.fractions()).any()


def is_bytes(model, node):
    """Whether a quantiser reads pictures, to which nothing but arithmetic was done."""
    makers = {made.output[0]: made for made in model.graph.node}
    name = node.input[0]
    while name in makers and makers[name].op_type in {"Add", "Sub", "Mul", "Div", "Reshape"}:
        name = makers[name].input[0]
    return name == source(model.graph)


def logits_are_exact(model, converted, pictures, byte, zero=0):
    """Whether logits, times their scale, are those of the file."""
    exact = evaluate(model, pictures, byte, zero)[model.graph.output[0].name]
    found = golden.run(converted.model, pictures).logits
    scale = Exact.of(converted.model.layers[-1].epilogue.scale)
    return bool(((Exact(found) * scale).fractions() == exact.fractions()).all())


def saved(model, folder):
    """Path of a model that was written to a folder."""
    path = folder / "network.onnx"
    onnx.save(model, path)
    return path

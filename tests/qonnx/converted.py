"""A QONNX file on its way to the integer model, and what its neurons count."""

from dataclasses import dataclass
from fractions import Fraction

import onnx

import golden
from tests.qonnx.rational import evaluate
from train.graph import Neuron
from train.layering.values import Counts
from train.normalise import _build, normalise
from train.qonnx import read
from train.quant.find import find_grids
from train.quant.lower import integer_model
from train.quant.quantised import QuantisedNetwork
from train.run.config import QuantiseConfig


__all__ = ["Converted", "convert"]


@dataclass(frozen=True)
class Converted:
    """A file that became an integer model.

    Parameters
    ----------
    graph : SpikeGraph
    model : IntegerModel
    quantised : QuantisedNetwork
    counts : dict of str to str
        Tensor of the model for each neuron of the graph, by names.
    """

    graph: object
    model: object
    quantised: object
    counts: dict


def convert(path, *, scale=None):
    """Read a file, or a model that is written to ``path`` first, and lower it."""
    graph = read(path, scale=scale)
    network = normalise(graph)
    builder, _ = _build(graph, False)
    counts = {
        node.name: builder.values[node.name].tensor
        for node in graph.nodes
        if isinstance(node, Neuron) and isinstance(builder.values[node.name], Counts)
    }
    config = QuantiseConfig(max_fraction_bits=20)
    quantised = QuantisedNetwork(network, find_grids(network, config), config.weight_bits)
    return Converted(graph, integer_model(quantised, name="t"), quantised, counts)

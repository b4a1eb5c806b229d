"""The float graph that every front end makes of a network, and that everything behind it reads."""

from train.graph.firing import Firing, Ties
from train.graph.nodes import (
    Add,
    Attend,
    Convolve,
    Gate,
    Largest,
    Mean,
    Neuron,
    Node,
    Norm,
    Pixels,
    Pool,
    Refused,
    Scale,
)
from train.graph.spike_graph import GraphError, SpikeGraph


__all__ = [
    "Add",
    "Attend",
    "Convolve",
    "Firing",
    "Gate",
    "GraphError",
    "Largest",
    "Mean",
    "Neuron",
    "Node",
    "Norm",
    "Pixels",
    "Pool",
    "Refused",
    "Scale",
    "SpikeGraph",
    "Ties",
]

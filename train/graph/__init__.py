"""The float graph that every front end makes of a network, and that everything behind it reads."""

from train.graph.firing import Firing, Ties
from train.graph.nodes import (
    Add,
    Attend,
    Constant,
    Convolve,
    Gate,
    Largest,
    Mean,
    Neuron,
    Node,
    Norm,
    Pixels,
    Refused,
    Scale,
)
from train.graph.spike_graph import SpikeGraph


__all__ = [
    "Add",
    "Attend",
    "Constant",
    "Convolve",
    "Firing",
    "Gate",
    "Largest",
    "Mean",
    "Neuron",
    "Node",
    "Norm",
    "Pixels",
    "Refused",
    "Scale",
    "SpikeGraph",
    "Ties",
]

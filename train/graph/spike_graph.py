"""The float graph: nodes in order of execution, and the modules that hold their parameters."""

from dataclasses import dataclass

from torch import nn

from train.graph.nodes import Node


__all__ = ["GraphError", "SpikeGraph"]


class GraphError(ValueError):
    """A network that is no float graph as a whole: a sentence that ends in what to change."""


@dataclass(frozen=True)
class SpikeGraph:
    """A network in real numbers.

    Parameters
    ----------
    name : str
    nodes : tuple of Node
        In order of execution; the first is the input.
    outputs : tuple of str
        Nodes that leave the network.
    modules : nn.Module
        Holds what nodes name by paths: the network itself, or modules that a reader made.
    exact : bool
        Its numbers are those of a file, and thresholds are folded from them in rationals. Without,
        they are those of a network that trains, and thresholds follow from float64.
    """

    name: str
    nodes: tuple[Node, ...]
    outputs: tuple[str, ...]
    modules: nn.Module
    exact: bool = False

    def node(self, name):
        """The node of a name."""
        return next(node for node in self.nodes if node.name == name)

    def readers(self):
        """Nodes that read each node, by name, in order of execution."""
        found = {node.name: [] for node in self.nodes}
        for node in self.nodes:
            for name in node.inputs:
                found[name].append(node)
        return found

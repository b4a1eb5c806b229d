"""From the float graph to layers: who fires, who writes a stream, and what is refused.

Batch norms and scales are attached to the convolution in front of them, chains of adds become
residual streams, and means become sums.
"""

from fractions import Fraction

from train.layering.builder import Builder, Fault, Finding
from train.layering.steps import STEPS
from train.layering.values import Affine, Counts, Scores
from train.ops.spiking import SpikingNetwork


__all__ = ["Finding", "NormaliseError", "findings", "normalise"]


class NormaliseError(ValueError):
    """A network with nodes that do not become layers: a sentence for each.

    Parameters
    ----------
    found : list of Finding
    """

    def __init__(self, found):
        super().__init__("\n".join(map(str, found)))
        self.findings = found


def normalise(graph, *, merge=False):
    """Layers of a float graph.

    Parameters
    ----------
    graph : SpikeGraph
    merge : bool
        Fold a pointwise convolution into the one in front of it where no neuron is between them.

    Returns
    -------
    SpikingNetwork

    Raises
    ------
    NormaliseError
        If a node does not become a layer.
    """
    builder, found = _build(graph, merge)
    if found:
        raise NormaliseError(found)
    return SpikingNetwork(
        graph.modules,
        entry=builder.entry,
        layers=builder.layers,
        heads=builder.heads,
        exact=graph.exact,
        origins=_origins(builder),
    )


def findings(graph, *, merge=False):
    """Nodes of a float graph that do not become layers, in order, each with its remedy.

    Behind such a node the graph is followed as if the remedy had been taken.

    Returns
    -------
    list of Finding
    """
    return _build(graph, merge)[1]


def _build(graph, merge):
    builder, found = Builder(graph, merge), []
    for node in graph.nodes:
        read = [builder.values[name] for name in node.inputs]
        known = len(builder.layers)
        try:
            builder.values[node.name] = STEPS[type(node)](builder, node, *read)
            builder.asked |= {layer.name: node.name for layer in builder.layers[known:]}
        except Fault as fault:
            found.append(Finding(node.name, node.kind, fault.reason, fault.remedy))
            builder.values[node.name] = Counts(f"{node.name}.counts", Fraction(1), 1)
    for number, name in enumerate(graph.outputs):
        node = builder.node(name)
        fault = _ANOTHER if number else _leave(builder, node)
        if fault is not None and name not in {finding.name for finding in found}:
            found.append(Finding(name, node.kind, fault.reason, fault.remedy))
    found += [Finding(name, "stream", f.reason, f.remedy) for name, f in builder.settle()]
    return builder, found


#: Said of what leaves the network beside its class scores.
_ANOTHER = Fault(
    "leaves the network beside class scores", "let one tensor of class scores leave it"
)


def _leave(builder, node):
    """Let a node be an output; returns what is wrong with that."""
    value = builder.values[node.name]
    if isinstance(value, Scores):
        if value.factor == Fraction(1, len(value.heads)):
            return None
        return Fault("weighs the scores of its heads otherwise", "average them")
    if not isinstance(value, Affine):
        return Fault(
            "leaves the network as spikes or a stream", "end with a linear layer or a convolution"
        )
    try:
        builder.head(value)
    except Fault as fault:
        return fault
    return None


def _origins(builder):
    """Node that each layer begins with, or that asked for it."""
    origins = {}
    for layer in builder.layers:
        stages = layer.projection.stages if hasattr(layer, "projection") else ()
        origins[layer.name] = next(
            (stage.name for stage in stages if stage.name in builder.values),
            builder.asked.get(layer.name, layer.name),
        )
    return origins

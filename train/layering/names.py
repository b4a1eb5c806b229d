"""Names of layers, from the paths of the modules that they are made of."""

import re

from train.graph import Convolve
from train.graph.unique import Unique


__all__ = ["Names"]


class Names:
    """Names that are given, each once.

    A convolution with a neuron is named after its module, ``block3.0.attn.q`` for
    ``block3.0.attn.q_conv.0``; a convolution that writes the stream after the module that holds
    both it and the addition, as long as no earlier layer has that name.

    Parameters
    ----------
    graph : SpikeGraph
    """

    def __init__(self, graph):
        self._graph = graph
        self._readers = graph.readers()
        self._unique = Unique("_")

    def branch(self, stages):
        """Name of a layer with a neuron or scores of its own."""
        paths = [stage.module for stage in stages if isinstance(stage, Convolve)]
        path = _common(paths) if paths else stages[-1].name.removesuffix(".identity")
        return self._unique(_plain(path) or _plain(stages[0].name))

    def stream(self, stages, scope):
        """Name of a layer that writes a stream, from the scope of what it is added in."""
        first = stages[0]
        path = first.module if isinstance(first, Convolve) else first.name
        place = _common([path, f"{scope}."]) if scope else ""
        if place and place not in self._unique:
            return self._unique(place)
        return self.branch(stages)

    def call(self, node, *nouns):
        """Names of the layers of a call, such as attention: its scope or name, and a noun each."""
        place, number = node.scope or node.name, 1
        found = [f"{place}.{noun}" for noun in nouns]
        while any(name in self._unique for name in found):
            number += 1
            found = [f"{place}_{number}.{noun}" for noun in nouns]
        return [self._unique(name) for name in found]

    def module(self, node):
        """Name of a layer that is a module by itself."""
        return self._unique(_plain(node.name) or node.name)

    def token_sum(self, node):
        """Name of a sum over tokens: that of the classifier which reads it, and ``sum``."""
        for reader in self._readers[node.name]:
            if isinstance(reader, Convolve):
                return self._unique(f"{_plain(reader.module)}.sum")
        return self._unique(f"{_plain(node.name)}.sum")


def _common(paths):
    """Path that several begin with.

    >>> _common(["attn.q_conv.0.conv1.0", "attn.q_conv.0.conv2.0"])
    'attn.q_conv.0'
    >>> _common(["downsample1_1.encode_conv", "downsample1_1."])
    'downsample1_1'
    """
    if len(paths) == 1:
        return paths[0]
    parts = []
    for column in zip(*(path.split(".") for path in paths), strict=False):
        if len(set(column)) > 1:
            break
        parts.append(column[0])
    return ".".join(parts)


def _plain(path):
    """A path without the parts that only number a module, or say that it is a convolution.

    >>> _plain("block3.0.attn.q_conv.0"), _plain("mlp.fc1_conv"), _plain("features.3")
    ('block3.0.attn.q', 'mlp.fc1', 'features.3')
    """
    plain = re.sub(r"(\.\d+)+$", "", path)
    if plain.count(".") == 0 and plain != path and not plain.endswith("_conv"):
        # A network's own list numbers its layers.
        return path
    return re.sub(r"_conv$", "", plain)

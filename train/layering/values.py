"""What a node's value is, while layers are made of a graph."""

from dataclasses import dataclass
from fractions import Fraction

from train.graph import Node
from train.ops import Layer


__all__ = ["Affine", "Counts", "Mixed", "Pooled", "Scores", "Stream", "StreamMean"]


@dataclass(frozen=True)
class Counts:
    """Whole numbers.

    Parameters
    ----------
    tensor : str
        Of a layer's counts, or ``pixels``.
    unit : Fraction
        What one stands for.
    levels : int
        The largest.
    """

    tensor: str
    unit: Fraction
    levels: int


@dataclass(frozen=True)
class StreamMean:
    """Mean of a stream over its positions.

    Parameters
    ----------
    layer : str
        That wrote the stream.
    tokens : int
    """

    layer: str
    tokens: int


@dataclass(frozen=True)
class Affine:
    """An affine map that no layer has taken yet.

    Parameters
    ----------
    stages : tuple of Node
    source : Counts or StreamMean
    """

    stages: tuple[Node, ...]
    source: Counts | StreamMean

    @property
    def of_counts(self):
        """Whether a neuron, a stream or scores may take it."""
        return isinstance(self.source, Counts)


@dataclass(frozen=True)
class Stream:
    """A residual stream after the layer of this name wrote it."""

    layer: str


@dataclass(frozen=True)
class Mixed:
    """Potential of attention or of a mask: a layer that lacks its neuron."""

    layer: Layer


@dataclass(frozen=True)
class Pooled:
    """Largest potentials, of which neurons make counts: a map in front of a max pool.

    Parameters
    ----------
    affine : Affine
    before : str
        Node that computes it.
    node : Largest
    """

    affine: Affine
    before: str
    node: Node


@dataclass(frozen=True)
class Scores:
    """A sum of class scores.

    Parameters
    ----------
    heads : tuple of str
        Layers.
    factor : Fraction
    """

    heads: tuple[str, ...]
    factor: Fraction

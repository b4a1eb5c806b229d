"""Sum of the residual stream over its tokens."""

from dataclasses import dataclass
from math import prod
from typing import ClassVar

import numpy as np

from .fire import Fire
from .operator import Operator, look_up, require_epilogue


__all__ = ["StreamReader", "TokenSum", "token_sum"]


class StreamReader(Operator):
    """An operator on the sum of a stream over its tokens: stream values are no spikes."""

    SPIKING = False

    @property
    def reads(self):
        return [self.source]

    def summed(self, facts):
        """Interval of the sum, in Python integers: int64 may be too small."""
        _, *map_size = facts.known[self.source]
        return (prod(map_size) * bound.astype(object)
                for bound in facts.ranges.stream[self.source.removesuffix(".stream")])

    def stream_bits(self, known, bits):
        source = self.source.removesuffix(".stream")
        return int(np.prod(known[self.source])) * bits[source]["stream"]


@dataclass(frozen=True, eq=False)
class TokenSum(StreamReader):
    """Sum of a stream over its tokens; the mean's 1/tokens is in the thresholds."""

    KIND = "token_sum"
    FIELDS: ClassVar = {"source": str}

    name: str
    source: str
    drain: Fire

    def outputs(self, known, model):
        channels, _, _ = look_up(self, self.source, known, "stream")
        require_epilogue(self, Fire)
        return self.drain.outputs(self, (channels, 1, 1), known, model)

    def check(self, facts):
        """Thresholds follow from the stream's fraction bits, whatever values can occur."""
        _, height, width = facts.known[self.source]
        self.drain.neuron.check_ladder(self, facts.fraction_bits[self.source], height * width)

    def linear(self, tensors):
        return token_sum

    def interval(self, facts):
        return self.summed(facts)

    def operand_bits(self, model, bits):
        return bits[self.source.removesuffix(".stream")]["stream"]


def token_sum(stream):
    """Sum over all positions; shape (images, channels, 1, 1).

    >>> token_sum(np.array([[[[1, 2], [3, -9]]]])).ravel()
    array([-3])
    """
    return stream.sum(axis=(2, 3), keepdims=True)

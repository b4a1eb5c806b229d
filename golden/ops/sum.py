"""Sum of the residual stream over its positions, its steps, or both."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from golden.hints import Infos, Interval, Linear, Tensors, Widths
from golden.tensor_info import TensorInfo

from .facts import Facts
from .fire import Fire
from .frames import framed, like
from .heads import check_over, tokens_of
from .operator import Operator, look_up, require_epilogue
from .output import Output
from .write import Write


__all__ = ["StreamReader", "Sum", "stream_sum"]


class StreamReader(Operator):
    """An operator on the sum of a stream: stream values are no spikes."""

    SPIKING = False

    source: str
    over: str

    @property
    def reads(self) -> list[str]:
        return [self.source, *(self.epilogue.reads if self.epilogue else ())]

    def summed(self, facts: Facts) -> Interval:
        """Interval of the sum, in Python integers: int64 may be too small."""
        tokens = tokens_of(facts.known[self.source], self.over)
        low, high = facts.ranges.stream[self.source.removesuffix(".stream")]
        return tokens * low.astype(object), tokens * high.astype(object)

    def stream_bits(self, known: Infos, bits: Widths) -> int:
        source = self.source.removesuffix(".stream")
        return known[self.source].values * bits[source]["stream"] + super().stream_bits(known, bits)


@dataclass(frozen=True, eq=False)
class Sum(StreamReader):
    """Sum of a stream; the mean's division is in the thresholds.

    Parameters
    ----------
    name : str
    source : str
        Stream tensor that is read.
    epilogue : Fire or Write or Output
    over : str
        ``space``, ``time`` or ``both``.
    """

    KIND = "sum"
    FIELDS: ClassVar = {"source": str, "over": str}

    name: str
    source: str
    epilogue: Fire | Write | Output
    over: str = "space"

    def outputs(self, known: Infos) -> dict[str, TensorInfo]:
        check_over(self)
        source = look_up(self, self.source, known, "stream")
        require_epilogue(self, Fire, Write, Output)
        size = source.size if self.over == "time" else (1, 1)
        steps = source.steps if self.over == "space" else 1
        return self.epilogue.outputs(
            self, TensorInfo("counts", source.channels, size, steps), known
        )

    def check(self, facts: Facts) -> None:
        """Thresholds follow from the stream's fraction bits, whatever values can occur."""
        if isinstance(self.epilogue, Fire):
            source = facts.known[self.source]
            self.epilogue.neuron.check_ladder(
                self, source.fraction_bits, tokens_of(source, self.over)
            )
        else:
            super().check(facts)

    def linear(self, tensors: Tensors) -> Linear:
        return lambda stream: stream_sum(stream, self.over)

    def interval(self, facts: Facts) -> Interval:
        return self.summed(facts)

    def operand_bits(self, known: Infos, bits: Widths) -> int:
        return bits[self.source.removesuffix(".stream")]["stream"]


def stream_sum(stream: NDArray[np.int64], over: str = "space") -> NDArray[np.int64]:
    """Sum over positions, steps or both; what is summed over keeps an axis of length 1.

    >>> import numpy as np
    >>> stream_sum(np.array([[[[1, 2], [3, -9]]]])).ravel()
    array([-3])
    """
    axes = {"space": (3, 4), "time": (1,), "both": (1, 3, 4)}[over]
    return like(framed(stream).sum(axis=axes, keepdims=True), stream)

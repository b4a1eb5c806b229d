"""What ``golden/ops/reverse.py`` would be: channels in reverse order."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from golden.ops.fire import Fire
from golden.ops.operator import Operator, look_up, require_epilogue
from golden.tensor_info import TensorInfo


__all__ = ["Reverse"]


@dataclass(frozen=True, eq=False)
class Reverse(Operator):
    """Counts whose channels are in reverse order."""

    KIND = "reverse"
    FIELDS: ClassVar = {"source": str}

    name: str
    source: str
    epilogue: Fire

    @property
    def reads(self):
        return [self.source]

    def outputs(self, known):
        source = look_up(self, self.source, known, "counts")
        require_epilogue(self, Fire)
        info = TensorInfo("counts", source.channels, source.size, source.steps)
        return self.epilogue.outputs(self, info, known)

    def linear(self, tensors):
        return lambda counts: counts[..., ::-1, :, :]

    def interval(self, facts):
        source = facts.known[self.source]
        return (np.zeros(source.channels, np.int64), np.full(source.channels, source.levels))

    def events(self, tensors, weigh):
        """A spike is added to every channel, with weight 1 or 0."""
        counts = weigh(tensors[self.source], self.source)
        return counts.reshape(len(counts), -1).sum(axis=1) * tensors[self.source].shape[-3]

"""Largest count in a window."""

from dataclasses import dataclass

import torch.nn.functional as F

from golden.axis import Axis
from golden.ops import Max
from train.ops.layer import Layer


__all__ = ["MaxPool"]


@dataclass(frozen=True, kw_only=True)
class MaxPool(Layer):
    """Largest count of each channel in a window; padding counts 0.

    Parameters
    ----------
    source : str
        Tensor of counts.
    kernel, stride : (int, int)
    padding : (int, int, int, int)
        Before and after, of height and of width.
    """

    source: str
    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int, int, int]

    @property
    def reads(self):
        return (self.source,)

    def float(self, run):
        run.tensors[self.counts] = self._largest(run)

    def integer(self, run):
        run.keep(self.counts, self._largest(run))

    def _largest(self, run):
        top, bottom, left, right = self.padding
        padded = F.pad(run.tensors[self.source], (left, right, top, bottom))
        return F.max_pool2d(padded, self.kernel, self.stride)

    def lower(self, run):
        pads = (self.padding[:2], self.padding[2:])
        axes = tuple(
            Axis(kernel, stride, *pad)
            for kernel, stride, pad in zip(self.kernel, self.stride, pads, strict=True)
        )
        run.add(Max(self.name, self.source, axes))

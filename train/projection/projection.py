"""What a layer computes in front of its neuron, stream or scores: one affine map of spikes.

Stages of the float graph (convolutions, batch norms, scales, means over windows) are bound to their
modules. A bound projection has a convolution and a batch norm behind it, or none.
"""

from dataclasses import dataclass

from torch import nn

from train.graph import Convolve, Node, Norm, Pool, Scale
from train.projection.bound import BATCH_NORMS, Centred, Chain, Factor, OfMean, Ones, Padded, Whole
from train.projection.compute import ScaledNorm


__all__ = ["Averaged", "Identity", "Projection"]


@dataclass(frozen=True, kw_only=True)
class Identity(Node):
    """A map as it is: a depthwise 1x1 convolution of ones."""

    kind = "identity"


@dataclass(frozen=True, kw_only=True)
class Averaged(Convolve):
    """A linear layer of the mean over a whole map: one of the map, with weights over its positions.

    Parameters
    ----------
    kernel : (int, int)
        Rows and columns of the map.
    """

    kernel: tuple[int, int]

    @classmethod
    def of(cls, pool, node):
        """Linear layer or 1x1 convolution ``node`` behind ``pool``."""
        positions = pool.kernel[0] * pool.kernel[1]
        return cls(
            name=node.name,
            inputs=pool.inputs,
            size=node.size,
            scope=node.scope,
            module=node.module,
            step=node.step and tuple(step / positions for step in node.step),
            kernel=pool.kernel,
        )


@dataclass(frozen=True)
class Projection:
    """Stages from spikes to a potential.

    Parameters
    ----------
    stages : tuple of Convolve, Norm, Scale, Pool or Identity
        The first computes sums of spikes; a second convolution is pointwise.
    size : (int, int, int)
        Channels, height and width of what it reads.
    centre : int
        What is subtracted of every byte, by a channel of this constant; 0 where spikes are read.
    """

    stages: tuple[Node, ...]
    size: tuple[int, int, int]
    centre: int = 0

    @property
    def first(self):
        """The stage that reads spikes."""
        return self.stages[0]

    @property
    def channels(self):
        """Channels of what it computes."""
        return self.stages[-1].size[0]

    @property
    def steps_known(self):
        """Whether its first weights are whole multiples of a step that its maker knew."""
        return not isinstance(self.first, Convolve) or self.first.step is not None

    def bind(self, modules):
        """Convolution and batch norm; the latter is ``None`` if there is none.

        Parameters
        ----------
        modules : nn.Module

        Returns
        -------
        conv : nn.Conv2d, nn.Conv1d or a class of this file
        norm : nn.BatchNorm2d, nn.BatchNorm1d, ScaledNorm or None
        """
        stages = [self._bind(stage, modules) for stage in self.stages]
        if self.centre:
            stages[0] = Centred(stages[0])
        scales = []
        while isinstance(stages[-1], Factor):
            scales.insert(0, stages.pop())
        norm = stages.pop() if isinstance(stages[-1], BATCH_NORMS) else None
        if norm is None:
            stages += scales
        for scale in scales if norm is not None else ():
            norm = ScaledNorm(norm, scale)
        return stages[0] if len(stages) == 1 else Chain(stages), norm

    def _bind(self, stage, modules):
        match stage:
            case Averaged():
                return OfMean(modules.get_submodule(stage.module), stage.kernel)
            case Convolve():
                module = modules.get_submodule(stage.module)
                if isinstance(module, nn.Linear):
                    return Whole(module, self.size)
                return module if stage.pads is None else Padded(module, stage.pads)
            case Norm():
                return modules.get_submodule(stage.module)
            case Scale(factor=str()):
                path, _, name = stage.factor.rpartition(".")
                return Factor(modules.get_submodule(path), name)
            case Scale():
                return Factor(None, float(stage.factor))
            case Pool():
                return Ones(self.size[0], stage.kernel, stage.stride)
            case Identity():
                return Ones(self.size[0], (1, 1), (1, 1))
        raise TypeError(f"{stage.kind} is no stage of a projection")

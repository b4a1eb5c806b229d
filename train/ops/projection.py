"""What a layer computes in front of its neuron, stream or scores: one affine map of spikes.

Stages of the float graph (convolutions, batch norms, scales, means over windows) are bound to their
modules. A bound projection has a convolution and a batch norm behind it, or none.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

from train.graph import Convolve, Node, Norm, Pool, Scale
from train.ops.depthwise import SMALL_MAP, depthwise


__all__ = ["Identity", "Projection", "convolve", "norm_affine", "normalise"]


@dataclass(frozen=True, kw_only=True)
class Identity(Node):
    """A map as it is: a depthwise 1x1 convolution of ones."""

    kind = "identity"


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
            stages[0] = _Centred(stages[0])
        scales = []
        while isinstance(stages[-1], _Factor):
            scales.insert(0, stages.pop())
        norm = stages.pop() if isinstance(stages[-1], _BATCH_NORMS) else None
        if norm is None:
            stages += scales
        for scale in scales if norm is not None else ():
            norm = ScaledNorm(norm, scale)
        return stages[0] if len(stages) == 1 else Chain(stages), norm

    def _bind(self, stage, modules):
        match stage:
            case Convolve():
                module = modules.get_submodule(stage.module)
                if isinstance(module, nn.Linear):
                    return _Whole(module, self.size)
                return module if stage.pads is None else _Padded(module, stage.pads)
            case Norm():
                return modules.get_submodule(stage.module)
            case Scale(factor=str()):
                path, _, name = stage.factor.rpartition(".")
                return _Factor(modules.get_submodule(path), name)
            case Scale():
                return _Factor(None, float(stage.factor))
            case Pool():
                return _Ones(self.size[0], stage.kernel, stage.stride)
            case Identity():
                return _Ones(self.size[0], (1, 1), (1, 1))
        raise TypeError(f"{stage.kind} is no stage of a projection")


_BATCH_NORMS = nn.modules.batchnorm._BatchNorm


class _Plain:
    """A convolution with stride 1 and without padding."""

    stride = (1, 1)
    padding = (0, 0)
    dilation = (1, 1)
    groups = 1
    bias = None


class _Whole(_Plain):
    """A linear layer over the channels of a position, or over a whole map."""

    def __init__(self, linear, size):
        self._linear = linear
        self._size = (1, 1) if linear.in_features == size[0] else size[1:]

    @property
    def weight(self):
        """Shape (out, channels, height, width)."""
        return self._linear.weight.unflatten(1, (-1, *self._size))

    @property
    def bias(self):
        """Shape (out,), or ``None``."""
        return self._linear.bias


class _Padded:
    """A convolution with another padding, which may be uneven."""

    def __init__(self, conv, pads):
        self._conv = conv
        self.padding = pads

    def __getattr__(self, name):
        return getattr(self._conv, name)


class _Ones(_Plain):
    """Mean of every window of a channel."""

    def __init__(self, channels, kernel, stride):
        self.groups = channels
        self.stride = stride
        self._kernel = kernel

    @property
    def weight(self):
        """Shape (channels, 1, height, width)."""
        height, width = self._kernel
        return torch.full(
            (self.groups, 1, height, width), 1 / (height * width), dtype=torch.float64
        )


class _Centred:
    """A convolution of bytes less a constant, which one more channel holds."""

    def __init__(self, conv):
        self._conv = conv

    @property
    def weight(self):
        """Shape (out, channels + 1, height, width)."""
        weight = self._conv.weight
        return torch.cat([weight, -weight.sum(1, keepdim=True)], 1)

    def __getattr__(self, name):
        return getattr(self._conv, name)


class _Factor:
    """Multiplication by a number, or by a parameter that is looked up when it is needed."""

    def __init__(self, module, name):
        self._module = module
        self._name = name

    @property
    def values(self):
        """A tensor of shape (channels,) or (1,), or a number."""
        if self._module is None:
            return self._name
        return getattr(self._module, self._name).flatten()


class ScaledNorm:
    """Batch norm whose result is multiplied by a layer scale, as one batch norm.

    Parameters
    ----------
    norm : nn.BatchNorm1d, nn.BatchNorm2d or ScaledNorm
    scale : object
        With ``values``: a tensor of shape (channels,), or a number.
    """

    def __init__(self, norm, scale):
        self.norm = norm
        self.scale = scale

    @property
    def weight(self):
        """Slope, layer scale included."""
        return self.norm.weight * self.scale.values

    @property
    def bias(self):
        """Offset, layer scale included."""
        return self.norm.bias * self.scale.values

    def __getattr__(self, name):
        return getattr(self.norm, name)


class Chain(_Plain):
    """Stages that are computed one after another and folded into one convolution.

    ``weight`` and ``bias`` are those of the one convolution that all are in evaluation.

    Parameters
    ----------
    stages : list
        Convolutions, batch norms and factors; convolutions behind the first are pointwise.
    """

    def __init__(self, stages):
        self._stages = stages
        first = stages[0]
        self.stride, self.padding, self.dilation = first.stride, first.padding, first.dilation

    def __call__(self, inputs):
        """Output of the last stage, shape (images, channels, height, width)."""
        for stage in self._stages:
            if isinstance(stage, _BATCH_NORMS):
                inputs = normalise(inputs, stage)
            elif isinstance(stage, _Factor):
                inputs = inputs * _across(stage.values)
            else:
                inputs = convolve(inputs, stage, weight=stage.weight, bias=stage.bias)
        return inputs

    @property
    def groups(self):
        """Those of the first stage, if no convolution follows."""
        return self._stages[0].groups if self._convolutions == 1 else 1

    @property
    def _convolutions(self):
        return sum(not isinstance(stage, (_Factor, _BATCH_NORMS)) for stage in self._stages)

    @property
    def weight(self):
        """Folded weights, shape (out, in / groups, height, width)."""
        weight = _four(self._stages[0].weight)
        if self._convolutions > 1:
            weight = _dense(weight, self._stages[0].groups)
        shape = weight.shape[1:]
        weight = weight.flatten(1)
        for stage in self._stages[1:]:
            if isinstance(stage, _BATCH_NORMS):
                weight = weight * _affine(stage)[0][:, None]
            elif isinstance(stage, _Factor):
                weight = weight * _column(stage.values)
            else:
                weight = _dense(_four(stage.weight), stage.groups).flatten(1) @ weight
        return weight.unflatten(1, shape)

    @property
    def bias(self):
        """Folded bias, shape (out,), or ``None``."""
        bias = self._stages[0].bias
        for stage in self._stages[1:]:
            if isinstance(stage, _BATCH_NORMS):
                slope, offset = _affine(stage)
                bias = offset if bias is None else slope * bias + offset
            elif isinstance(stage, _Factor):
                bias = None if bias is None else bias * stage.values
            elif bias is None:
                bias = stage.bias
            else:
                bias = _dense(_four(stage.weight), stage.groups).flatten(1) @ bias
                bias = bias if stage.bias is None else bias + stage.bias
        return bias


def _four(weight):
    """Weights of a 1-D kernel as those of a 2-D one."""
    return weight.unsqueeze(-1) if weight.dim() == 3 else weight


def _dense(weight, groups):
    """Weights of a grouped convolution as those of a dense one."""
    if groups == 1:
        return weight
    outputs, inputs = len(weight) // groups, weight.shape[1]
    dense = weight.new_zeros(groups, outputs, groups, inputs, *weight.shape[2:])
    index = torch.arange(groups)
    dense[index, :, index] = weight.unflatten(0, (groups, outputs))
    return dense.flatten(0, 1).flatten(1, 2)


def _across(values):
    return values[:, None, None] if torch.is_tensor(values) else values


def _column(values):
    return values[:, None] if torch.is_tensor(values) else values


def _affine(norm):
    """Slope and offset of a batch norm in evaluation."""
    slope = norm.weight / (norm.running_var + norm.eps).sqrt()
    return slope, norm.bias - slope * norm.running_mean


def norm_affine(conv, norm):
    """Slope and offset, per channel, of what is behind ``conv`` without its bias.

    Returns
    -------
    slope, offset : tensor, shape (out_channels,)
        ``norm(z + conv.bias) = slope * z + offset``, in evaluation.
    """
    if norm is None:
        slope = conv.weight.new_ones(len(conv.weight))
        return slope, torch.zeros_like(slope) if conv.bias is None else conv.bias
    slope = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    centre = norm.running_mean if conv.bias is None else norm.running_mean - conv.bias
    return slope, norm.bias - slope * centre


def normalise(potential, norm):
    """Batch norm of 2-D maps by a 1-D or 2-D ``norm``, with a layer scale or without."""
    if norm is None:
        return potential
    if isinstance(norm, ScaledNorm):
        return normalise(potential, norm.norm) * _across(norm.scale.values)
    if isinstance(norm, nn.BatchNorm1d):
        return norm(potential.flatten(2)).view_as(potential)
    return norm(potential)


def convolve(inputs, conv, *, weight, bias):
    """Convolution of 2-D maps with the geometry of ``conv``, whose kernel may be 1-D.

    Parameters
    ----------
    inputs : tensor, shape (images, channels, height, width)
    conv : nn.Conv2d, nn.Conv1d or a class of this file
        Gives stride, padding, dilation and groups.
    weight, bias : tensor
        Used in place of those of ``conv``; ``bias`` may be ``None``.

    Returns
    -------
    tensor, shape (images, out_channels, out_height, out_width)
    """
    weight = _four(weight).to(inputs)
    positions = inputs.shape[2] * inputs.shape[3]
    if conv.groups > 1 and bias is None and positions <= SMALL_MAP and _keeps_size(conv, weight):
        return depthwise(inputs, weight)
    pad = conv.padding if len(conv.padding) == 2 else 0
    if len(conv.padding) == 4:
        top, bottom, left, right = conv.padding
        inputs = F.pad(inputs, (left, right, top, bottom))
    stride, dilation = (
        value if len(value) == 2 else value[0] for value in (conv.stride, conv.dilation)
    )
    return F.conv2d(inputs, weight, bias, stride, pad, dilation, conv.groups)


def _keeps_size(conv, weight):
    """Whether a convolution is depthwise, with a square odd kernel around each position."""
    kernel = weight.shape[2]
    return (
        conv.groups == len(weight)
        and weight.shape[1:] == (1, kernel, kernel)
        and kernel % 2 == 1
        and conv.stride == (1, 1)
        and conv.dilation == (1, 1)
        and conv.padding == (kernel // 2, kernel // 2)
    )

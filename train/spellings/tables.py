"""What each of torch's modules, functions and methods means in the float graph."""

import operator

import torch
import torch.nn.functional as F
from torch import nn

from train.nn import SpikeNeuron, attention, masked_sum, pixels
from train.spellings import affine, leaves, neurons, pools, views


__all__ = ["FUNCTIONS", "METHODS", "MODULES"]


#: What tables below have no entry for is refused; these have a remedy of their own.
_SPIKE = "put addend.nn.SpikeNeuron in its place"
_ATTEND = "use addend.nn.attention, which needs no softmax"


def _refuse(kind, reason, remedy):
    def handler(follower, node, module=None):
        follower.refuse(node, kind, reason, remedy)

    return handler


_NORM = _refuse("LayerNorm", "divides by what it measures of each image", "train with BatchNorm2d")
_SOFTMAX = _refuse("softmax", "exponentiates and divides", _ATTEND)
_SMOOTH = _refuse("activation", "hands on real numbers", _SPIKE)
_MATMUL = _refuse("matmul", "multiplies maps, and spikes only add", _ATTEND)
_CAT = _refuse("concatenate", "has no place in the float graph yet", "add maps instead")

MODULES = {
    nn.Conv2d: affine.convolve,
    nn.Conv1d: affine.convolve,
    nn.Linear: affine.linear,
    nn.BatchNorm2d: affine.norm,
    nn.BatchNorm1d: affine.norm,
    SpikeNeuron: neurons.neuron,
    nn.Identity: views.same,
    nn.Dropout: views.same,
    nn.Dropout1d: views.same,
    nn.Dropout2d: views.same,
    nn.Flatten: views.view,
    nn.Unflatten: views.view,
    nn.ReLU: neurons.relu,
    nn.ReLU6: neurons.relu6,
    nn.Hardtanh: neurons.hardtanh,
    nn.MaxPool2d: pools.largest,
    nn.AvgPool2d: pools.average,
    nn.AdaptiveAvgPool2d: pools.adaptive,
    nn.LayerNorm: _NORM,
    nn.GroupNorm: _NORM,
    nn.InstanceNorm2d: _NORM,
    nn.Softmax: _SOFTMAX,
    nn.MultiheadAttention: _SOFTMAX,
    **dict.fromkeys((nn.GELU, nn.SiLU, nn.Sigmoid, nn.Tanh, nn.LeakyReLU, nn.ELU), _SMOOTH),
}

FUNCTIONS = {
    attention: leaves.attend,
    masked_sum: leaves.gate,
    pixels: leaves.pixels,
    **dict.fromkeys((operator.add, operator.iadd, torch.add), affine.add),
    **dict.fromkeys((operator.sub, operator.isub, torch.sub), affine.subtract),
    **dict.fromkeys((operator.mul, operator.imul, torch.mul), affine.multiply),
    **dict.fromkeys((operator.truediv, operator.itruediv, torch.div), affine.divide),
    **dict.fromkeys((torch.flatten, torch.reshape, torch.squeeze, torch.unsqueeze), views.view),
    operator.getitem: views.item,
    torch.permute: views.permute,
    torch.transpose: views.transpose,
    torch.mean: pools.mean,
    torch.round: neurons.rounding("round"),
    torch.floor: neurons.rounding("floor"),
    torch.ceil: neurons.rounding("ceil"),
    **dict.fromkeys((torch.clamp, torch.clip), neurons.clamp),
    **dict.fromkeys((torch.relu, F.relu), neurons.relu),
    F.hardtanh: neurons.hardtanh,
    F.relu6: neurons.relu6,
    **dict.fromkeys((F.max_pool2d, torch.max_pool2d), pools.largest),
    F.avg_pool2d: pools.average,
    F.adaptive_avg_pool2d: pools.adaptive,
    F.dropout: views.same,
    **dict.fromkeys((F.layer_norm, F.group_norm), _NORM),
    **dict.fromkeys((torch.softmax, F.softmax), _SOFTMAX),
    F.scaled_dot_product_attention: _SOFTMAX,
    **dict.fromkeys((F.gelu, F.silu, torch.sigmoid, torch.tanh, F.leaky_relu, F.elu), _SMOOTH),
    **dict.fromkeys((torch.matmul, operator.matmul, torch.bmm, torch.einsum), _MATMUL),
    **dict.fromkeys((torch.cat, torch.concat, torch.stack), _CAT),
}

METHODS = {
    "add": affine.add,
    "add_": affine.add,
    "sub": affine.subtract,
    "sub_": affine.subtract,
    "mul": affine.multiply,
    "mul_": affine.multiply,
    "div": affine.divide,
    "div_": affine.divide,
    **dict.fromkeys(
        (
            "view",
            "reshape",
            "flatten",
            "unflatten",
            "view_as",
            "reshape_as",
            "squeeze",
            "unsqueeze",
        ),
        views.view,
    ),
    "permute": views.permute,
    "transpose": views.transpose,
    "mean": pools.mean,
    "round": neurons.rounding("round"),
    "floor": neurons.rounding("floor"),
    "ceil": neurons.rounding("ceil"),
    **dict.fromkeys(("clamp", "clamp_", "clip"), neurons.clamp),
    **dict.fromkeys(("relu", "relu_"), neurons.relu),
    **dict.fromkeys(("detach", "contiguous", "clone", "float", "double", "to"), views.same),
    "softmax": _SOFTMAX,
    "sigmoid": _SMOOTH,
    "matmul": _MATMUL,
}

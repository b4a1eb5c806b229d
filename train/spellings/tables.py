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


def _refuse(reason, remedy):
    def handler(follower, node, module=None):
        follower.refuse(node, follower.kind(node), reason, remedy)

    return handler


_NORM = _refuse("divides by what it measures of each image", "train with BatchNorm2d")
_SOFTMAX = _refuse("exponentiates and divides", _ATTEND)
_SCORES = _refuse("exponentiates and divides", "leave it out behind the class scores")
_SMOOTH = _refuse("hands on real numbers", _SPIKE)
_COMPARE = _refuse("compares real numbers", _SPIKE)
_MATMUL = _refuse("multiplies maps, and spikes only add", _ATTEND)
_CAT = _refuse("has no place in the float graph yet", "add maps instead")
_PARTS = _refuse("cuts a map in parts", "compute each part by a layer of its own")
_FORM = _refuse("has no place in the float graph yet", "let the map keep its size, or shrink it")
_TIME = _refuse("carries a state from step to step", "use convolutions, or attention of addend.nn")
_PART = _refuse("changes a tensor in part", "let it return a new one")
_MODULE = _refuse("has parameters that are no module's", "use the module, such as Conv2d or Linear")
_PAD = _refuse("pads by itself", "give the padding to the convolution behind it")
_POOL = _refuse("is over all positions", "use MaxPool2d, or a mean over all positions")

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
    nn.LocalResponseNorm: _NORM,
    nn.RMSNorm: _NORM,
    nn.LogSoftmax: _SCORES,
    **dict.fromkeys(
        (
            nn.Softmax,
            nn.MultiheadAttention,
            nn.Transformer,
            nn.TransformerDecoder,
            nn.TransformerDecoderLayer,
            nn.TransformerEncoder,
            nn.TransformerEncoderLayer,
        ),
        _SOFTMAX,
    ),
    **dict.fromkeys(
        (
            nn.CELU,
            nn.ELU,
            nn.GELU,
            nn.GLU,
            nn.Hardsigmoid,
            nn.Hardswish,
            nn.LeakyReLU,
            nn.LogSigmoid,
            nn.Mish,
            nn.PReLU,
            nn.RReLU,
            nn.SELU,
            nn.SiLU,
            nn.Sigmoid,
            nn.Softplus,
            nn.Softsign,
            nn.Tanh,
        ),
        _SMOOTH,
    ),
    **dict.fromkeys((nn.GRU, nn.GRUCell, nn.LSTM, nn.LSTMCell, nn.RNN, nn.RNNCell), _TIME),
    nn.ZeroPad2d: _PAD,
    nn.ConstantPad2d: _PAD,
    nn.AdaptiveMaxPool2d: _POOL,
    **dict.fromkeys(
        (nn.Upsample, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.PixelShuffle, nn.Unfold), _FORM
    ),
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
    operator.setitem: _PART,
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
    F.dropout: views.dropout,
    **dict.fromkeys((F.layer_norm, F.group_norm, F.instance_norm, F.normalize), _NORM),
    **dict.fromkeys((torch.softmax, F.softmax, F.scaled_dot_product_attention), _SOFTMAX),
    **dict.fromkeys((torch.log_softmax, F.log_softmax, torch.argmax), _SCORES),
    **dict.fromkeys(
        (
            F.elu,
            F.gelu,
            F.hardsigmoid,
            F.hardswish,
            F.leaky_relu,
            F.mish,
            F.prelu,
            F.sigmoid,
            F.silu,
            F.softplus,
            F.tanh,
            torch.exp,
            torch.sigmoid,
            torch.tanh,
        ),
        _SMOOTH,
    ),
    **dict.fromkeys(
        (
            operator.ge,
            operator.gt,
            operator.le,
            operator.lt,
            torch.heaviside,
            torch.maximum,
            torch.minimum,
            torch.sign,
            torch.where,
        ),
        _COMPARE,
    ),
    **dict.fromkeys((F.conv2d, torch.conv2d, F.linear, F.batch_norm), _MODULE),
    **dict.fromkeys((F.interpolate, F.conv_transpose2d, F.unfold, F.pixel_shuffle), _FORM),
    **dict.fromkeys((torch.sum, torch.amax, torch.max), _POOL),
    F.pad: _PAD,
    **dict.fromkeys((torch.matmul, operator.matmul, torch.bmm, torch.einsum), _MATMUL),
    **dict.fromkeys((torch.chunk, torch.split, torch.unbind), _PARTS),
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
    **dict.fromkeys(("round", "round_"), neurons.rounding("round")),
    **dict.fromkeys(("floor", "floor_"), neurons.rounding("floor")),
    **dict.fromkeys(("ceil", "ceil_"), neurons.rounding("ceil")),
    **dict.fromkeys(("clamp", "clamp_", "clip", "clip_"), neurons.clamp),
    **dict.fromkeys(("ge", "gt", "le", "lt", "sign", "where"), _COMPARE),
    **dict.fromkeys(("sum", "amax", "max"), _POOL),
    **dict.fromkeys(("chunk", "split", "unbind"), _PARTS),
    **dict.fromkeys(("log_softmax", "argmax"), _SCORES),
    **dict.fromkeys(("relu", "relu_"), neurons.relu),
    **dict.fromkeys(("detach", "contiguous", "clone", "float", "double", "to"), views.same),
    "softmax": _SOFTMAX,
    **dict.fromkeys(("exp", "sigmoid", "tanh"), _SMOOTH),
    **dict.fromkeys(("matmul", "bmm"), _MATMUL),
}

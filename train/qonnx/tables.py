"""What each kind of node means in the float graph."""

from train.qonnx import affine, neurons, pools, views
from train.qonnx.unfit import Unfit


__all__ = ["KINDS", "refusal"]


KINDS = {
    "Add": affine.add,
    "AveragePool": pools.average,
    "BatchNormalization": affine.batch_norm,
    "Cast": views.cast,
    "Conv": affine.convolve,
    "Div": affine.divide,
    "Dropout": views.same,
    "Flatten": views.flatten,
    "Gemm": affine.gemm,
    "GlobalAveragePool": pools.global_average,
    "Identity": views.same,
    "IntQuant": neurons.quant,
    "MatMul": affine.matmul,
    "MaxPool": pools.largest,
    "Mul": affine.multiply,
    "MultiThreshold": neurons.multi_threshold,
    "Quant": neurons.quant,
    "ReduceMean": pools.reduce_mean,
    "Relu": neurons.relu,
    "Reshape": views.reshape,
    "Shape": views.shape_of,
    "Squeeze": views.squeeze,
    "Sub": affine.subtract,
    "Transpose": views.transpose,
    "Unsqueeze": views.unsqueeze,
}

_SMOOTH = Unfit("hands on real numbers", "use a ReLU with an unsigned quantiser in its place")
_NORM = Unfit("divides by what it measures of each picture", "train with batch norms")
_QCDQ = Unfit(
    "belongs to ONNX's own form of quantised networks", "export QONNX, which has Quant nodes"
)
_SOFTMAX = Unfit("exponentiates and divides", "leave it out behind the logits")

#: Reason and remedy of kinds that have ones of their own.
_REFUSED = {
    "BipolarQuant": Unfit(
        "hands on -1 and 1, and spikes are none or some",
        "quantise weights to 2 bits and activations without sign",
    ),
    "Concat": Unfit("has no place in the float graph yet", "add maps instead"),
    "FloatQuant": Unfit("quantises to floats", "quantise to integers"),
    "Softmax": _SOFTMAX,
    "LogSoftmax": _SOFTMAX,
    "LayerNormalization": _NORM,
    "InstanceNormalization": _NORM,
    "GroupNormalization": _NORM,
    "Trunc": Unfit("cuts bits off a mean", "leave the mean as it is, or put a quantiser behind it"),
    **dict.fromkeys(("Clip", "DequantizeLinear", "QuantizeLinear", "QLinearConv"), _QCDQ),
    **dict.fromkeys(
        (
            "Elu",
            "Erf",
            "Gelu",
            "HardSigmoid",
            "HardSwish",
            "LeakyRelu",
            "Mish",
            "PRelu",
            "Sigmoid",
            "Tanh",
        ),
        _SMOOTH,
    ),
}


def refusal(kind):
    """Why nodes of a kind have no meaning."""
    return _REFUSED.get(
        kind,
        Unfit(
            "is nothing that spikes can compute",
            "take it out or put a quantiser or a batch norm in its place",
        ),
    )

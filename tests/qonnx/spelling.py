"""The many ways in which exporters write one network."""

from dataclasses import dataclass
from fractions import Fraction


__all__ = ["PIXELS", "Spelling"]


#: What brings pictures in, and how the graph is given a byte: as ``(byte - zero) * step``, here
#: pairs of step and zero.
PIXELS = {
    "none": (Fraction(1, 256), 0),          # the network begins with a convolution
    "quant": (Fraction(1, 256), 0),         # Quant(2^-8, 8 bits)
    "quant255": (Fraction(1, 255), 0),      # Quant(1/255, 8 bits): no power of two
    "mul": (Fraction(1), 0),                # Mul by 2^-8
    "div": (Fraction(1), 0),                # Div by 256
    "signed": (Fraction(1, 256), 128),      # a signed Quant(2^-8, 8 bits)
    "shifted": (Fraction(1, 256), 0),       # Add of -1/2, and then the same
    "zero_point": (Fraction(1, 256), 0),    # a signed Quant whose zero point is -128
}  # fmt: skip


@dataclass(frozen=True)
class Spelling:
    """How a network is written.

    Parameters
    ----------
    pixels : str
        One of `PIXELS`.
    activation : str
        ``"Quant"``, ``"IntQuant"`` or ``"MultiThreshold"``, which has half as many thresholds
        twice where ``narrow`` is set.
    relu : bool
        Whether a ``Relu`` is before each activation.
    bits : int
        Of unsigned activations.
    narrow : bool
        Whether activations end one below the largest count.
    rounding : str
        Rule of activations, in any case; empty leaves the attribute out.
    zero : int
        Zero point of activations.
    signed_add : bool
        Whether the first sum has a signed quantiser, which no reader takes.
    weight_bits : int
        Of weights, rounded half to even from floats.
    narrow_weights : bool
        Whether weights are symmetric.
    scales : str
        Of weights: ``"scalar"`` (shape ``[]``), ``"one"`` (``[1]``) or ``"channel"``.
    norm : str
        ``"dyadic"``: slopes are powers of two, which they always are before a sum; ``"any"``; or
        ``"none"``, with a bias in convolutions.
    bias : str
        ``"float"`` or ``"quant"``, in convolutions without a norm and in the head.
    auto_pad : bool
        Whether padding is ``SAME_UPPER`` rather than given.
    depthwise : bool
        Whether the strided block begins with a depthwise convolution.
    max_pool : bool
        Whether there is a ``MaxPool`` before the last block.
    mean : str
        ``"GlobalAveragePool"``, ``"AveragePool"``, ``"ReduceMean"``, ``"ReduceMean-13"`` (axes as
        an attribute, as until version 17) or ``"none"``.
    flatten : str
        ``"Flatten"``, ``"Reshape"`` or ``"Reshape-minus"``, to ``[1, -1]``.
    head : str
        ``"Gemm"`` (``transB``), ``"MatMul"`` (of the transposed weight, the bias added) or
        ``"MatMul-plain"`` (of a weight that is stored so).
    constants : str
        ``"initializers"``, ``"listed"`` or ``"nodes"``, see ``Graph``.
    batch : int or str
        Size of the first axis; a word stands for a free one.
    """

    pixels: str = "quant"
    activation: str = "Quant"
    relu: bool = True
    bits: int = 4
    narrow: bool = False
    rounding: str = "ROUND"
    zero: int = 0
    signed_add: bool = False
    weight_bits: int = 4
    narrow_weights: bool = True
    scales: str = "scalar"
    norm: str = "dyadic"
    bias: str = "float"
    auto_pad: bool = False
    depthwise: bool = False
    max_pool: bool = False
    mean: str = "GlobalAveragePool"
    flatten: str = "Flatten"
    head: str = "Gemm"
    constants: str = "initializers"
    batch: int | str = 1

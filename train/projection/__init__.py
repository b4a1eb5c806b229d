"""What a layer computes in front of its neuron, stream or scores: one affine map of spikes."""

from train.projection.bound import Chain
from train.projection.compute import ScaledNorm, convolve, norm_affine, normalise
from train.projection.geometry import axes, fan_out
from train.projection.projection import Averaged, Identity, Projection


__all__ = [
    "Averaged",
    "Chain",
    "Identity",
    "Projection",
    "ScaledNorm",
    "axes",
    "convolve",
    "fan_out",
    "norm_affine",
    "normalise",
]

"""Layers between float graph and integer model: one file per kind, one method per interpreter."""

from train.ops.analog_head import AnalogHead
from train.ops.attention import Attention
from train.ops.branch import Branch
from train.ops.head import Head
from train.ops.layer import Layer
from train.ops.mask import Mask
from train.ops.max_pool import MaxPool
from train.ops.token_sum import TokenSum
from train.ops.write import Write


__all__ = [
    "AnalogHead",
    "Attention",
    "Branch",
    "Head",
    "Layer",
    "Mask",
    "MaxPool",
    "TokenSum",
    "Write",
]

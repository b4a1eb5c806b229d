"""Parts of a user's own network: ordinary torch, which `train.trace` follows into hardware.

>>> import torch
>>> from addend import nn
>>> neuron = nn.SpikeNeuron(max_count=4)
>>> neuron(torch.tensor([-1.0, 0.3, 1.0, 9.0]))
tensor([0.0000, 0.0000, 0.2500, 1.0000])
"""

from train.nn.attention import attention, masked_sum
from train.nn.neuron import SpikeNeuron, spike_count
from train.nn.pixels import pixels


__all__ = ["SpikeNeuron", "attention", "masked_sum", "pixels", "spike_count"]

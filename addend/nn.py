"""Parts of a user's own network, as `train.nn` has them.

>>> from addend import nn
>>> nn.SpikeNeuron(max_count=4)
SpikeNeuron(max_count=4, rounding=half-up, divisor=4)
"""

from train.nn import SpikeNeuron, attention, masked_sum, pixels, spike_count


__all__ = ["SpikeNeuron", "attention", "masked_sum", "pixels", "spike_count"]

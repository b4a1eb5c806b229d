"""The rule of integer weights."""

import numpy as np

from golden.errors import ModelError


__all__ = ["check_weights"]


def check_weights(layer):
    """Raises ModelError unless a layer's weights are int8 and fit their width."""
    if layer.weight.dtype != np.int8:
        raise ModelError(f"Layer {layer.name}: weights must be int8, not {layer.weight.dtype}")
    if not 2 <= layer.weight_bits <= 8:
        raise ModelError(f"Layer {layer.name}: weight width must be 2 to 8 bits, "
                         f"not {layer.weight_bits!r}")
    limit = 2 ** (layer.weight_bits - 1) - 1
    wrong = layer.weight[np.abs(layer.weight.astype(np.int64)) > limit]
    if wrong.size:
        raise ModelError(f"Layer {layer.name}: weights of {layer.weight_bits} bits must be "
                         f"-{limit} to {limit}, not {wrong[0]}")

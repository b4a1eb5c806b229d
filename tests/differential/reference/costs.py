"""What a run costs: what each input counts for, times the products that it is part of."""

import numpy as np

from .axis import convolve


__all__ = ["operations", "skipped", "spikes"]


#: Most bits of a pixel or count.
BITS = 9


def spikes(tensors, code, max_count):
    """Function from the name of a tensor to the additions that each of its counts stands for."""

    def cost(name):
        bits = sum(tensors[name] >> bit & 1 for bit in range(BITS))
        if name == "pixels" or code == "bit-serial":
            return bits
        if code == "thermometer":
            return tensors[name]
        # 2-bit-serial adds the double twice for a 4 if it takes all planes of D = 4 at once.
        return bits + (tensors[name] == 4) if max_count == 4 else bits

    return cost


def skipped(tensors):
    """Function from the name of a tensor to 1 where it is not 0."""
    return lambda name: (tensors[name] != 0).astype(np.int64)


def operations(reference, tensors, cost):
    """Sums of what each input costs, by layer; (images,) each."""
    return {
        layer["name"]: _operations(reference, layer, tensors, cost) for layer in reference.layers
    }


def _operations(reference, layer, tensors, cost):
    match layer["kind"]:
        case "conv":
            ones = np.ones(reference.file[layer["weight"]].shape, np.int64)
            return convolve(layer, reference.joined(layer, cost), ones).sum(axis=(1, 2, 3, 4))
        case "key_value":
            gate, width = layer["keys"], tensors[layer["values"]].shape[2] // layer["heads"]
        case "query":
            gate, width = layer["queries"], tensors[layer["memory"]].shape[4]
        case "mask":
            gate, width = layer["gate"], tensors[layer["values"]].shape[2] // layer["heads"]
        case _:
            return np.zeros(len(tensors["pixels"]), np.int64)
    return cost(gate).sum(axis=(1, 2, 3, 4)) * width

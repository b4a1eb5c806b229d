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
        if code == "split":
            return _split(max_count)[tensors[name]]
        # 2-bit-serial adds the double twice for a 4 if it takes all planes of D = 4 at once.
        return bits + (tensors[name] == 4) if max_count == 4 else bits

    return cost


def _split(max_count):
    """Additions of the counts 0 to D in the split code, found by trying all selections of planes.

    The planes double in weight as long as they sum up to D or less; more planes, the larger ones
    first, fill what is missing. More than four are not allowed, and binary digits stand in then.
    """
    weights = [1]
    while sum(weights) + 2 * weights[-1] <= max_count:
        weights.append(2 * weights[-1])
    for weight in reversed(list(weights)):
        while sum(weights) + weight <= max_count:
            weights.append(weight)
    if len(weights) > 4:
        return np.bitwise_count(np.arange(max_count + 1)).astype(np.int64)
    fewest = {0: 0}
    for weight in weights:
        more = {total + weight: number + 1 for total, number in fewest.items()}
        fewest |= {total: min(number, fewest.get(total, 99)) for total, number in more.items()}
    return np.array([fewest[count] for count in range(max_count + 1)])


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

"""Float32 inference of the network that an integer model came from: its speed, not its weights."""

import statistics
import time

import numpy as np
import torch

from train.families.configuration import NetworkConfig
from train.network.build import build
from train.network.images import to_maps


__all__ = ["network_of", "time_inference"]


def network_of(model):
    """Configuration of the network that an integer model has the shape of.

    Parameters
    ----------
    model : IntegerModel

    Returns
    -------
    NetworkConfig

    Raises
    ------
    ValueError
        If the model is no spike-driven transformer with the names of our exports.
    """
    convs = {layer.name: layer for layer in model.layers if layer.KIND == "conv"}
    memories = [layer for layer in model.layers if layer.KIND == "key_value"]
    base = "downsample4" in convs
    downs = [f"downsample{stage}" for stage in ("1_1", "1_2", "2", "3", "4")[: 5 if base else 4]]
    stages = ["block3", "block4"] if base else ["block3"]
    try:
        dims = tuple(len(convs[name].weight) for name in downs[1:])
        return NetworkConfig(
            family="base" if base else "large",
            image=model.image_shape,
            classes=model.classes,
            dims=dims,
            heads=memories[0].heads,
            strides=tuple(convs[name].axes[0].stride for name in downs),
            depths=tuple(
                sum(name.startswith(f"{stage}.") and name.endswith(".mlp.fc1") for name in convs)
                for stage in stages
            ),
            stem_kernel=convs[downs[0]].weight.shape[2],
            max_count=model.max_count,
            ratio=len(convs["block3.0.mlp.fc1"].weight) // dims[2],
            pixel_constant=model.pixel_constant,
        )
    except (KeyError, IndexError) as error:
        raise ValueError(
            f"{model.name} must be a spike-driven transformer with layers named as in our exports"
        ) from error


@torch.no_grad()
def time_inference(shape, count, *, rounds):
    """Seconds per image of a network in evaluation mode, one image at a time, median of rounds.

    Parameters
    ----------
    shape : NetworkConfig
    count : int
        Images of noise: what they show does not change the time.
    rounds : int

    Returns
    -------
    float
    """
    network = build(shape).eval()
    images = np.random.default_rng(0).integers(0, 256, (count, *shape.image), np.uint8)
    maps = to_maps(images)
    network(maps[:1])
    seconds = []
    for _ in range(rounds):
        began = time.perf_counter()
        for index in range(len(maps)):
            network(maps[index : index + 1])
        seconds.append((time.perf_counter() - began) / len(maps))
    return statistics.median(seconds)

"""Small networks and runs that the tests of training share."""

import json
import math

import numpy as np
import torch

from golden.neuron import Rounding
from train.families.e_spikeformer import ESpikeFormer
from train.interpret.find import find_grids
from train.interpret.float_run import FloatRun
from train.network.build import build, layered
from train.network.images import to_maps
from train.network.quantised import QuantisedNetwork
from train.run.config import (
    Config,
    DataConfig,
    FitConfig,
    NetworkConfig,
    QuantiseConfig,
    to_builtins,
)
from train.run.fit import Silent


torch.set_num_threads(1)


class Stopping(Silent):
    """Progress that ends a run behind some of its epochs, as Ctrl-C would."""

    def __init__(self, done):
        self._done = done

    def epoch(self, phase, done, total, loss):
        if done == self._done:
            raise KeyboardInterrupt


def network_config(**changes):
    """The smallest network that has every block, a stride and heads of an irrational scale."""
    fields = {
        "image": (8, 8, 1),
        "classes": 10,
        "dims": (4, 4, 6, 6),
        "depths": (1, 1),
        "heads": 2,
        "strides": (1, 2, 1, 1, 1),
        "stem_kernel": 3,
        "max_count": 4,
        "rounding": Rounding.HALF_UP,
    }
    return NetworkConfig(**(fields | changes))


def run_config(*, bits=8, data=None, **changes):
    """A run of a few seconds on the real digits; changes of the schedule and of the network."""
    schedule = {
        "float_epochs": 1,
        "quantised_epochs": 3,
        "frozen_epochs": 1,
        "batch": 128,
        "float_rate": 5e-3,
        "quantised_rate": 2e-3,
        "spike_penalty": 0.01,
    }
    fields = FitConfig.__struct_fields__
    schedule |= {name: value for name, value in changes.items() if name in fields}
    network = {name: value for name, value in changes.items() if name not in fields}
    return Config(
        name="tiny",
        data=DataConfig(**({"name": "digits", "shift": 1.0, "rotation": 10.0} | (data or {}))),
        network=network_config(**network),
        quantise=QuantiseConfig(weight_bits=bits),
        fit=FitConfig(**schedule),
    )


def to_toml(config):
    """A configuration as the text of its file."""
    values = to_builtins(config)
    lines = [f"name = {json.dumps(values.pop('name'))}"]
    for table, fields in values.items():
        # TOML has no null; what is not given is not written.
        given = {key: value for key, value in fields.items() if value is not None}
        lines += [f"[{table}]", *(f"{key} = {json.dumps(value)}" for key, value in given.items())]
    return "\n".join(lines) + "\n"


def random_images(number, shape=(8, 8, 1), seed=0):
    """Pixels 0..255, shape (number, height, width, channels)."""
    return np.random.default_rng(seed).integers(0, 256, (number, *shape), dtype=np.uint8)


def random_network(seed, **changes):
    """A network whose batch norms have slopes of both signs and statistics of random images."""
    torch.manual_seed(seed)
    shape = network_config(**changes)
    network = build(shape)
    for module in network.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            torch.nn.init.normal_(module.weight)
            torch.nn.init.normal_(module.bias, std=0.5)
    images = to_maps(random_images(16, shape.image))
    with torch.no_grad():
        for _ in range(20):
            network(images)
    return network.eval()


def random_quantised(seed, *, bits=8, exported=None, **changes):
    """A random network in integer evaluation, with the head that is exported."""
    network = random_network(seed, **changes)
    grids = find_grids(layered(network), QuantiseConfig(weight_bits=bits))
    return QuantisedNetwork.of(network, grids, weight_bits=bits, head=exported)


def make_dyadic(network, generator):
    """Parameters for which float64 computes every potential exactly, in any order of additions."""
    for name, values in network.state_dict().items():
        if name.endswith("running_mean"):
            values.zero_()
        elif name.endswith("running_var"):
            # Variance plus eps is one.
            values.fill_(1.0)
        elif name.endswith("num_batches_tracked"):
            continue
        elif values.dim() > 1:
            fan_in = values[0].numel()
            drawn = torch.randn(values.shape, generator=generator, dtype=torch.float64)
            values.copy_((drawn * 5 / math.sqrt(fan_in) * 32).round().clamp(-127, 127) / 32)
        elif name.endswith("weight"):
            values.fill_(1.0)
        else:
            drawn = torch.randn(values.shape, generator=generator, dtype=torch.float64)
            values.copy_((drawn * 0.3 * 32).round() / 32)
    for module in network.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            module.eps = 0.0


def dyadic_quantised(seed, **changes):
    """A network that 8-bit weights hold without any loss, and in which ties are common."""
    network = ESpikeFormer(network_config(**changes)).double().eval()
    make_dyadic(network, torch.Generator().manual_seed(seed))
    grids = find_grids(layered(network), QuantiseConfig(weight_bits=8))
    return QuantisedNetwork.of(network, grids, weight_bits=8)


def float_spikes(layers, images):
    """Class scores of the float network, and the spikes of every neuron in order of firing.

    Parameters
    ----------
    layers : SpikingNetwork
    images : tensor, shape (images, channels, height, width)
    """
    spikes = []

    class Tensors(dict):
        def __setitem__(self, name, values):
            super().__setitem__(name, values)
            if name.endswith(".counts"):
                spikes.append(values)

    class Watching(FloatRun):
        def begin(self, network, images):
            super().begin(network, images)
            self.tensors = Tensors(self.tensors)

    with torch.no_grad():
        scores = layers(images, Watching())
    return scores, spikes


def units(layers):
    """What a count of every neuron stands for, in order of firing."""
    return [layer.firing.unit for layer in layers.layers if layer.fires]

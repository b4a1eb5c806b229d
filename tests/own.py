"""A user's own networks: the fixture, and how one is compared with its integer model."""

from pathlib import Path

import numpy as np
import torch

import golden
from tests.training import make_dyadic, random_images
from train.export.convert import lowered
from train.families.own import load_own
from train.interpret.float_run import FloatRun
from train.network.images import to_maps
from train.nn import SpikeNeuron
from train.normalise import normalise
from train.trace import trace


__all__ = ["IMAGE", "MYNET", "RECIPE", "dyadic", "mynet", "require_exact", "run_float"]


MYNET = Path(__file__).parent / "data" / "mynet.py"
RECIPE = MYNET.with_suffix(".toml")
IMAGE = 8, 8, 1


def mynet(**keywords):
    """The network of the fixture, with fresh parameters."""
    return load_own(f"{MYNET}:build", keywords)


def dyadic(network, seed=0):
    """The network in float64 with parameters for which every potential is exact."""
    network = network.double().eval()
    make_dyadic(network, torch.Generator().manual_seed(seed))
    return network


def run_float(layers, images):
    """Class scores of layers in floating point, and every tensor by name."""
    found = {}

    class Tensors(dict):
        def __setitem__(self, name, values):
            super().__setitem__(name, values)
            found[name] = values

    class Watching(FloatRun):
        def begin(self, network, images):
            super().begin(network, images)
            self.tensors = Tensors(self.tensors)

    with torch.no_grad():
        return layers(images, Watching()), found


def _neurons(network, images):
    """What the network itself returns, and the counts of its neurons as they were called."""
    counts = []

    def keep(neuron, _, spikes):
        counts.append((spikes * neuron.divisor).numpy())

    hooks = [
        module.register_forward_hook(keep)
        for module in network.modules()
        if isinstance(module, SpikeNeuron)
    ]
    with torch.no_grad():
        scores = network(images)
    for hook in hooks:
        hook.remove()
    return scores, counts


def require_exact(network, image=IMAGE, *, merge=False, images=None, scale=None):
    """Demand that golden computes every count and every logit of a dyadic network.

    Returns
    -------
    IntegerModel
    """
    images = random_images(12, image) if images is None else images
    maps = to_maps(images).double()
    layers = normalise(trace(network, image, scale=scale), merge=merge)
    scores, neurons = _neurons(network, maps)
    computed, tensors = run_float(layers, maps)
    assert torch.equal(computed, scores)
    model, _ = lowered(layers, name="t")
    result = golden.run(model, images, trace=True)
    assert (result.logits * model.head.epilogue.scale == scores.numpy()).all()
    assert len(np.unique(result.logits)) > 10
    counts = {name: v for name, v in result.tensors.items() if name.endswith(".counts")}
    # A whole number of units each: what spikes stand for is that of the layer, or of its source.
    units = {}
    for layer in layers.layers:
        if layer.counts in counts:
            units[layer.counts] = layer.firing.unit if layer.fires else units[layer.source]
    assert units.keys() == counts.keys()
    for name, values in counts.items():
        assert (values * float(units[name]) == tensors[name].numpy()).all(), name
    for called in neurons:
        assert called.any()
        assert any(
            called.size == found.size and (called.ravel() == found.ravel()).all()
            for found in counts.values()
        )
    assert neurons
    return model

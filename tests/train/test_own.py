"""A user's own network: its layers and its integer model compute what it does."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import golden
from addend import nn as spikes
from tests.own import IMAGE, dyadic, mynet, require_exact, run_float
from tests.training import random_images
from train.network.images import to_maps
from train.normalise import NormaliseError, normalise
from train.trace import trace


class Net(nn.Module):
    """Spikes of a convolution, what a test does to them, and a classifier."""

    def __init__(self, function, **modules):
        super().__init__()
        self.neuron = spikes.SpikeNeuron(max_count=4)
        self.conv = nn.Conv2d(1, 4, 3, padding=1)
        self.function = function
        for name, module in modules.items():
            setattr(self, name, module)
        self.head = nn.Linear(function(self, torch.zeros(1, 4, 8, 8)).numel(), 10)

    def forward(self, images):
        x = self.function(self, self.neuron(self.conv(spikes.pixels(images))))
        return self.head(x.flatten(1))


def conv(*arguments, **options):
    return nn.Conv2d(*(arguments or (4, 4, 3)), **({"padding": 1} | options))


def test_layers_compute_the_float_network():
    torch.manual_seed(0)
    network = mynet().double()
    images = to_maps(random_images(8)).double()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight)
            nn.init.uniform_(module.bias, 0, 2)
    with torch.no_grad():
        for _ in range(10):
            network(images)
    network.eval()
    scores, tensors = run_float(normalise(trace(network, IMAGE)), images)
    with torch.no_grad():
        assert torch.equal(scores, network(images))
    assert len(scores.unique()) > 10
    assert {"block1.conv1.counts", "down.counts", "block2.stream", "fc.sum.counts"} <= set(tensors)


@pytest.mark.parametrize("seed", range(3))
def test_golden_computes_the_dyadic_network(seed):
    model = require_exact(dyadic(mynet(width=4), seed))
    assert len(model.layers) == 8
    golden.validate(model)


def merged_network(generator=None, norm=None):
    """A depthwise and a pointwise convolution without a neuron between them."""
    network = Net(
        lambda net, x: net.neuron(net.pw(net.norm(net.dw(x)))),
        dw=conv(4, 4, 5, padding=2, groups=4),
        pw=nn.Conv2d(4, 3, 1),
        norm=norm or nn.Identity(),
    )
    network = dyadic(network)
    for module, most in ((network.dw, 2), (network.pw, 3)):
        drawn = torch.randint(-most, most + 1, module.weight.shape, generator=generator)
        module.weight.data.copy_(drawn / 2)
    return network


def test_a_pointwise_convolution_of_real_numbers_is_refused_with_what_merging_costs():
    with pytest.raises(NormaliseError) as caught:
        normalise(trace(merged_network(), IMAGE))
    assert str(caught.value) == (
        "pw (convolution) reads real numbers: insert a neuron between dw and pw, or pass --merge: "
        "300 weights"
    )


def test_a_merged_pair_is_the_float_network_and_has_as_many_weights():
    model = require_exact(merged_network(torch.Generator().manual_seed(0)), merge=True)
    (layer,) = (layer for layer in model.layers if layer.weight.shape[2:] == (5, 5))
    assert layer.weight.size == 300


def test_a_batch_norm_between_merged_convolutions_is_folded():
    network = merged_network(torch.Generator().manual_seed(1), norm=nn.BatchNorm2d(4))
    network.norm.weight.data.copy_(torch.tensor([1.0, -2.0, 0.5, -1.0]))
    network.norm.bias.data.copy_(torch.tensor([0.25, -0.5, 1.0, 0.0]))
    require_exact(network, merge=True)


def test_a_convolution_that_is_not_pointwise_cannot_be_merged():
    network = Net(lambda net, x: net.neuron(net.b(net.a(x))), a=conv(), b=conv())
    with pytest.raises(NormaliseError) as caught:
        normalise(trace(network, IMAGE), merge=True)
    assert str(caught.value) == (
        "b (convolution) reads real numbers and is not pointwise: insert a neuron between a and b"
    )


#: What a test does to spikes of 4 channels on 8x8, and its modules.
EXACT = {
    "max pool of counts": (
        lambda net, x: F.max_pool2d(x, 2),
        {},
    ),
    "overlapping max pool": (
        lambda net, x: net.pool(x),
        {"pool": nn.MaxPool2d(3, stride=2, padding=1)},
    ),
    "max pool of potentials": (
        lambda net, x: net.neuron(F.max_pool2d(net.a(x), 2)),
        {"a": conv()},
    ),
    "average pool of counts": (
        lambda net, x: net.neuron(F.avg_pool2d(x, 2)),
        {},
    ),
    "mean of counts": (lambda net, x: net.neuron(x.mean((2, 3))), {}),
    "scaled counts": (
        lambda net, x: net.neuron(net.a(x * 2)) * 4,
        {"a": conv()},
    ),
    "scaled counts behind a max pool and in a sum": (
        lambda net, x: net.neuron(net.a(F.max_pool2d(x * 2, 2) * 2) + F.max_pool2d(x / 2, 2)),
        {"a": conv()},
    ),
    "attention of scaled counts": (
        lambda net, x: net.neuron(spikes.attention(x * 2, x / 4, x * 8, heads=2, scale=(1, 16))),
        {},
    ),
    "masked sum of scaled counts": (
        lambda net, x: net.neuron(spikes.masked_sum(x[:, :] * 2, x, heads=4)),
        {},
    ),
    "padding by name": (
        lambda net, x: net.neuron(net.a(x)),
        {"a": nn.Conv2d(4, 4, 4, padding="same")},
    ),
    "adaptive pool": (
        lambda net, x: net.neuron(F.adaptive_avg_pool2d(x, (2, 4))),
        {},
    ),
    "masked sum": (
        lambda net, x: net.neuron(spikes.masked_sum(net.one(net.gate(x)), x, heads=2)),
        {
            "gate": conv(4, 2, 3),
            "one": spikes.SpikeNeuron(max_count=1, divisor=1),
        },
    ),
    "attention": (
        lambda net, x: net.neuron(
            spikes.attention(
                net.neuron(net.q(x)),
                net.neuron(net.k(x)),
                net.neuron(net.v(x)),
                heads=2,
                scale=(1, 16),
            )
        ),
        {"q": conv(), "k": conv(), "v": conv(4, 8, 1, padding=0)},
    ),
    "attention twice": (
        lambda net, x: net.neuron(
            spikes.attention(
                *[net.neuron(spikes.attention(x, x, x, heads=1, scale=(1, 64)))] * 3, heads=4
            )
        ),
        {},
    ),
    "identity shortcut of spikes": (
        lambda net, x: net.neuron(net.a(x) + x),
        {"a": conv()},
    ),
    "shortcut of a projection": (
        lambda net, x: net.neuron(net.a(x) + net.b(x)),
        {
            "a": conv(4, 4, 3, stride=2),
            "b": conv(4, 4, 1, stride=2, padding=0),
        },
    ),
    "a deeper stream": (
        lambda net, x: net.neuron(residual(net, residual(net, net.a(x), net.b), net.c)),
        {"a": conv(), "b": conv(), "c": conv()},
    ),
    "a Linear layer on tokens": (
        lambda net, x: net.neuron(
            net.fc(x.flatten(2).transpose(1, 2)).transpose(1, 2).unflatten(2, (8, 8))
        ),
        {"fc": nn.Linear(4, 4)},
    ),
    "a dilated and a grouped convolution": (
        lambda net, x: net.neuron(net.b(net.neuron(net.a(x)))),
        {"a": conv(4, 4, 3, dilation=2, padding=2), "b": conv(4, 4, 3, groups=2)},
    ),
    "a neuron spelled out": (
        lambda net, x: (net.a(x) * 2 + 0.5).floor().clamp(0, 7) / 8,
        {"a": conv()},
    ),
}


def residual(net, x, module):
    return x + module(net.neuron(x))


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@pytest.mark.parametrize("what", EXACT)
def test_golden_computes_every_count_of_what_a_network_may_have(what):
    function, modules = EXACT[what]
    torch.manual_seed(0)
    require_exact(dyadic(Net(function, **modules), 1))


def test_pixels_that_the_network_scales_are_folded():
    class Scaled(Net):
        def forward(self, images):
            return self.head(self.neuron(self.conv(images / 256)).flatten(1))

    torch.manual_seed(0)
    network = dyadic(Scaled(lambda net, x: x))
    require_exact(network, scale=1)


def test_a_classifier_of_a_mean_of_counts_is_one_layer_with_it():
    torch.manual_seed(0)
    model = require_exact(dyadic(Net(lambda net, x: x.mean((2, 3)))))
    assert model.head.weight.shape == (10, 4, 8, 8)


def test_a_classifier_may_read_the_whole_map():
    torch.manual_seed(0)
    model = require_exact(dyadic(Net(lambda net, x: net.neuron(net.a(x)), a=conv())))
    assert model.head.weight.shape == (10, 4, 8, 8)


def test_a_layer_scale_that_is_a_parameter_is_folded():
    torch.manual_seed(0)
    network = Net(
        lambda net, x: net.neuron(net.a(x) + net.b(x) * net.gamma),
        a=conv(),
        b=conv(),
        gamma=nn.Parameter(torch.ones(4, 1, 1)),
    )
    network = dyadic(network)
    network.gamma.data.copy_(torch.tensor([0.5, -0.5, 0.5, -0.5]).view(4, 1, 1))
    require_exact(network)


def test_a_stream_has_one_kind_of_neuron():
    network = Net(
        lambda net, x: net.neuron(
            (lambda y: net.a(net.neuron(y)) + net.b(net.two(y)))(net.c(x) + x).mean((2, 3))
        ),
        a=conv(),
        b=conv(),
        c=conv(),
        two=spikes.SpikeNeuron(max_count=2),
    )
    with pytest.raises(NormaliseError, match="reads a stream through another neuron: use one kind"):
        normalise(trace(network, IMAGE))

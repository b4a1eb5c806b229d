"""Networks of plain torch become float graphs: spellings, views, and what is refused."""

from fractions import Fraction

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from addend import nn as spikes
from train.graph import (
    Attend,
    Convolve,
    Firing,
    Gate,
    Mean,
    Neuron,
    Pixels,
    Pool,
    Refused,
    Scale,
    Ties,
)
from train.normalise import NormaliseError, findings, normalise
from train.trace import TraceError, trace


IMAGE = 4, 4, 1
QUARTER = Fraction(1, 4)


class Net(nn.Module):
    """A convolution, what a test puts behind it, and a classifier of the whole map."""

    def __init__(self, function, **modules):
        super().__init__()
        self.neuron = spikes.SpikeNeuron(max_count=4)
        self.conv = nn.Conv2d(1, 2, 3, padding=1)
        self.middle = nn.Conv2d(2, 2, 3, padding=1)
        self.head = nn.Linear(32, 10)
        self.function = function
        for name, module in modules.items():
            setattr(self, name, module)

    def forward(self, images):
        x = self.function(self, self.conv(spikes.pixels(images)))
        return self.head(x.flatten(1))


def traced(function, **modules):
    return trace(Net(function, **modules), IMAGE)


def straight_through(net, x):
    quantised = x.clamp(0, 4).round() / 4
    return x + (quantised - x).detach()


#: Spellings of a neuron of four spikes that are worth 1/4 each.
HALF_EVEN = {
    "clamp(round)": lambda net, x: torch.clamp(torch.round(x), 0, 4) / 4,
    "clamp().round()": lambda net, x: x.clamp(0, 4).round() / 4,
    "round().clamp(min, max)": lambda net, x: x.round().clamp(min=0, max=4) / 4,
    "clamps apart": lambda net, x: x.clamp(min=0).clamp(max=4).round().mul(0.25),
    "hardtanh": lambda net, x: torch.round(F.hardtanh(x, 0, 4)) * 0.25,
    "Hardtanh": lambda net, x: 0.25 * net.tanh(x).round(),
    "relu": lambda net, x: torch.div(F.relu(x).round().clamp(max=4), 4),
    "in place": lambda net, x: x.clamp_(0, 4).round().div_(4),
    "in place, its result unread": lambda net, x: (x.clamp_(0, 4), x.round() / 4)[1],
    "by keywords": lambda net, x: torch.div(
        input=torch.clamp(input=x, min=0, max=4).round(), other=4
    ),
    "straight-through": straight_through,
    "SpikeNeuron": lambda net, x: net.even(x),
}
HALF_UP = {
    "floor(x + 0.5)": lambda net, x: torch.floor(x + 0.5).clamp(0, 4) / 4,
    "clamp() + 0.5": lambda net, x: (x.clamp(0, 4) + 0.5).floor() / 4,
    "0.5 + x": lambda net, x: torch.floor(0.5 + x).clamp(0, 4) / 4,
    "minus -0.5": lambda net, x: torch.floor(x - -0.5).clamp(0, 4) / 4,
    "SpikeNeuron": lambda net, x: net.neuron(x),
}
OTHERS = {
    "floor": (lambda net, x: x.floor().clamp(0, 4), Firing(4, Ties.FLOOR)),
    "ceil": (lambda net, x: x.ceil().clamp(0, 4), Firing(4, Ties.CEIL)),
    "ceil(x - 0.5)": (lambda net, x: (x - 0.5).ceil().clamp(0, 4), Firing(4, Ties.HALF_DOWN)),
    "a gain": (
        lambda net, x: (x.clamp(0, 1) * 3).round() / 3,
        Firing(3, Ties.HALF_EVEN, Fraction(3), Fraction(1, 3)),
    ),
    "a limit between counts": (lambda net, x: x.clamp(0, 2.75).round(), Firing(3, Ties.HALF_EVEN)),
}


def kinds_of(graph):
    return [type(node) for node in graph.nodes]


def firing_of(graph):
    assert kinds_of(graph) == [Pixels, Convolve, Neuron, Convolve]
    return graph.nodes[2].firing


@pytest.mark.parametrize("spelling", HALF_EVEN)
def test_spellings_of_one_neuron_are_the_same_firing(spelling):
    even = spikes.SpikeNeuron(max_count=4, rounding="half-even")
    graph = traced(HALF_EVEN[spelling], tanh=nn.Hardtanh(0, 4), even=even)
    assert firing_of(graph) == Firing(4, Ties.HALF_EVEN, unit=QUARTER)


@pytest.mark.parametrize("spelling", HALF_UP)
def test_spellings_that_round_half_up_are_the_same_firing(spelling):
    assert firing_of(traced(HALF_UP[spelling])) == Firing(4, Ties.HALF_UP, unit=QUARTER)


@pytest.mark.parametrize("spelling", OTHERS)
def test_other_roundings_and_gains_keep_their_own_rule(spelling):
    function, firing = OTHERS[spelling]
    assert firing_of(traced(function)) == firing


@pytest.mark.parametrize("spelling", [*HALF_EVEN, *OTHERS])
def test_a_firing_computes_what_its_spelling_does(spelling):
    function = HALF_EVEN[spelling] if spelling in HALF_EVEN else OTHERS[spelling][0]
    even = spikes.SpikeNeuron(max_count=4, rounding="half-even")
    net = Net(function, tanh=nn.Hardtanh(0, 4), even=even)
    firing = firing_of(trace(net, IMAGE))
    # Eighths hold every tie of these spellings but those of the gain 3, which lie at sixths.
    potential = (torch.arange(-16, 64, dtype=torch.float64) / 8).view(1, 2, 40)
    assert torch.equal(firing.spikes(potential), function(net, potential.clone()))


TOKENS = {
    "flatten and transpose": lambda net, x: (
        net.fc(x.flatten(2).transpose(1, 2)).transpose(1, 2).unflatten(2, (4, 4))
    ),
    "permute": lambda net, x: net.fc(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2),
    "reshape": lambda net, x: (
        net.fc(x.reshape(x.shape[0], 2, 16).permute(0, 2, 1)).permute(0, 2, 1).view_as(x)
    ),
}


@pytest.mark.parametrize("spelling", TOKENS)
def test_a_linear_layer_on_tokens_is_a_pointwise_convolution(spelling):
    net = Net(
        lambda net, x: net.neuron(TOKENS[spelling](net, net.neuron(x))), fc=nn.Linear(2, 2)
    ).double()
    graph = trace(net, IMAGE)
    assert kinds_of(graph) == [Pixels, Convolve, Neuron, Convolve, Neuron, Convolve]
    assert graph.nodes[3].module == "fc"
    assert graph.nodes[3].size == (2, 4, 4)
    assert findings(graph) == []


WRONG_VIEWS = {
    "channels become columns": lambda net, x: net.middle(
        x.permute(0, 2, 3, 1).reshape(-1, 2, 4, 4)
    ),
    "tokens that are none": lambda net, x: net.fc(x.reshape(x.shape[0], 16, 2)),
    "a linear layer on columns": lambda net, x: net.four(x),
    "channels by number": lambda net, x: x[:, [1, 0]],
    "images mixed": lambda net, x: x.reshape(1, -1, 4, 4)[:, :4].reshape(2, 2, 4, 4),
}


@pytest.mark.parametrize("spelling", WRONG_VIEWS)
def test_a_wrong_view_is_refused(spelling):
    graph = traced(
        lambda net, x: net.neuron(WRONG_VIEWS[spelling](net, net.neuron(x)).reshape(-1, 2, 4, 4)),
        fc=nn.Linear(2, 2),
        four=nn.Linear(4, 4),
    )
    assert Refused in kinds_of(graph)
    with pytest.raises(NormaliseError):
        normalise(graph)


def test_transposed_rows_in_front_of_a_convolution_are_refused():
    graph = traced(lambda net, x: net.middle(net.neuron(x).transpose(2, 3)))
    refused = next(node for node in graph.nodes if isinstance(node, Refused))
    assert (refused.name, refused.reason) == ("middle", "reads axes that are no map")


def test_a_classifier_of_a_transposed_map_is_refused():
    graph = traced(lambda net, x: net.neuron(x).permute(0, 2, 3, 1))
    (refused,) = (node for node in graph.nodes if isinstance(node, Refused))
    assert refused.name == "head"


#: Layer scales of two channels, and the shapes of their parameters.
SCALES = {
    "maps": (lambda net, x: x * net.gamma, (2, 1, 1)),
    "with the axis of images": (lambda net, x: net.gamma * x, (1, 2, 1, 1)),
    "viewed": (lambda net, x: x.mul(net.gamma.view(1, -1, 1, 1)), (2,)),
    "of tokens": (lambda net, x: (x.permute(0, 2, 3, 1) * net.gamma).permute(0, 3, 1, 2), (2,)),
    "one for all": (lambda net, x: x * net.gamma, (1,)),
}


@pytest.mark.parametrize("spelling", SCALES)
def test_a_layer_scale_is_a_parameter_of_channels(spelling):
    function, shape = SCALES[spelling]
    graph = traced(
        lambda net, x: net.neuron(x + function(net, net.middle(net.neuron(x)))),
        gamma=nn.Parameter(torch.ones(shape)),
    )
    (scale,) = (node for node in graph.nodes if isinstance(node, Scale))
    assert (scale.factor, scale.size) == ("gamma", (2, 4, 4))
    assert findings(graph) == []


def test_a_scale_of_positions_is_refused():
    graph = traced(lambda net, x: x * net.gamma, gamma=nn.Parameter(torch.ones(4, 4)))
    assert [str(found) for found in findings(graph) if found.kind == "scale"] == [
        "mul (scale) has a factor for each position: scale channels, or all at once"
    ]


PADDINGS = {"same": (1, 2), "valid": (0, 0)}


@pytest.mark.parametrize("padding", PADDINGS)
def test_padding_by_name_is_that_of_torch(padding):
    conv = nn.Conv2d(2, 2, 4, padding=padding)
    graph = traced(
        lambda net, x: net.neuron(net.named(x)).mean((2, 3), True).expand_as(x), named=conv
    )
    node = next(node for node in graph.nodes if node.name == "named")
    assert node.pads == PADDINGS[padding] * 2


def test_an_adaptive_pool_of_equal_windows_is_an_average_pool():
    graph = traced(
        lambda net, x: net.pool(net.neuron(x)).mean((2, 3), True).expand_as(x),
        pool=nn.AdaptiveAvgPool2d((2, 1)),
    )
    pool = next(node for node in graph.nodes if isinstance(node, Pool))
    assert (pool.kernel, pool.stride, pool.size) == ((2, 4), (2, 4), (2, 2, 1))


def test_pixels_say_what_a_byte_stands_for():
    class Begun(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(2, 2, 3)

        def forward(self, images):
            return self.conv(spikes.pixels(images, constant=7))

    entry = trace(Begun(), IMAGE).nodes[0]
    assert (entry.scale, entry.constant, entry.size) == (Fraction(1, 256), 7, (2, 4, 4))


def test_a_network_without_a_pixel_scale_needs_one():
    class Plain(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(1, 2, 3)

        def forward(self, images):
            return self.conv(images)

    with pytest.raises(TraceError, match="^nobody says what a byte of an image stands for: "):
        trace(Plain(), IMAGE)
    assert trace(Plain(), IMAGE, scale=Fraction(1, 255)).nodes[0].scale == Fraction(1, 255)


def test_a_network_in_float64_is_followed_like_one_in_float32():
    def function(net, x):
        return net.neuron(x)

    assert traced(function).nodes == trace(Net(function).double(), IMAGE).nodes


def test_addend_functions_are_kept_whole():
    def function(net, x):
        x = net.neuron(x)
        mixed = net.neuron(spikes.attention(x, x, x, heads=2, scale=(2, 1)))
        return (
            net
            .neuron(spikes.masked_sum(x, mixed, heads=2))
            .mean((2, 3), keepdim=True)
            .expand(-1, -1, 4, 4)
        )

    nodes = {type(node): node for node in traced(function).nodes}
    assert (nodes[Attend].heads, nodes[Attend].scale) == (2, (Fraction(2), Fraction(1)))
    assert nodes[Gate].heads == 2
    assert nodes[Mean].size == (2, 1, 1)

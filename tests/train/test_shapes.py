"""Shapes are known while a network is followed; what cannot be followed is told."""

import pytest
import torch
from torch import nn

from addend import nn as spikes
from train.graph import Convolve, Neuron, Pixels
from train.normalise import findings
from train.trace import TraceError, trace


IMAGE = 4, 4, 1


class Net(nn.Module):
    """Two channels, what a test does to them, and a classifier."""

    def __init__(self, function):
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 3, padding=1)
        self.middle = nn.Conv2d(2, 2, 3, padding=1)
        self.neuron = spikes.SpikeNeuron(max_count=4)
        self.head = nn.Linear(32, 10)
        self.function = function

    def forward(self, images):
        return self.head(self.function(self, self.conv(images)).flatten(1))


def kinds_of(graph):
    return [type(node) for node in graph.nodes]


def shapes_decide(net, x):
    """Control flow over everything that a shape tells."""
    images, channels, *size = x.shape
    if len(x) != images or size != [4, 4] or channels not in (2,) or not x.is_floating_point():
        raise ValueError("other shape")
    for _ in range(x.dim() - 3):
        x = net.neuron(net.middle(x.reshape(len(x), channels, *size)))
    return x


def test_control_flow_may_depend_on_shapes():
    assert kinds_of(trace(Net(shapes_decide), IMAGE, scale=1)) == [
        Pixels,
        Convolve,
        Convolve,
        Neuron,
        Convolve,
    ]


def test_arguments_with_defaults_are_left_out():
    class Optional(nn.Module):
        def forward(self, images, mask=None, *others, scale=2.0, **options):
            return images if mask is None and not others and not options else None

    assert trace(Optional(), IMAGE, scale=1).outputs == ("images",)


def added_in_place(net, x):
    y = z = net.middle(x)
    z += net.middle(x)
    return net.neuron(y)


def test_what_is_added_in_place_is_read_by_all_names_of_the_tensor():
    nodes = trace(Net(added_in_place), IMAGE, scale=1).nodes
    neuron = next(node for node in nodes if isinstance(node, Neuron))
    assert neuron.inputs == ("iadd",)


def bad_hook(module, arguments, output):
    return output * 2


def test_hooks_of_torchs_modules_are_refused():
    net = Net(lambda net, x: net.middle(net.neuron(x)))
    net.middle.register_forward_hook(bad_hook)
    (found,) = findings(trace(net, IMAGE, scale=1))
    assert str(found) == (
        "middle (Conv2d) has a hook or a forward of its own, which changes what it computes: "
        "write it in forward"
    )
    net = Net(lambda net, x: net.middle(net.neuron(x)))
    net.register_forward_hook(bad_hook)
    with pytest.raises(TraceError, match="^Net has a hook or a forward of its own, which"):
        trace(net, IMAGE, scale=1)


class Two(nn.Module):
    """Takes a second input."""

    def forward(self, images, others):
        return images + others


NOT_FOLLOWED = {
    "a second input": (Two, "^forward takes 'others' beside images: give it a default$"),
    "a script": (
        lambda: torch.jit.script(nn.ReLU()),
        "is compiled: hand on the module that it was made",
    ),
    "a script inside": (
        lambda: nn.Sequential(torch.jit.script(nn.ReLU())),
        "^0 is compiled: hand on the",
    ),
    "lazy": (
        lambda: nn.Sequential(nn.LazyConv2d(4, 3)),
        "^0 has no shape yet: call it on images before",
    ),
    "complex": (
        lambda: nn.Conv2d(1, 4, 3, dtype=torch.complex64),
        "^Conv2d has complex numbers: use real",
    ),
    "no copy": (
        lambda: nn.utils.weight_norm(nn.Conv2d(1, 4, 3)),
        "^Conv2d cannot be copied .*: give it",
    ),
    "no forward": (nn.Module, "^forward of Module cannot be followed .NotImplementedError: "),
}


@pytest.mark.filterwarnings("ignore::Warning")
@pytest.mark.parametrize("what", NOT_FOLLOWED)
def test_what_is_more_than_a_forward_and_parameters_is_told(what):
    build, sentence = NOT_FOLLOWED[what]
    with pytest.raises(TraceError, match=sentence) as caught:
        trace(build(), IMAGE, scale=1)
    assert "\n" not in str(caught.value)

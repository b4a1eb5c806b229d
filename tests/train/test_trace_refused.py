"""Networks that cannot become float graphs get one sentence, with a remedy."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from addend import nn as spikes
from train.normalise import NormaliseError, findings, normalise
from train.trace import TraceError, trace


IMAGE = 4, 4, 1


class Net(nn.Module):
    """What a test does to pixels, and nothing behind it."""

    def __init__(self, function):
        super().__init__()
        self.norm = nn.LayerNorm(4)
        self.attend = nn.MultiheadAttention(16, 1, batch_first=True)
        self.gelu = nn.GELU()
        self.bad = nn.Conv2d(3, 2, 1)
        self.wide = nn.Conv2d(1, 4, 1)
        self.plain = nn.BatchNorm2d(4, affine=False)
        self.gamma = nn.Parameter(torch.ones(4))
        self.limit = nn.Parameter(torch.ones(()))
        self.function = function

    def forward(self, images):
        return self.function(self, spikes.pixels(images))


def traced(function):
    return trace(Net(function), IMAGE)


def test_control_flow_on_values_is_refused_in_one_sentence():
    def function(net, x):
        return x if x.sum() > 0 else -x

    with pytest.raises(TraceError, match=r"^forward of Net depends on the numbers.*without if and"):
        traced(function)


@pytest.mark.parametrize(
    "function",
    [lambda net, x: x[x > 0], lambda net, x: x[:, :, x[0, 0, 0].nonzero()]],
    ids=["chosen values", "nonzero"],
)
def test_shapes_that_depend_on_values_are_refused_in_one_sentence(function):
    with pytest.raises(
        TraceError, match="depends on the numbers in a tensor: let shapes"
    ) as caught:
        traced(function)
    assert "\n" not in str(caught.value)


def test_shapes_that_do_not_fit_are_told_by_module():
    with pytest.raises(TraceError, match="^bad does not compute on images of 1x4x4 "):
        traced(lambda net, x: net.bad(x))


def test_an_error_of_the_users_own_code_is_told():
    def function(net, x):
        raise RuntimeError("out of cheese")

    with pytest.raises(
        TraceError, match="^forward of Net cannot be followed .RuntimeError: out of"
    ):
        traced(function)


REFUSED = {
    "LayerNorm": (
        lambda net, x: net.norm(x),
        "norm (LayerNorm) divides by what it measures of each image: train with BatchNorm2d",
    ),
    "softmax": (
        lambda net, x: torch.softmax(x, 1),
        (
            "softmax (softmax) exponentiates and divides: use addend.nn.attention, which needs no "
            "softmax"
        ),
    ),
    "MultiheadAttention": (
        lambda net, x: net.attend(*[x.flatten(2)] * 3)[0],
        (
            "attend (MultiheadAttention) exponentiates and divides: use addend.nn.attention, which "
            "needs no softmax"
        ),
    ),
    "GELU": (
        lambda net, x: net.gelu(x),
        "gelu (GELU) hands on real numbers: put addend.nn.SpikeNeuron in its place",
    ),
    "matmul": (
        lambda net, x: x @ x,
        (
            "matmul (matmul) multiplies maps, and spikes only add: use addend.nn.attention, which "
            "needs no softmax"
        ),
    ),
    "product": (
        lambda net, x: x * x,
        (
            "mul (multiply) multiplies maps, and spikes only add: gate by spikes with "
            "addend.nn.masked_sum"
        ),
    ),
    "signed": (
        lambda net, x: torch.clamp(torch.round(x * 4), -8, 7) / 4,
        (
            "truediv (truediv) hands on signed numbers, and spikes are none or some: clamp at 0 or "
            "put addend.nn.SpikeNeuron in its place"
        ),
    ),
    "unbounded": (
        lambda net, x: torch.relu(x).round(),
        (
            "round_1 (round_1) has no largest count: clamp above, or put addend.nn.SpikeNeuron in "
            "its place"
        ),
    ),
    "too many": (
        lambda net, x: x.round().clamp(0, 256),
        "clamp (clamp) counts from 0 to 256: count from 0 to at most 255",
    ),
    "between counts": (
        lambda net, x: x.clamp(0, 4).round().clamp(0, 3.5),
        "clamp_1 (clamp_1) clamps counts between two of them: clamp at a count",
    ),
    "real": (
        lambda net, x: torch.relu(x),
        "relu (relu) hands on real numbers, not counts: put addend.nn.SpikeNeuron in its place",
    ),
    "alpha": (
        lambda net, x: torch.add(x, x, alpha=2),
        "add (add) is called with alpha: spell it without",
    ),
    "decimals": (
        lambda net, x: torch.round(x, decimals=1),
        "round_1 (round) is called with decimals: spell it without",
    ),
    "whole division": (
        lambda net, x: x.div(4, rounding_mode="floor"),
        "div (div) is called with rounding_mode: spell it without",
    ),
    "cast": (
        lambda net, x: x.to(torch.int32),
        "to (cast) makes whole numbers of real ones: round by addend.nn.SpikeNeuron",
    ),
    "dilated pool": (
        lambda net, x: F.max_pool2d(x, 2, stride=1, dilation=2),
        (
            "max_pool2d (max pool) has windows with holes or of other sizes: "
            "use windows without dilation, ceil_mode=False and no divisor_override"
        ),
    ),
    "divisor": (
        lambda net, x: F.avg_pool2d(x, 2, divisor_override=3),
        (
            "avg_pool2d (average pool) has windows that are no whole parts of a map: "
            "use windows without dilation, ceil_mode=False and no divisor_override"
        ),
    ),
    "a scale of columns, as many as channels": (
        lambda net, x: net.wide(x) * net.gamma,
        "mul (scale) has a factor for each position: scale channels, or all at once",
    ),
    "a batch norm without parameters": (
        lambda net, x: net.plain(net.wide(x)),
        "plain (BatchNorm2d) has no slope and offset: set affine=True",
    ),
    "a view that is changed": (
        lambda net, x: net.wide(x).flatten(1).add_(1.0),
        (
            "add_ (add_) changes a tensor in part, or one that is read otherwise: let it return a "
            "new one"
        ),
    ),
    "a part that is assigned": (
        lambda net, x: (lambda y: (y.__setitem__((0,), 0.0), y)[1])(net.wide(x)),
        "setitem (setitem) changes a tensor in part: let it return a new one",
    ),
    "dropout in evaluation": (
        lambda net, x: F.dropout(x, 0.5),
        "dropout (dropout) drops in evaluation, too: pass training=self.training",
    ),
    "no finite number": (
        lambda net, x: x * float("inf"),
        "mul (mul) is called with what is no finite number: use finite numbers",
    ),
    "parameters alone": (
        lambda net, x: net.gamma * 2,
        "mul (mul) computes with parameters alone: let a parameter hold what it computes",
    ),
    "several outputs": (
        lambda net, x: (net.wide(x), net.wide(x)),
        "output (output) is 2 values: return one tensor of class scores",
    ),
    "half precision": (
        lambda net, x: x.to(torch.float16),
        "to (cast) rounds real numbers: stay with float32",
    ),
    "limits of a tensor": (
        lambda net, x: x.clamp(net.limit, net.limit),
        "clamp (clamp) clamps at numbers of a tensor: clamp at numbers",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_spikes_cannot_compute_gets_one_sentence_with_a_remedy(what):
    function, sentence = REFUSED[what]
    graph = traced(function)
    assert [str(found) for found in findings(graph)] == [sentence]
    with pytest.raises(NormaliseError) as caught:
        normalise(graph)
    assert str(caught.value) == sentence

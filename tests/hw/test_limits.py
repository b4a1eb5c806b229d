"""What hardware does not run yet is refused by the layer's name, the reason and what helps."""

from dataclasses import replace

import numpy as np
import pytest

from golden import (
    PIXELS,
    Axis,
    Constant,
    Conv,
    Fire,
    KeyValue,
    Leak,
    LeakKind,
    Mask,
    Max,
    Membrane,
    Neuron,
    Output,
    Rounding,
    SpikeCode,
    Write,
    validate,
)
from golden.analysis.model_builder import ModelBuilder
from golden.analysis.synthetic import random_images
from hw.compiler import compile_model
from tests.models import changed, small


@pytest.fixture(scope="module")
def model():
    return replace(small(), widths={}, mean_counts={})


def refused(model, sentence):
    """The model is legal, and no core runs it."""
    validate(model)
    with pytest.raises(ValueError) as caught:
        compile_model(model, columns=1, lanes=4, spike_code=SpikeCode.BIT_SERIAL)
    assert str(caught.value).startswith(sentence), str(caught.value)
    assert ": " in str(caught.value)[len(sentence) :]
    assert "\n" not in str(caught.value)


def layer_of(model, name):
    return next(layer for layer in model.layers if layer.name == name)


def inserted(model, *layers, before="attention.q"):
    at = [layer.name for layer in model.layers].index(before)
    return replace(model, layers=(*model.layers[:at], *layers, *model.layers[at:]))


def ladder(count=4):
    return Neuron(np.arange(1, count + 1)[None], Rounding.HALF_UP)


def conv(name, sources, shape, epilogue, axes=None, groups=1, bits=4):
    weight = np.ones(shape, np.int8 if bits <= 8 else np.int16)
    return Conv(name, sources, weight, bits, axes or tuple(map(Axis, shape[2:])), groups, epilogue)


def test_the_model_itself_is_compiled(model):
    compile_model(model, columns=1, lanes=4, spike_code=SpikeCode.BIT_SERIAL)


@pytest.mark.parametrize(
    "layer",
    [
        Max("odd", "stem.counts", (Axis(1), Axis(1, 2, transposed=True))),
        Mask("odd", "stem.counts", "stem.counts", 4, Fire(ladder())),
    ],
)
def test_new_operators(model, layer):
    refused(inserted(model, layer), "Layer odd ")


FIRE = Fire(ladder())
WRITE = Write(None, 0, np.zeros(4, np.int64), 1, Neuron.uniform(1, 2))


@pytest.mark.parametrize(
    ("layer", "reason"),
    [
        (conv("odd", (PIXELS, PIXELS), (2, 2, 1, 1), FIRE), "reads pixels beside counts"),
        (
            conv("odd", ("stem.counts",), (2, 4, 1, 1), FIRE, (Axis(1, 2, transposed=True),) * 2),
            "has output positions of which no tap lies inside the map",
        ),
        (
            conv("odd", ("stem.counts",), (4, 2, 1, 1), WRITE, groups=2),
            "stores words of 4 channels, but its groups have 2",
        ),
        (replace(conv("odd", ("stem.counts",), (2, 4, 1, 1), FIRE), time="sum"), "sums over time"),
        (
            conv(
                "odd",
                ("stem.counts",),
                (2, 4, 1, 1),
                Fire(replace(ladder(), membrane=Membrane((Leak(LeakKind.SHIFT, 1),)))),
            ),
            "has a neuron with a membrane",
        ),
        (KeyValue("odd.kv", "stem.counts", "stem.counts", 2, "both"), "sums over both"),
        (KeyValue("odd.kv", "stem.counts", "stem.counts", 2, "space", FIRE), "fires its memory"),
    ],
)
def test_layers_by_their_reason(model, layer, reason):
    refused(inserted(model, layer), f"Layer {layer.name} {reason}")


def test_a_count_beyond_a_core():
    builder = ModelBuilder(
        2,
        random_images(2, 6, (4, 4, 1)),
        max_count=16,
        weight_bits=3,
        rounding=Rounding.HALF_EVEN,
        mean_count=2,
    )
    builder.down("stem", 4, 2, source=PIXELS)
    builder.head("stem", 2, 0)
    refused(builder.model("many", 2), "Layer stem counts up to 16, which hardware does not run yet")


def test_writes(model):
    refused(
        changed(model, "attention", epilogue={"combine": "max"}),
        "Layer attention keeps the larger of two streams",
    )
    write = layer_of(model, "attention").epilogue
    query = layer_of(model, "attention.attn")
    odd = replace(
        query, name="odd", epilogue=replace(write, previous=None, bias=np.zeros(16, np.int64))
    )
    refused(inserted(model, odd, before="attention"), "Layer odd has the epilogue write")


def test_a_network_of_constants(model):
    layer = Constant("odd", np.ones((2, 1, 1), np.int8), 2, Output(np.zeros(2, np.int64), 1.0))
    refused(replace(model, layers=(layer,)), "small: a layer must read the pixels")


def test_steps_and_outputs(model):
    refused(
        replace(model, input=replace(model.input, steps=2)),
        "small: the input must have one step, not 2",
    )
    extra = conv(
        "odd", ("stem.counts",), (2, 4, 2, 2), Output(np.zeros(2, np.int64), 1.0, name="extra")
    )
    refused(inserted(model, extra), "small: there must be one output, not extra and logits")
    behind = conv("odd", ("stem.counts",), (2, 4, 1, 1), FIRE)
    refused(
        replace(model, layers=(*model.layers, behind)),
        "Layer head has an output, but is not the last layer",
    )
    dense = conv("odd", (PIXELS,), (2, 1, 1, 1), Output(np.zeros(2, np.int64), 1.0))
    refused(replace(model, layers=(dense,)), "Layer odd has an output of 16 positions")

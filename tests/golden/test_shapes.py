"""Shapes of tensors, and graphs that do not fit together."""

from dataclasses import replace

import numpy as np
import pytest

from golden import Axis, ModelError, Output
from golden.analysis.synthetic import random_model
from golden.model.shapes import last_readers, shapes
from tests.models import changed


@pytest.fixture(scope="module")
def model():
    return random_model(5, image_shape=(9, 8, 3), dims=(4, 6, 8, 12), strides=(2, 1, 2, 1, 1))


def test_shapes_follow_the_published_topology(model):
    known = shapes(model)
    assert known["pixels"] == (3, 9, 8)
    assert known["downsample1_1.stream"] == known["ConvBlock1_1.0.counts"] == (2, 5, 4)
    assert known["ConvBlock1_1.0.Conv.dwconv.counts"] == (4, 5, 4)
    assert known["ConvBlock1_1.0.conv1.counts"] == (8, 5, 4)
    assert known["downsample1_2.counts"] == (4, 5, 4)
    assert known["ConvBlock2_2.0.stream"] == (6, 3, 2)
    assert known["block3.0.attn.k.counts"] == (8, 3, 2)
    assert known["block3.0.attn.v.counts"] == known["block3.0.attn.attn.counts"] == (32, 3, 2)
    assert known["block3.0.attn.kv"] == (2, 4, 16)
    assert known["block4.0.mlp.fc1.counts"] == (48, 3, 2)
    assert known["head.sum.counts"] == (12, 1, 1)
    assert known["logits"] == (10,)


def test_last_readers_are_the_last_that_name_a_tensor(model):
    last = last_readers(model)
    assert last["pixels"] == 0
    assert model.layers[last["block4.0.stream"]].name == "head.sum"
    assert model.layers[last["block3.0.conv.counts"]].name == "block3.0.attn.v"
    writer = model.layers[last["block3.0.conv.stream"]]
    assert writer.name == "block3.0.attn"
    assert writer.reads == ["block3.0.attn.attn.counts", "block3.0.conv.stream"]


BROKEN = {
    "unknown source": (
        ("block3.0.attn.q", {"sources": ("nowhere.counts",)}),
        ("Layer block3.0.attn.q: source nowhere.counts must be the output of an earlier layer"),
    ),
    "later source": (
        ("downsample2", {"sources": ("downsample3.counts",)}),
        "source downsample3.counts must be the output of an earlier layer",
    ),
    "unknown previous": (
        ("block3.0", {"epilogue": {"previous": "gone.stream"}}),
        "Layer block3.0: source gone.stream must be",
    ),
    "counts as stream": (
        ("block3.0", {"epilogue": {"previous": "block3.0.attn.counts"}}),
        "must be a tensor of stream, not of counts",
    ),
    "stream as counts": (
        ("downsample2", {"sources": ("ConvBlock1_2.0.stream",)}),
        "must be a tensor of counts or pixels, not of stream",
    ),
    "pixels as keys": (
        ("block3.0.attn.kv", {"keys": "pixels"}),
        "must be a tensor of counts, not of pixels",
    ),
    "other stream shape": (
        ("block4.0.conv", {"epilogue": {"previous": "downsample3.stream"}}),
        ("Layer block4.0.conv: downsample3.stream must have shape (12, 3, 2), not (8, 3, 2)"),
    ),
    "fan-in": (
        ("downsample2", {"weight": np.ones((6, 5, 3, 3), np.int8)}),
        "Layer downsample2: weights must take 4 channels of ConvBlock1_2.0.counts, not 5",
    ),
    "rank": (
        ("downsample2", {"weight": np.ones((6, 4), np.int8)}),
        "weights must have shape (out, in, kernel, kernel), not (6, 4)",
    ),
    "no channels": (
        ("downsample2", {"weight": np.ones((0, 4, 3, 3), np.int8)}),
        "weights must have shape (out, in, kernel, kernel), not (0, 4, 3, 3)",
    ),
    "kernel": (
        ("downsample2", {"weight": np.ones((6, 4, 3, 1), np.int8)}),
        "weights of shape (6, 4, 3, 1) must have two axes of these kernels, not [3, 3]",
    ),
    "one axis": (("downsample2", {"axes": (Axis(3),)}), "must have two axes of these kernels"),
    "groups": (
        ("block3.0.conv.dwconv", {"groups": 3}),
        "groups must divide 16 input and 16 output channels, not 3",
    ),
    "no source": (("downsample2", {"sources": ()}), "there must be at least one source"),
    "other size": (
        ("downsample2", {"sources": ("ConvBlock1_2.0.counts", "pixels")}),
        (
            "Layer downsample2: pixels must have size (5, 4) and 1 steps like "
            "ConvBlock1_2.0.counts, not (9, 8) and 1"
        ),
    ),
    "time": (("downsample2", {"time": "mean"}), "time must be each or sum, not 'mean'"),
    "over": (
        ("block3.0.attn.kv", {"over": "heads"}),
        "over must be space, time or both, not 'heads'",
    ),
    "other over": (
        ("block3.0.attn.attn", {"over": "both"}),
        ("queries must be over space in 1 sets like block3.0.attn.kv, not over both in 1"),
    ),
    "stride": (("downsample2", {"axes": (Axis(3, 0), Axis(3))}), "stride of an axis must be at le"),
    "padding": (("downsample2", {"axes": (Axis(3, before=3), Axis(3))}), "must be 0 to 2, not 3"),
    "map too small": (
        ("ConvBlock2_1.0.Conv.dwconv", {"axes": (Axis(7), Axis(7))}),
        "a map of 3x2 must not be smaller than the 7x7 kernel",
    ),
    "heads of keys": (
        ("block3.0.attn.kv", {"heads": 3}),
        "Layer block3.0.attn.kv: 3 heads must divide the channels equally",
    ),
    "no heads": (("block3.0.attn.kv", {"heads": 0}), "0 heads must divide"),
    "heads of queries": (
        ("block3.0.attn.attn", {"heads": 4}),
        (
            "Layer block3.0.attn.attn: 4 heads must divide the channels equally and "
            "agree along the block, but block3.0.attn.kv has 2"
        ),
    ),
    "queries": (
        ("block3.0.attn.attn", {"queries": "block3.0.attn.v.counts"}),
        "queries must have 2 heads of 4 channels, not 32 channels",
    ),
    "tokens": (
        ("block3.0.attn.kv", {"values": "downsample1_1.counts"}),
        "keys and values must have the same tokens, not (3, 2) and (5, 4)",
    ),
    "memory's name": (
        ("block3.0.attn.kv", {"name": "block3.0.attn.memory"}),
        "a memory's name must end in .kv",
    ),
    "two of a name": (
        ("block3.0.attn.k", {"name": "block3.0.attn.q"}),
        "Layer block3.0.attn.q: a name must be given to only one layer",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_graph_that_does_not_fit_is_refused_in_one_sentence(model, case):
    (name, fields), sentence = BROKEN[case]
    with pytest.raises(ModelError) as caught:
        shapes(changed(model, name, **fields))
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_model_has_an_output(model):
    for layers in ((), model.layers[:-1]):
        with pytest.raises(ModelError, match="must have at least one layer with an output"):
            shapes(replace(model, layers=layers))


def test_any_number_of_layers_of_any_size_may_have_outputs(model):
    first = model.layers[0]
    bias = np.zeros(first.channels, np.int64)
    dense = replace(first, name="map", epilogue=Output(bias, 1.0, name="map"))
    known = shapes(replace(model, layers=(dense, *model.layers)))
    assert known["map"] == (2, 5, 4)
    assert known["logits"] == (10,)
    twice = replace(dense, epilogue=Output(bias, 1.0, name="logits"))
    with pytest.raises(ModelError, match="Layer head: tensor logits must be made only once"):
        shapes(replace(model, layers=(twice, *model.layers)))


def test_foreign_layers_and_epilogues_are_refused(model):
    with pytest.raises(ModelError, match="A layer must be one of the known kinds, not 3"):
        shapes(replace(model, layers=(3,)))
    memory = changed(model, "block3.0.attn.kv")
    write = next(layer.epilogue for layer in model.layers if layer.name == "block3.0.conv")
    layers = tuple(
        replace(layer, epilogue=write) if layer.name == "block3.0.attn.kv" else layer
        for layer in memory.layers
    )
    with pytest.raises(ModelError, match="Layer block3.0.attn.kv: the epilogue must be one of f"):
        shapes(replace(model, layers=layers))


def test_images_have_a_size(model):
    with pytest.raises(ModelError, match=r"Image shape must be positive, not \(0, 8, 3\)"):
        shapes(replace(model, input=replace(model.input, shape=(0, 8, 3))))

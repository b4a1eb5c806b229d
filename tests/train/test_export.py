"""Export: equality of every integer, and faults that it must find."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import golden
from golden.neuron import Neuron, Rounding
from golden.ops import Conv, Fire, KeyValue, Output, Query, Sum, Write
from golden.ops.convolve import convolve
from tests.training import dyadic_quantised, float_spikes, random_images, random_quantised, units
from train.export.export import compare, export
from train.interpret.lower import ExportError, integer_model
from train.network.images import to_maps
from train.network.quantised import QuantisedNetwork


IMAGES = random_images(12)

#: Wide enough that random weights keep every layer spiking.
LIVELY = {"dims": (8, 8, 12, 12)}


@pytest.mark.parametrize("rounding", list(Rounding))
@pytest.mark.parametrize("bits", [2, 4, 8])
@pytest.mark.parametrize("max_count", [1, 4, 15])
def test_golden_computes_what_the_quantised_network_does(max_count, bits, rounding):
    quantised = random_quantised(
        max_count * bits, bits=bits, max_count=max_count, rounding=rounding
    )
    model = integer_model(quantised, name="t")
    golden.validate(model)
    compared = compare(model, quantised, IMAGES)
    tensors = golden.run(model, IMAGES, trace=True).tensors
    assert compared == sum(values.size for values in tensors.values())


@pytest.mark.parametrize(
    "changes",
    [
        {"image": (9, 6, 3), "strides": (2, 1, 2, 1, 2), "stem_kernel": 7},
        {"dims": (4, 4, 8, 16), "heads": 2, "depths": (2, 1)},
        {"dims": (4, 4, 9, 9), "heads": 1, "classes": 3, "max_count": 3},
    ],
)
def test_any_shape_is_equal(changes):
    quantised = random_quantised(1, **changes)
    images = random_images(6, quantised.network.modules_of.network.image)
    assert compare(integer_model(quantised, name="t"), quantised, images, batch=4) > 0


@pytest.mark.parametrize("neuron", ["sfa", "i-lif", "ni-lif"])
@pytest.mark.parametrize(("max_count", "bits"), [(1, 8), (3, 4), (8, 2), (15, 8)])
def test_every_neuron_is_exported_exactly(neuron, max_count, bits):
    quantised = random_quantised(5, bits=bits, max_count=max_count, neuron=neuron, **LIVELY)
    model = integer_model(quantised, name="t")
    golden.validate(model)
    assert compare(model, quantised, IMAGES) > 0


def test_a_neuron_that_hands_on_counts_is_one_that_divides_with_scaled_weights():
    """With power-of-two D the same integer network results, attention's thresholds included."""
    divided, whole = (dyadic_quantised(3, neuron=neuron, **LIVELY) for neuron in ("sfa", "i-lif"))
    for module in whole.network.modules():
        # Whoever reads pixels stays; whoever reads counts of 0..4 in place of 0..1 is divided.
        if isinstance(module, torch.nn.Conv2d | torch.nn.Conv1d):
            module.weight.data /= 4
    whole.network.modules_of.downsample1_1.encode_conv.weight.data *= 4
    scales = {
        name: step if name == "head" else step / 4 for name, step in divided.grids.scales.items()
    }
    whole = replace(whole, grids=replace(divided.grids, scales=scales))
    one, other = (
        golden.run(integer_model(quantised, name="t"), IMAGES, trace=True).tensors
        for quantised in (divided, whole)
    )
    assert one.keys() == other.keys()
    for name in one:
        if ".attn.attn" in name:
            break
        assert np.array_equal(one[name], other[name]), name
    thresholds = [
        next(
            layer.epilogue.neuron.thresholds
            for layer in integer_model(quantised, name="t").layers
            if isinstance(layer, Query)
        )
        for quantised in (divided, whole)
    ]
    # 2 I / (64 sqrt(dk)) against 2 I / sqrt(dk).
    assert (thresholds[1] <= -(-thresholds[0] // 64)).all()
    assert (thresholds[1] >= thresholds[0] // 64).all()


@pytest.mark.parametrize("rounding", list(Rounding))
def test_a_dyadic_network_is_exported_without_loss(rounding):
    quantised = dyadic_quantised(1, rounding=rounding, **LIVELY)
    scores, spikes = float_spikes(quantised.network, to_maps(IMAGES).double())
    model = integer_model(quantised, name="t")
    result = golden.run(model, IMAGES, trace=True)
    counts = [values for name, values in result.tensors.items() if name.endswith(".counts")]
    assert len(counts) == len(spikes)
    for ours, theirs, unit in zip(counts, spikes, units(quantised.network), strict=True):
        assert (ours * float(unit) == theirs.numpy()).all()
    assert (result.logits * model.head.epilogue.scale == scores.numpy()).all()


@pytest.mark.parametrize("rounding", list(Rounding))
def test_the_other_rounding_rule_is_found(rounding):
    quantised = dyadic_quantised(1, rounding=rounding, **LIVELY)
    assert compare(integer_model(quantised, name="t"), quantised, IMAGES) > 0
    other = Rounding.HALF_EVEN if rounding is Rounding.HALF_UP else Rounding.HALF_UP
    turned = QuantisedNetwork.of(
        quantised.network.modules_of, quantised.grids, weight_bits=8, rounding=other
    )
    model = integer_model(turned, name="t")
    with pytest.raises(ExportError, match=r"\.counts must be"):
        compare(model, quantised, IMAGES)


def with_layer(model, name, change):
    """Model in which ``change`` made another layer of the one called ``name``."""
    layers = tuple(change(layer) if layer.name == name else layer for layer in model.layers)
    return replace(model, layers=layers)


def busy_step(model, name):
    """Channel and step of a threshold that some potential meets exactly."""
    layer = next(layer for layer in model.layers if layer.name == name)
    tensors = golden.run(model, IMAGES, trace=True).tensors
    values = tensors[layer.source] if isinstance(layer, Conv | Sum) else None
    if isinstance(layer, Sum):
        potential = values.sum((2, 3), keepdims=True)
    elif isinstance(layer, Query):
        queries, memory = tensors[layer.queries], tensors[layer.memory]
        split = queries.reshape(len(queries), layer.heads, memory.shape[2], -1)
        potential = np.einsum("nhit,nhij->nhjt", split, memory)
        potential = potential.reshape(len(queries), -1, *queries.shape[2:])
    elif isinstance(layer.epilogue, Write):
        potential = tensors[f"{name}.stream"]
    else:
        potential = convolve(values, layer.weight, layer.axes, layer.groups)
    thresholds = layer.epilogue.neuron.thresholds
    across = np.broadcast_to(thresholds, (potential.shape[1], thresholds.shape[1]))
    for channel, step in np.ndindex(across.shape):
        if (potential[:, channel] == across[channel, step]).any():
            return (channel if len(thresholds) > 1 else 0), step
    raise AssertionError(f"no potential of {name} meets a threshold")


def raise_threshold(channel, step):
    def change(layer):
        thresholds = layer.epilogue.neuron.thresholds.copy()
        thresholds[channel, step] += 1
        neuron = Neuron(thresholds, layer.epilogue.neuron.rounding)
        return replace(layer, epilogue=replace(layer.epilogue, neuron=neuron))

    return change


@pytest.mark.parametrize(
    "name",
    [
        "downsample3",
        "ConvBlock1_1.0.Conv.dwconv",
        "block3.0.attn.q",
        "block3.0.attn.attn",
        "block4.0.mlp.fc1",
    ],
)
def test_a_threshold_off_by_one_is_found(name):
    quantised = dyadic_quantised(1, **LIVELY)
    model = integer_model(quantised, name="t")
    faulty = with_layer(model, name, raise_threshold(*busy_step(model, name)))
    with pytest.raises(ExportError, match=rf"^{name}\.counts must be \d+ at image \d+, position"):
        compare(faulty, quantised, IMAGES)


@pytest.mark.parametrize(
    ("name", "noun"),
    [
        ("downsample1_1", ".stream"),
        ("ConvBlock1_2.0", ".stream"),
        ("block3.0.attn.v", ".counts"),
        ("block4.0", ".stream"),
        ("head", None),
    ],
)
def test_one_changed_weight_is_found(name, noun):
    quantised = dyadic_quantised(1, **LIVELY)
    model = integer_model(quantised, name="t")

    def change(layer):
        # The middle of the kernel, at the input that spikes most.
        source = golden.run(model, IMAGES, trace=True).tensors[layer.source]
        channel = int(source.sum((0, 2, 3)).argmax())
        weight = layer.weight.copy()
        middle = weight.shape[2] // 2
        weight[0, channel, middle, middle] ^= 64
        return replace(layer, weight=weight)

    tensor = "logits" if noun is None else f"{name}{noun}"
    with pytest.raises(ExportError, match=f"^{tensor} must be"):
        compare(with_layer(model, name, change), quantised, IMAGES)


def swap_heads(layer):
    width = layer.weight.shape[0] // 2
    return replace(layer, weight=np.roll(layer.weight, width, axis=0))


def drop_bias(layer):
    return replace(layer, epilogue=replace(layer.epilogue, bias=layer.epilogue.bias + 1))


def shift_once_more(layer):
    return replace(layer, epilogue=replace(layer.epilogue, shift=layer.epilogue.shift + 1))


@pytest.mark.parametrize(
    ("name", "change", "tensor"),
    [
        ("block3.0.attn.q", swap_heads, "block3.0.attn.q.counts"),
        ("block4.0.attn", drop_bias, "block4.0.attn.stream"),
        ("downsample3", shift_once_more, "downsample3.stream"),
        ("head", drop_bias, "logits"),
    ],
)
def test_other_faults_are_found_where_they_are(name, change, tensor):
    quantised = dyadic_quantised(1, **LIVELY)
    faulty = with_layer(integer_model(quantised, name="t"), name, change)
    with pytest.raises(ExportError, match=f"^{tensor} must be"):
        compare(faulty, quantised, IMAGES)


def test_a_layer_too_few_is_found():
    quantised = random_quantised(0)
    model = integer_model(quantised, name="t")

    def rename(layer):
        if layer.name == "head.sum":
            return replace(layer, name="head.total")
        return replace(layer, sources=("head.total.counts",)) if layer.name == "head" else layer

    layers = tuple(rename(layer) for layer in model.layers)
    with pytest.raises(ExportError, match=r"^head\.sum\.counts must be computed by both sides"):
        compare(replace(model, layers=layers), quantised, IMAGES)


def test_export_writes_what_it_compared(tmp_path):
    quantised = random_quantised(0, bits=4)
    path = tmp_path / "t.safetensors"
    model, compared = export(quantised, path, IMAGES, name="t", notes={"seed": 0})
    loaded = golden.load(path)
    assert compared == compare(loaded, quantised, IMAGES)
    assert loaded.notes == {"seed": 0}
    assert loaded.mean_counts == model.mean_counts == golden.mean_counts(model, IMAGES)
    kinds = {type(layer) for layer in loaded.layers}
    epilogues = {type(layer.epilogue) for layer in loaded.layers if layer.epilogue is not None}
    assert kinds == {Conv, KeyValue, Query, Sum}
    assert epilogues == {Fire, Write, Output}


def test_nothing_is_left_behind_where_the_sides_differ(tmp_path, monkeypatch):
    quantised = random_quantised(0)
    faulty = with_layer(integer_model(quantised, name="t"), "head", drop_bias)
    monkeypatch.setattr("train.export.export.integer_model", lambda *arguments, **named: faulty)
    with pytest.raises(ExportError, match="^logits must be"):
        export(quantised, tmp_path / "t.safetensors", IMAGES, name="t")
    assert list(tmp_path.iterdir()) == []

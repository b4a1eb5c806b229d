"""The large family: names, parameters, folding, heads, and a small one in hardware."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import golden
from golden import AnalogHead, ModelError, SpikeCode
from golden.ops import Conv, Output
from hw.build import build
from hw.compiler import compile_model
from sim.verify import verify
from tests.training import random_images, random_network, random_quantised, run_config
from train.data.sets import DataSplit, load_split
from train.export.export import export
from train.families.configuration import NetworkConfig
from train.families.large import LargeSpikeFormer
from train.interpret.find import find_grids
from train.interpret.float_run import FloatRun
from train.interpret.lower import integer_model
from train.network.build import build as build_network
from train.network.build import count_parameters, layered
from train.network.images import to_maps
from train.network.quantised import QuantisedNetwork
from train.projection import Chain, ScaledNorm, normalise
from train.run.config import QuantiseConfig, from_builtins, to_builtins
from train.run.fit import fit


SMALL = {
    "family": "large",
    "dims": (4, 4, 8),
    "depths": (2,),
    "heads": 2,
    "strides": (1, 2, 1, 1),
    "head": "both",
}

#: Per published size and expansions: parameters without and with the distilled head.
PARAMETERS = {
    ((128, 256, 512), (1.5, 1.0)): (82_502_952, 83_015_952),
    ((196, 384, 768), (1.5, 0.0)): (170_971_714, 171_740_714),
}


def published(dims, expansions, head):
    return NetworkConfig(
        family="large",
        image=(224, 224, 3),
        classes=1000,
        dims=dims,
        depths=(12,),
        heads=8,
        strides=(2, 2, 2, 2),
        head=head,
        expansions=expansions,
    )


@pytest.mark.parametrize("size", PARAMETERS)
def test_the_published_sizes_have_the_published_parameters(size):
    with torch.device("meta"):
        analog, both = (build_network(published(*size, head)) for head in ("analog", "both"))
    assert (count_parameters(analog), count_parameters(both)) == PARAMETERS[size]
    # The branch of a block has 12 entries, and there are 12 blocks.
    assert len(both.state_dict()) == (1240 if size[1][1] else 1240 - 144)


def test_parameters_are_named_as_in_the_checkpoints():
    names = set(random_network(0, **SMALL).state_dict())
    for name in (
        "ConvBlock1_1.0.conv1.0.0.bias",
        "ConvBlock2_2.0.conv2.0.1.running_var",
        "block3.1.layer_scale2",
        "block3.0.rep_conv.conv1.1.weight",
        "block3.0.rep_conv.conv2.0.weight",
        "block3.0.attn.q_conv.0.conv2.1.bias",
        "block3.0.attn.proj_conv.1.weight",
        "block3.0.mlp.fc1_conv.weight",
        "head.bias",
        "head_kd.weight",
    ):
        assert name in names


def stages(seed, expansion=1.5):
    torch.manual_seed(seed)
    hidden = int(6 * expansion)

    def stage(channels, out_channels):
        norm = torch.nn.BatchNorm2d(out_channels)
        for values in (norm.weight.data, norm.bias.data, norm.running_mean):
            values.normal_()
        norm.running_var.uniform_(0.5, 2)
        conv = torch.nn.Conv2d(channels, out_channels, 1, bias=False)
        return torch.nn.Sequential(conv, norm).double().eval()

    return stage(6, hidden), stage(hidden, 6)


@pytest.mark.parametrize("last_norm", [True, False])
def test_two_stages_fold_to_one_matrix(last_norm):
    first, second = stages(0)
    layer = Chain([*first, *(second if last_norm else second[:1])])
    inputs = torch.randn(3, 6, 4, 5).double()
    folded = torch.nn.functional.conv2d(inputs, layer.weight, layer.bias)
    # The paper's fold; float64 rounds sums of other order differently in the last bits.
    assert (folded - layer(inputs)).abs().max() < 1e-12
    assert layer.weight.shape == (6, 6, 1, 1)


@pytest.mark.parametrize("kind", [torch.nn.BatchNorm1d, torch.nn.BatchNorm2d])
def test_a_layer_scale_is_part_of_its_norm(kind):
    torch.manual_seed(0)
    norm = kind(4).eval()
    norm.weight.data.normal_()
    norm.bias.data.normal_()
    scale = SimpleNamespace(values=torch.randn(4))
    potential = torch.randn(2, 4, 3, 3)
    expected = normalise(potential, norm) * scale.values[:, None, None]
    scaled = ScaledNorm(norm, scale)
    assert torch.equal(normalise(potential, scaled), expected)
    assert torch.equal(scaled.weight, norm.weight * scale.values)
    assert torch.equal(scaled.bias, norm.bias * scale.values)
    assert scaled.eps == norm.eps


def test_the_two_heads_are_averaged_in_floating_point():
    network = random_network(1, **SMALL)
    images = to_maps(random_images(5))
    run = FloatRun()
    assert torch.equal(layered(network)(images, run), network(images))
    assert set(run.scores) == {"head", "head_kd"}
    assert not torch.equal(*run.scores.values())
    assert torch.equal(network(images), sum(run.scores.values()) / 2)


@pytest.mark.parametrize(
    ("seed", "bits", "head", "changes"),
    [
        (1, 8, "spike", {}),
        (2, 4, "analog", {}),
        (3, 4, "spike", {"max_count": 7}),
        (4, 8, "analog", {"neuron": "i-lif"}),
        (5, 2, "spike", {"expansions": (1.0, 1.5)}),
        (6, 4, "spike", {"expansions": (1.5, 0.0)}),
    ],
)
def test_export_is_exact_with_either_head(tmp_path, seed, bits, head, changes):
    quantised = random_quantised(seed, bits=bits, exported=head, **(SMALL | changes))
    model, compared = export(quantised, tmp_path / "m.safetensors", random_images(24), name="large")
    assert compared > 0
    assert isinstance(model.layers[-1], AnalogHead if head == "analog" else Conv)
    loaded = golden.load(tmp_path / "m.safetensors")
    again = golden.run(loaded, random_images(24, seed=1)).logits
    assert np.array_equal(again, quantised.run(random_images(24, seed=1))["logits"])
    names = [layer.name for layer in model.layers]
    assert ("block3.0.rep_conv" in names) == (seed != 6)
    assert not any(name.startswith("block4") or ".pwconv" in name for name in names)


def test_attention_of_the_large_family_has_published_thresholds():
    model = integer_model(random_quantised(1, **SMALL), name="large")
    thresholds = {
        layer.name: layer.epilogue.neuron.thresholds.tolist()
        for layer in model.layers
        if layer.name.endswith(".attn")
    }
    # u = I / 512 for every dk, and half-up: 256 (2 j - 1).
    assert set(map(str, thresholds.values())) == {"[[256, 768, 1280, 1792]]"}


def test_the_analog_head_is_a_dot_product_with_token_sums():
    quantised = random_quantised(7, exported="analog", **SMALL)
    model = integer_model(quantised, name="large")
    images = random_images(6)
    tensors = golden.run(model, images, trace=True).tensors
    head = model.layers[-1]
    stream = tensors[head.source]
    expected = [
        [
            sum(int(w) * int(s) for w, s in zip(row, image.sum((1, 2)), strict=True)) + int(bias)
            for row, bias in zip(head.weight, head.epilogue.bias, strict=True)
        ]
        for image in stream
    ]
    assert tensors["logits"].tolist() == expected
    low, high = golden.model.ranges.analyse(model).logits
    assert (tensors["logits"] >= low).all()
    assert (tensors["logits"] <= high).all()


def test_what_breaks_the_rules_of_an_analog_head():
    model = integer_model(random_quantised(7, exported="analog", **SMALL), name="large")
    head = model.layers[-1]

    def refused(sentence, **changes):
        broken = replace(model, layers=(*model.layers[:-1], replace(head, **changes)))
        with pytest.raises(ModelError, match=sentence):
            golden.validate(broken)

    golden.validate(model)
    refused("Layer head: weights must have shape", weight=head.weight[:, 1:])
    refused("Layer head: source .* must be a tensor of stream", source="downsample3.counts")
    refused("Layer head: the epilogue must be one of output", epilogue=model.layers[0].epilogue)
    refused("Layer head: weight width must be 2 to 16 bits", weight_bits=17)
    refused(
        "Layer head: the bias must be int64",
        epilogue=Output(head.epilogue.bias[1:], head.epilogue.scale),
    )


def test_hardware_refuses_the_analog_head_in_one_sentence():
    model = integer_model(random_quantised(7, exported="analog", **SMALL), name="large")
    with pytest.raises(
        ValueError,
        match=r"^Hardware runs heads that read spikes, and head reads "
        r"a stream: export with --head spike$",
    ):
        compile_model(model, columns=2, lanes=8, spike_code=SpikeCode.BIT_SERIAL)


def test_a_network_without_the_asked_head_says_so():
    with pytest.raises(ValueError, match="the network has no spike head, so export its analog"):
        random_quantised(1, **(SMALL | {"head": "analog"}), exported="spike")


def test_a_large_network_trains_through_all_phases_and_exports(tmp_path, monkeypatch):
    split = load_split(run_config())
    few = DataSplit(
        split.train_images[:257],
        split.train_labels[:257],
        split.test_images[:20],
        split.test_labels[:20],
    )
    monkeypatch.setattr("train.run.fit.load_split", lambda *_: few)
    config = run_config(**SMALL)
    assert from_builtins(to_builtins(config)) == config
    state = fit(config, tmp_path, seed=0)
    assert state.accuracy["quantised"] == state.accuracy["golden"]
    fresh = LargeSpikeFormer(config.network)
    assert state.network.keys() == fresh.state_dict().keys()
    for head in ("spike", "analog"):
        _, compared = export(
            state.quantised(head=head),
            tmp_path / f"{head}.safetensors",
            few.test_images,
            name="large",
        )
        assert compared > 0


@pytest.mark.sim
@pytest.mark.parametrize(
    ("array", "code"),
    [
        ((2, 8), SpikeCode.BIT_SERIAL),
        pytest.param((1, 8), SpikeCode.THERMOMETER, marks=pytest.mark.full),
    ],
)
def test_a_small_large_network_equals_golden_in_hardware(project_root, tmp_path, array, code):
    network = random_network(11, **(SMALL | {"dims": (4, 4, 16)}))
    for block in network.block3:
        for projection in (block.attn.q_conv, block.attn.k_conv, block.attn.v_conv):
            # Enough spikes that attention passes its first thresholds.
            projection[1].bias.data += 1.5
    grids = find_grids(layered(network), QuantiseConfig(weight_bits=4))
    model = integer_model(QuantisedNetwork.of(network, grids, weight_bits=4), name="large")
    images = random_images(4, seed=2)
    assert golden.run(model, images, trace=True).tensors["block3.1.attn.attn.counts"].any()
    plan = compile_model(model, columns=array[0], lanes=array[1], spike_code=code)
    build(plan, tmp_path)
    figures = verify(tmp_path, model, images, cache=project_root / "build" / "sim")
    assert figures["first_mismatch"] is None
    assert figures["mismatches"] == 0
    assert figures["images"] == 4
    assert figures["cycles"] == figures["predicted_cycles"]

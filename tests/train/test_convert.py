"""Conversion of official checkpoints: exact where it can be, else measured."""

import json

import numpy as np
import pytest
import torch

import golden
from hw.compiler import compile_model
from tests.conversion import OPTIONS, SMALL, convert, small_state
from tests.plain import PlainForward, PlainLargeForward, dyadic_state
from tests.training import network_config, random_images, random_network
from train.families.e_spikeformer import published
from train.network.images import to_maps
from train.nn import pixels
from train.run.official import describe, load
from train.run.parameters import read_parameters


def assert_exact(folder, state, shape, images, head=None):
    """Golden's logits are those of the plain float64 network."""
    model = golden.load(folder / "m.safetensors")
    logits = golden.run(model, images).logits * model.head.epilogue.scale
    plain = PlainForward if head is None else PlainLargeForward
    forward = plain({name: values.double() for name, values in state.items()}, shape, eps=0)
    with torch.no_grad():
        scores = forward(to_maps(images).double())
    wanted = (scores if head is None else scores[head]).numpy()
    assert np.array_equal(logits, wanted)
    assert len(np.unique(wanted, axis=0)) == len(images)
    report = json.loads((folder / "m.json").read_text())
    assert report["exact"]
    assert report["equal_logits"] == report["images"] == len(images)
    assert set(report["mismatches"].values()) == {0}


def test_dyadic_parameters_are_converted_exactly(tmp_path, capsys):
    state, images = small_state(), random_images(4, (32, 32, 3))
    assert convert(tmp_path, state, *OPTIONS, images=images) == 0
    out = capsys.readouterr().out
    assert out.startswith("logits equal the float64 network's on 4 of 4 images\n")
    assert out.splitlines()[-1].startswith("pixels were taken as x/256 (--pixels unit); ")
    assert_exact(tmp_path, state, network_config(**SMALL), images)


@pytest.mark.parametrize(
    "size",
    [
        "t",
        *(pytest.param(size, marks=pytest.mark.full) for size in "sml"),
    ],
)
def test_published_sizes_are_converted_exactly(tmp_path, size):
    shape = published(size.upper())
    state, images = dyadic_state(shape, 2), random_images(2, (224, 224, 3))
    assert (
        convert(
            tmp_path,
            {"model": state},
            "--size",
            size,
            "--bn-eps",
            "0",
            "--threads",
            "2",
            images=images,
        )
        == 0
    )
    assert_exact(tmp_path, state, shape, images)
    model = golden.load(tmp_path / "m.safetensors")
    assert (model.input.pictures, model.class_names) == ({"resize": 232, "crop": [224, 224]}, {})


LARGE = {
    "family": "large",
    "image": (64, 64, 3),
    "dims": (16, 16, 32),
    "depths": (2,),
    "heads": 8,
    "strides": (2, 2, 2, 2),
    "stem_kernel": 7,
    "head": "both",
}


def test_the_mean_colour_is_subtracted_inside_and_on_the_border(tmp_path):
    """The constant channel is exact: only rounding to float64 differs from the official input."""
    state, images = small_state(), random_images(4, (32, 32, 3))
    path = tmp_path / "w.pth"
    torch.save(state, path)
    parameters = read_parameters(path).values
    shape = describe(parameters, path, family="base", image_size=32)
    network = load(parameters, shape, path, bn_eps=0, imagenet=True)
    assert network.network.pixel_constant == 128
    mean, deviation = (
        torch.tensor(values, dtype=torch.float64)[:, None, None]
        for values in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    )
    theirs = (to_maps(images).double() / 255 - mean) / deviation
    conv = torch.nn.Conv2d(3, 4, 7, 2, 3).double()
    conv.load_state_dict({
        noun: state[f"downsample1_1.encode_conv.{noun}"].double() for noun in ("weight", "bias")
    })
    with torch.no_grad():
        wanted = conv(theirs)
        entry = pixels(to_maps(images).double(), constant=128)
        found = network.downsample1_1.encode_conv(entry)
    assert (found - wanted).abs().max() < 1e-12 * wanted.abs().max()


def test_a_network_for_colours_less_their_mean_runs_on_three_channels(tmp_path, capsys):
    images = random_images(4, (32, 32, 3))
    assert convert(tmp_path, small_state(), *OPTIONS, "--pixels", "imagenet", images=images) == 0
    model = golden.load(tmp_path / "m.safetensors")
    assert model.pixel_constant == 128
    assert golden.run(model, images, trace=True).tensors["pixels"].shape == (4, 4, 32, 32)
    report = json.loads((tmp_path / "m.json").read_text())
    assert 0 < report["mismatches"]["downsample1_1"] < 0.1
    out = capsys.readouterr().out
    assert "same class on" in out
    assert out.splitlines()[-1].startswith("pixels were taken as (x/255 - mean)/deviation of ")


def test_gray_pixels_have_one_convention(tmp_path, capsys):
    state = dyadic_state(network_config(**SMALL | {"image": (32, 32, 1)}), 1)
    assert convert(tmp_path, state, *OPTIONS) == 0
    assert "pixels were taken" not in capsys.readouterr().out


@pytest.mark.parametrize("head", ["spike", "analog"])
def test_dyadic_parameters_of_the_large_family_are_converted_exactly(tmp_path, head):
    shape = network_config(**LARGE)
    state, images = dyadic_state(shape, 4), random_images(4, (64, 64, 3))
    assert (
        convert(
            tmp_path,
            state,
            "--family",
            "espikeformer-large",
            "--head",
            head,
            "--image-size",
            "64",
            "--bn-eps",
            "0",
            images=images,
        )
        == 0
    )
    assert_exact(tmp_path, state, shape, images, head)


@pytest.mark.parametrize("head", ["spike", "analog"])
def test_what_is_not_exact_is_measured_layer_by_layer(tmp_path, capsys, head):
    state = random_network(3, **LARGE).state_dict()
    assert (
        convert(
            tmp_path,
            state,
            "--family",
            "espikeformer-large",
            "--head",
            head,
            "--image-size",
            "64",
            images=random_images(3, (64, 64, 3)),
        )
        == 0
    )
    report = json.loads((tmp_path / "m.json").read_text())
    assert not report["exact"]
    layers = golden.load(tmp_path / "m.safetensors").layers
    fired = {
        layer.name
        for layer in layers
        if layer.epilogue is not None and layer.epilogue.neuron is not None
    }
    assert set(report["mismatches"]) == fired
    assert 0 < max(report["mismatches"].values()) < 0.05
    out = capsys.readouterr().out
    assert "counts that differ, teacher-forced" in out
    assert "same class on" in out


@pytest.mark.parametrize(
    ("heads", "options", "sentence"),
    [
        ("analog", [], "the network has no spike head (head_kd), which it would run"),
        ("both", ["--head", "analog"], "--head spike makes one that it runs"),
        ("both", [], None),
        ("spike", [], None),
    ],
)
def test_a_model_that_hardware_will_not_run_is_called_so(
    tmp_path, capsys, heads, options, sentence
):
    state = dyadic_state(network_config(**LARGE | {"head": heads}), 4)
    assert (
        convert(tmp_path, state, "--family", "espikeformer-large", "--image-size", "64", *options)
        == 0
    )
    out = capsys.readouterr().out
    if sentence is None:
        assert "hardware will not run" not in out
        compile_model(
            golden.load(tmp_path / "m.safetensors"),
            columns=1,
            lanes=4,
            spike_code=golden.SpikeCode.BIT_SERIAL,
        )
        return
    assert (
        "m.safetensors: hardware will not run this model, since its analog head reads no "
        f"spikes; golden will; {sentence}\n"
    ) in out
    with pytest.raises(ValueError, match="head"):
        compile_model(
            golden.load(tmp_path / "m.safetensors"),
            columns=1,
            lanes=4,
            spike_code=golden.SpikeCode.BIT_SERIAL,
        )


def test_labels_give_the_accuracy_of_both_sides(tmp_path, capsys):
    np.savez(tmp_path / "labelled.npz", images=random_images(4, (32, 32, 3)), labels=np.arange(4))
    assert (
        convert(tmp_path, small_state(), *OPTIONS, "--calibrate", str(tmp_path / "labelled.npz"))
        == 0
    )
    out = capsys.readouterr().out
    assert "right class, float: " in out
    assert "right class, golden: " in out


def test_without_images_nothing_is_compared(tmp_path, capsys):
    assert convert(tmp_path, small_state(), *OPTIONS) == 0
    assert "nothing was compared" in capsys.readouterr().out
    model = golden.load(tmp_path / "m.safetensors")
    assert not model.mean_counts
    # How pictures came to other sizes than 224 x 224 is not known.
    assert "input" not in model.notes


def test_batch_norms_are_folded_with_their_eps(tmp_path):
    found = []
    for eps in ("0", "1e-3"):
        assert convert(tmp_path, small_state(), "--image-size", "32", "--bn-eps", eps) == 0
        found.append(golden.load(tmp_path / "m.safetensors").layers[1].epilogue.neuron.thresholds)
    assert (found[0] != found[1]).any()

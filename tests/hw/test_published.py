"""The published sizes in RTL: a whole 224 x 224 image, and every layer shape at its true channels.

``make sim-full`` and ``make sim-shapes`` run what is here.
"""

import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from msgspec.structs import replace as changed
from PIL import Image
from sklearn.datasets import load_sample_image

import golden
from golden import Conv, KeyValue, Query, SpikeCode
from golden.cli.source import load_source
from golden.model.input import ModelInput
from hw.build import build
from hw.compiler import compile_model
from hw.emit.memory_images import image_words
from hw.estimate.block_rams import memory_table, require_memory
from hw.estimate.mean_cycles import estimate
from hw.fpga.devices import find_device
from hw.isa.weight_image import image_length
from sim.verify import verify
from tests.plain import dyadic_state
from tests.training import network_config
from train.__main__ import main
from train.families.e_spikeformer import published
from train.run.official import PUBLISHED


#: The array that the published sizes are simulated on, and its bus to the external memory.
ARRAY = {"columns": 4, "lanes": 16, "spike_code": SpikeCode.BIT_SERIAL, "bus_width": 128}


def exported(folder, shape, family, *, head="spike"):
    """Integer model of a network with dyadic parameters, as a checkpoint of it is converted."""
    torch.save(dyadic_state(shape, 2), folder / "w.pth")
    options = ["--head", head] if family == "espikeformer-large" else []
    assert (
        main([
            "convert",
            "--family",
            family,
            "--checkpoint",
            str(folder / "w.pth"),
            "--image-size",
            str(shape.image[0]),
            "--bn-eps",
            "0",
            *options,
            "--out",
            str(folder / "m.safetensors"),
        ])
        == 0
    )
    return golden.load(folder / "m.safetensors")


def photograph(shared, shape):
    """A real picture of 224 x 224 pixels."""
    samples = shared / "imagenet-samples"
    if samples.is_dir():
        return load_source(str(samples), ModelInput.usual(shape), count=1).images
    picture = Image.fromarray(load_sample_image("china.jpg")).crop((100, 50, 420, 370))
    return np.asarray(picture.resize((224, 224), Image.Resampling.BICUBIC))[np.newaxis]


def layer_shapes(model):
    """What distinguishes the layers of a model for the hardware, positions aside."""
    found = set()
    for layer in model.layers:
        match layer:
            case Conv():
                found.add((
                    *layer.weight.shape,
                    layer.axes[0].stride,
                    layer.depthwise,
                    type(layer.epilogue).__name__,
                ))
            case KeyValue() | Query():
                found.add((type(layer).__name__, layer.heads))
    return found


@pytest.mark.sim
@pytest.mark.full
def test_a_whole_image_of_the_tiny_network(project_root, tmp_path, capsys):
    began = time.monotonic()
    shape = published("T")
    model = exported(tmp_path, shape, "espikeformer")
    image = photograph(project_root.parent / "shared" / "data", model.image_shape)
    plan = compile_model(model, **ARRAY)
    build(plan, tmp_path / "rtl", pictures=image)
    figures = verify(tmp_path / "rtl", model, image, cache=project_root / "build" / "sim")
    assert figures["first_mismatch"] is None
    cycles, additions = figures["cycles"][0], figures["additions"][0]
    known = golden.additions(
        model, golden.run(model, image, trace=True).tensors, SpikeCode.BIT_SERIAL
    )
    assert estimate(plan, known).total == pytest.approx(cycles, rel=0.1)
    with capsys.disabled():
        print(
            f"\nE-SpikeFormer-T, one image of 224 x 224, 64 lanes: {figures['values']} values in "
            f"{figures['tensors']} tensors equal golden's; {cycles} cycles, of which "
            f"{figures['stalls'][0]} waiting for tiles; {additions} additions, "
            f"U = {additions / cycles / 64:.3f}; {time.monotonic() - began:.0f} s in all"
        )


@pytest.mark.sim
@pytest.mark.full
@pytest.mark.parametrize("size", ["S", "M", "L", "12_512"])
def test_every_layer_shape_at_its_true_channels(project_root, tmp_path, capsys, size):
    """Of the repeated blocks one is kept; maps are cropped, since a whole image takes hours."""
    dims, depths = PUBLISHED[size]
    if size.startswith("12"):
        family, options = "espikeformer-large", {"strides": (2, 2, 2, 2)}
        shape = network_config(
            family="large",
            image=(64, 64, 3),
            dims=dims,
            depths=(12,),
            heads=8,
            stem_kernel=7,
            head="both",
            classes=1000,
            **options,
        )
    else:
        family, shape = "espikeformer", changed(published(size), image=(64, 64, 3))
    cropped = changed(shape, depths=(1,) * len(depths))
    model = exported(tmp_path, cropped, family)
    assert layer_shapes(model) == layer_shapes(exported(tmp_path, shape, family))
    images = np.random.default_rng(3).integers(0, 256, (1, *model.image_shape), np.uint8)
    build(compile_model(model, **ARRAY), tmp_path / "rtl")
    figures = verify(tmp_path / "rtl", model, images, cache=project_root / "build" / "sim")
    assert figures["first_mismatch"] is None
    with capsys.disabled():
        print(
            f"\n{size}: {len(layer_shapes(model))} layer shapes, {figures['values']} values "
            f"equal golden's, {figures['cycles'][0]} cycles"
        )


@pytest.mark.parametrize(
    "size",
    [
        "T",
        *(pytest.param(size, marks=pytest.mark.full) for size in ("S", "M", "L", "12_512")),
    ],
)
def test_sizes_are_laid_out_and_what_does_not_fit_is_said(project_root, tmp_path, size):
    dims, depths = PUBLISHED[size]
    if size.startswith("12"):
        shape = network_config(
            family="large",
            image=(224, 224, 3),
            dims=dims,
            depths=depths,
            heads=8,
            strides=(2, 2, 2, 2),
            stem_kernel=7,
            head="both",
            classes=1000,
        )
        model = exported(tmp_path, shape, "espikeformer-large")
    else:
        model = exported(tmp_path, published(size), "espikeformer")
    began = time.monotonic()
    plan = compile_model(model, **ARRAY)
    total, rows, length = estimate(plan).total, memory_table(plan.required), image_length(plan)
    assert time.monotonic() - began < 30
    assert total > 5e6
    weights = sum(layer.weight.size for layer in model.layers if isinstance(layer, Conv))
    assert weights < length * 16 < 1.3 * weights + 2**18
    blocks = {row["name"]: row["blocks"] for row in rows}
    figures = (length * 16, sum(blocks.values()), blocks["spikes"], blocks["residual"], total)
    row = f"| {size} | {' | '.join(f'{figure:,.0f}' for figure in figures)} |"
    assert row in (project_root / "docs" / "checkpoints.md").read_text()
    with pytest.raises(
        ValueError,
        match=r"block RAMs, \d+ more than the 208 there are "
        r"\(spikes \d+ and",
    ):
        require_memory(find_device("ecp5-85k"), plan.required)


def test_the_length_of_an_image_is_known_before_it_is_written(tmp_path):
    shape = network_config(
        image=(32, 32, 3),
        dims=(8, 8, 16, 24),
        depths=(2, 1),
        heads=8,
        strides=(2, 2, 2, 2, 1),
        stem_kernel=7,
    )
    model = exported(tmp_path, shape, "espikeformer")
    for bus_width in (64, 128, 256):
        plan = compile_model(model, **ARRAY | {"bus_width": bus_width})
        beats = image_words(plan, plan.required)["external"]
        assert len(beats) == image_length(plan)
        assert replace(plan.required, bus_width=0).external is False

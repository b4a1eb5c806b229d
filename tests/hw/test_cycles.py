"""Predicted cycles and period of models whose pixels come late: the RTL takes exactly these."""

import json
from dataclasses import replace

import numpy as np
import pytest

import golden
from golden import (
    PIXELS,
    Axis,
    Conv,
    Fire,
    Input,
    IntegerModel,
    Neuron,
    Output,
    Rounding,
    SpikeCode,
)
from golden.analysis.model_builder import ModelBuilder
from golden.analysis.synthetic import random_images
from golden.model.ranges import widths
from hw.build import build
from hw.compiler import compile_model
from hw.estimate import generator_cycles
from hw.estimate.cycles import predict
from hw.load import lay_out
from sim.compare import Comparison, compare_counters
from sim.harness import harness
from sim.loading import load_step
from sim.runner import build as build_simulator
from sim.runner import simulate
from tests.engines import largest
from tests.models import changed


pytestmark = pytest.mark.sim

#: Pixels of which all channels count 2, and every second one 1.
BRIGHT, DARK = 120, 10

ARRAY = {"columns": 2, "lanes": 3, "spike_code": SpikeCode.SPLIT}


def builder(*shape):
    """Builder of a model of small images."""
    return ModelBuilder(
        1,
        random_images(1, 8, shape),
        max_count=4,
        weight_bits=4,
        rounding=Rounding.HALF_EVEN,
        mean_count=0.9,
    )


def read_by_the_head(model, source, *, kernel, classes):
    """The model whose head reads a whole map."""
    layer = model.conv("head", source, classes, kernel)
    bias = np.arange(classes, dtype=np.int64)
    axes = (Axis(layer.weight.shape[2]),) * 2
    model.append(replace(layer, axes=axes, epilogue=Output(bias, 2.0**-6, 0)))
    return model.model("late", classes)


def only_a_head():
    return read_by_the_head(builder(7, 7, 1), PIXELS, kernel=7, classes=3)


def head_reads_pixels_once_more():
    model = builder(5, 5, 1)
    model.fire("branch", PIXELS, 4, kernel=3)
    return read_by_the_head(model, PIXELS, kernel=5, classes=2)


def rest_is_shorter_than_an_image():
    model = builder(11, 11, 1)
    model.down("stem", 1, 1, source=PIXELS)
    model.head("stem", 2, 0)
    return model.model("short", 2)


def one_pixel_and_many_sums():
    model = builder(1, 1, 1)
    model.down("stem", 16, 1, source=PIXELS)
    model.head("stem", 3, 0)
    return model.model("pixel", 3)


def sums_that_are_negative():
    """A channel that never fires, beside two lanes that have none and must not fire either."""
    model = builder(3, 3, 1)
    model.down("stem", 1, 1, source=PIXELS)
    model.head("stem", 2, 0)
    made = changed(model.model("negative", 2), "stem", epilogue={"bias": np.array([-(1 << 14)])})
    return replace(made, widths=widths(made))


def one_queue_is_full():
    """One bank has its words first, the others theirs behind more than its queue takes."""
    channels, height, width = 3, 16, 33
    ladder = np.full((channels, 4), 256)
    ladder[:, :2] = BRIGHT
    ladder[::2, 0] = DARK
    fire = Fire(Neuron(ladder, Rounding.HALF_UP))
    ones = np.ones((channels, 1, 1, 1), np.int8)
    weight = np.resize(np.arange(-1, 2, dtype=np.int8), (2, channels, height, width))
    axes = Axis(height), Axis(width)
    output = Output(np.zeros(2, np.int64), 1.0)
    layers = (
        Conv.square("stem", PIXELS, ones, 2, 1, 0, 1, fire),
        Conv("head", ("stem.counts",), weight, 2, axes, 1, output),
    )
    model = IntegerModel("queue", Input((height, width, 1)), layers)
    return replace(model, widths=widths(model))


MODELS = (
    only_a_head,
    head_reads_pixels_once_more,
    rest_is_shorter_than_an_image,
    one_pixel_and_many_sums,
    sums_that_are_negative,
    one_queue_is_full,
)


def images_of(model):
    """Two images that take different times."""
    if model.name != "queue":
        return random_images(3, 4, model.image_shape)[2:]
    images = np.full((2, *model.image_shape), DARK, np.uint8)
    for image, lines in zip(images, (8, 6), strict=True):
        image[:lines] = BRIGHT
    return images


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory, project_root):
    """What came of two images of each model, alone and back to back, and the core that it ran on.

    Models of one D run on one core.
    """
    found = {}
    for max_count in sorted({make().max_count for make in MODELS}):
        found |= on_one_core(
            [make for make in MODELS if make().max_count == max_count],
            tmp_path_factory.mktemp("cycles"),
            project_root / "build" / "sim",
        )
    return found


def on_one_core(makers, folder, cache):
    """Configuration and outcomes of models on a core as large as all of them, by their names."""
    models = [make() for make in makers]
    # Descriptors are wider where memories are deeper.
    config = replace(
        largest([compile_model(model, **ARRAY) for model in models]), program_depth=100
    )
    build(replace(compile_model(models[-1], **ARRAY), required=config), folder)
    steps = []
    for model in models:
        steps.append(load_step(folder, lay_out(model, config), config, name=f"{id(model)}"))
        np.save(folder / f"images-{id(model)}.npy", images_of(model))
        step = {"images": f"images-{id(model)}.npy", "stall": 0.0, "classes": model.classes}
        steps += [step, step | {"back_to_back": True}]
    executable = build_simulator(harness(folder), cache, fast=True)
    simulate(executable, "sim.testbenches.tb_accelerator", folder, parameters={"steps": steps})
    found = json.loads((folder / "outcome.json").read_text())
    return {
        make.__name__: (config, found[4 * index : 4 * index + 4])
        for index, make in enumerate(makers)
    }


@pytest.mark.parametrize("make", MODELS)
def test_cycles_and_period_are_those_of_the_rtl(outcomes, make):
    config, (first, second, before, behind) = outcomes[make.__name__]
    model = make()
    plan = replace(lay_out(model, config), required=config)
    result = golden.run(model, images_of(model), trace=True)
    cycles = [predict(plan, result.tensors, image) for image in range(2)]
    assert [o["logits"] for o in (first, second, before, behind)] == 2 * result.logits.tolist()
    assert [first["cycles"], second["cycles"]] == [each.total for each in cycles]
    assert behind["ended"] - before["ended"] == cycles[1].behind(cycles[0])
    assert [layer["cycles"] for layer in behind["layers"]] == list(cycles[1].layers)

    comparison, previous = Comparison(), None
    for number, outcome in enumerate((first, second, before, behind)):
        compare_counters(comparison, number, outcome, previous)
        previous = outcome
    assert comparison.first is None


@pytest.mark.parametrize("change", [-1, 1])
def test_a_word_more_or_less_in_a_queue_takes_other_cycles(monkeypatch, change):
    model = one_queue_is_full()
    plan = compile_model(model, **ARRAY)
    tensors = golden.run(model, images_of(model), trace=True).tensors
    right = predict(plan, tensors).total
    monkeypatch.setattr(generator_cycles, "FULL", generator_cycles.FULL + change)
    assert predict(plan, tensors).total != right

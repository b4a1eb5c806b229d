"""The estimate of cycles, beside the cycle model that is exact."""

import pytest

import golden
from golden import SpikeCode
from golden.analysis.synthetic import random_images, random_model
from hw.compiler import compile_model
from hw.estimate.cycles import predict, synthetic_tensors
from hw.estimate.mean_cycles import estimate
from hw.estimate.predicted_cycles import EXACT_LIMIT, predicted_cycles


def plan_of(model, columns, lanes, code=SpikeCode.BIT_SERIAL, **options):
    return compile_model(model, columns=columns, lanes=lanes, spike_code=code, **options)


@pytest.fixture(scope="module")
def digits(project_root):
    return golden.load(project_root / "tests" / "data" / "digits.safetensors")


@pytest.mark.parametrize(
    ("columns", "lanes", "code"),
    [
        (1, 8, SpikeCode.BIT_SERIAL),
        (2, 16, SpikeCode.BIT_SERIAL),
        (4, 12, SpikeCode.BIT_SERIAL),
        (2, 16, SpikeCode.SPLIT),
        (4, 12, SpikeCode.SPLIT),
        (8, 4, SpikeCode.SPLIT),
    ],
)
def test_it_is_near_the_cycle_model(digits, columns, lanes, code):
    plan = plan_of(digits, columns, lanes, code)
    tensors = synthetic_tensors(digits)
    found, exact = estimate(plan), predict(plan, tensors)
    assert found.total == pytest.approx(exact.total, rel=0.15)
    additions = golden.additions(digits, tensors, code)
    assert sum(added for _, added in found.layers.values()) == pytest.approx(
        sum(additions.values()), rel=0.05
    )
    # What takes the most time is about the same.
    slowest = max(found.layers, key=lambda name: found.layers[name][0])
    exactly = sorted(zip(exact.layers, found.layers, strict=True), reverse=True)[:6]
    assert slowest in {name for _, name in exactly}


def test_known_additions_are_taken_over(digits):
    plan = plan_of(digits, 2, 16)
    additions = golden.additions(digits, synthetic_tensors(digits), SpikeCode.BIT_SERIAL)
    assert {
        name: added for name, (_, added) in estimate(plan, additions).layers.items()
    } == additions


def test_tiles_that_are_loaded_take_their_time(digits):
    inside, outside = plan_of(digits, 2, 16), plan_of(digits, 2, 16, bus_width=64)
    assert estimate(outside).total > estimate(inside).total
    # It has the largest tiles.
    layer = "ConvBlock2_1.0"
    assert estimate(outside).layers[layer][0] > estimate(inside).layers[layer][0]


@pytest.mark.parametrize("count", [None, 2])
def test_large_networks_are_estimated_and_small_ones_are_not(count):
    small = random_model(1)
    large = random_model(1, image_shape=(96, 96, 3), dims=(24, 24, 32, 32))
    for model, estimated in ((small, False), (large, True)):
        plan = plan_of(model, 2, 8)
        assert (estimate(plan).total * 2 > EXACT_LIMIT) == estimated
        images = None if count is None else random_images(1, count, model.image_shape)
        found = predicted_cycles(plan, images)
        assert found["from"] == ("mean counts" if count is None else "images") + (
            ", estimated" if estimated else ""
        )
        assert list(found["layers"]) == [layer.name for layer in plan.layers]
        if count is not None:
            tensors = golden.run(model, images, trace=True).tensors
            additions = golden.additions(model, tensors, SpikeCode.BIT_SERIAL)
            assert {
                name: layer["additions"] * count for name, layer in found["layers"].items()
            } == additions

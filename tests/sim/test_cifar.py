"""The committed CIFAR-10 network on real images: accuracy, size, and hardware tensor by tensor."""

import numpy as np
import pytest

import golden
from golden import SpikeCode
from hw.build import build
from hw.compiler import compile_model
from hw.estimate.block_rams import memory_table
from hw.fpga.devices import find_device
from sim.verify import verify
from tests.reported import assert_additions_are_reported


@pytest.fixture(scope="module")
def model(project_root):
    return golden.load(project_root / "tests" / "data" / "cifar10-nano.safetensors")


@pytest.fixture(scope="module")
def images(project_root):
    with np.load(project_root / "tests" / "data" / "cifar10.npz") as file:
        return file["images"], file["labels"]


@pytest.fixture(scope="module")
def plan(model):
    return compile_model(model, columns=2, lanes=16, spike_code=SpikeCode.BIT_SERIAL)


def test_the_file_says_how_well_it_was_trained(model, images):
    found = model.notes["accuracy"]
    assert found["golden"] == found["quantised"]
    assert found["golden"] >= found["float"] - 0.01
    assert golden.accuracy(model, *images) >= found["golden"] - 0.1


@pytest.mark.parametrize(
    ("columns", "code", "bus_width"),
    [(1, SpikeCode.BIT_SERIAL, 0), (4, SpikeCode.SPLIT, 64)],
)
def test_weights_spikes_and_stream_fit_an_ecp5(model, columns, code, bus_width):
    plan = compile_model(model, columns=columns, lanes=16, spike_code=code, bus_width=bus_width)
    blocks = sum(row["blocks"] for row in memory_table(plan.required))
    find_device("ecp5-85k").require(bram=blocks)


@pytest.mark.sim
@pytest.mark.parametrize(
    ("count", "stalled"), [(2, False), pytest.param(20, True, marks=pytest.mark.full)]
)
def test_every_tensor_of_the_core_is_goldens(
    project_root, tmp_path, model, images, plan, count, stalled
):
    build(plan, tmp_path)
    pixels, labels = (values[:count] for values in images)
    figures = verify(
        tmp_path,
        model,
        pixels,
        labels=labels,
        stalled=stalled,
        cache=project_root / "build" / "sim",
    )
    assert figures["first_mismatch"] is None
    assert figures["images"] == count
    assert figures["cycles"] == figures["predicted_cycles"]
    assert_additions_are_reported(model, pixels, figures)

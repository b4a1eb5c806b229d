"""The whole accelerator under Verilator: every tensor, addition and cycle equals golden's."""

import json
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

import golden
from golden import Rounding, SpikeCode
from golden.analysis.synthetic import random_images, random_model
from golden.data.digits import load_digits
from hw.build import build
from hw.compiler import compile_model
from hw.emit.build_directory import read_description
from hw.emit.memory_images import memory_words, slice_paths, sliced, write_hex
from hw.load import lay_out
from sim.compare import Comparison, compare_image, read_captures
from sim.faults import PLAN_FAULTS
from sim.harness import harness
from sim.loading import load_step
from sim.runner import build as build_simulator
from sim.runner import simulate
from sim.verify import verify
from tests.reported import assert_additions_are_reported


pytestmark = pytest.mark.sim


DATA = "tests/data"
#: Columns, lanes of each, and columns that share a firing unit.
ARRAYS = [(1, 8, 1), (2, 16, 1), (4, 12, 2)]


def full(*values):
    """Parameter set of the complete regression only."""
    return pytest.param(*values, marks=pytest.mark.full)


@pytest.fixture
def run(project_root, tmp_path):
    """Function that builds a model for an array, and compares images with golden."""

    def build_and_verify(model, images, *, array, code, **options):
        columns, lanes, per_group = array
        plan = compile_model(
            model, columns=columns, lanes=lanes, columns_per_group=per_group, spike_code=code
        )
        build(plan, tmp_path)
        return verify(tmp_path, model, images, **options, cache=project_root / "build" / "sim")

    return build_and_verify


def assert_equal(figures, *, images):
    assert figures["first_mismatch"] is None
    assert figures["mismatches"] == 0
    assert figures["images"] == images
    assert figures["cycles"] == figures["predicted_cycles"]


@pytest.mark.parametrize(
    ("array", "code", "count"),
    [
        ((2, 16, 2), SpikeCode.BIT_SERIAL, 12),
        ((4, 12, 1), SpikeCode.THERMOMETER, 6),
        *(full(array, code, 100) for array in ARRAYS for code in SpikeCode),
    ],
)
def test_digits_equal_golden(run, array, code, count):
    *_, images, labels = load_digits()
    model = golden.load(f"{DATA}/digits.safetensors")
    figures = run(model, images[:count], array=array, code=code, labels=labels[:count])
    assert_equal(figures, images=count)
    assert figures["accuracy"] >= 0.8
    if code is SpikeCode.BIT_SERIAL:
        assert_additions_are_reported(model, images, figures)


@pytest.mark.parametrize(
    ("count", "code"),
    [
        full(100, SpikeCode.BIT_SERIAL),
        full(100, SpikeCode.THERMOMETER),
        full(100, SpikeCode.TWO_BIT_SERIAL),
    ],
)
def test_half_to_even_digits_equal_golden(run, count, code):
    *_, images, _ = load_digits()
    figures = run(
        golden.load(f"{DATA}/digits-half-even.safetensors"),
        images[:count],
        array=(2, 16, 1),
        code=code,
    )
    assert_equal(figures, images=count)


@pytest.mark.parametrize(
    ("array", "code", "options"),
    [
        # Heads that share spike words, a scale 2 / sqrt(dk) that is no power of two, a constant
        # pixel channel, and a classifier whose bias is finer than its weights.
        (
            (3, 8, 3),
            SpikeCode.BIT_SERIAL,
            {
                "heads": 4,
                "dims": (8, 8, 24, 40),
                "image_shape": (9, 7, 3),
                "max_count": 2,
                "logit_shift": 6,
                "pixel_constant": 128,
            },
        ),
        ((2, 12, 1), SpikeCode.TWO_BIT_SERIAL, {"max_count": 8, "weight_bits": 5}),
        # Fewer lanes than the steps from the fetch to the holding registers.
        ((3, 2, 1), SpikeCode.TWO_BIT_SERIAL, {"dims": (4, 6, 8, 10), "image_shape": (6, 9, 1)}),
        # Words of more bits than a machine's integers.
        ((2, 72, 2), SpikeCode.TWO_BIT_SERIAL, {"dims": (8, 8, 80, 96), "image_shape": (9, 7, 3)}),
        full((1, 128, 1), SpikeCode.BIT_SERIAL, {"max_count": 8}),
        full((3, 8, 1), SpikeCode.TWO_BIT_SERIAL, {"max_count": 1}),
        full((2, 16, 2), SpikeCode.TWO_BIT_SERIAL, {"max_count": 3, "pixel_constant": 255}),
        full((1, 5, 1), SpikeCode.TWO_BIT_SERIAL, {"max_count": 15, "stem_kernel": 7}),
        full((1, 5, 1), SpikeCode.THERMOMETER, {"max_count": 1, "rounding": Rounding.HALF_UP}),
        full((5, 8, 1), SpikeCode.BIT_SERIAL, {"max_count": 15, "weight_bits": 8}),
        full(
            (6, 12, 2),
            SpikeCode.THERMOMETER,
            {"max_count": 7, "stem_kernel": 7, "classes": 13, "image_shape": (16, 12, 3)},
        ),
        full(
            (2, 32, 2),
            SpikeCode.BIT_SERIAL,
            {"strides": (2, 1, 2, 2, 1), "image_shape": (16, 16, 1)},
        ),
    ],
)
def test_random_networks_equal_golden(run, array, code, options):
    model = random_model(7, **options)
    images = random_images(7, 4, model.image_shape)
    assert_equal(run(model, images, array=array, code=code), images=4)


def test_what_is_synthesised_equals_golden(run):
    """With memories in banks, which give a wrong word while it is written, and carry cells."""
    *_, images, _ = load_digits()
    model = golden.load(f"{DATA}/digits.safetensors")
    figures = run(
        model, images[:4], array=(2, 16, 1), code=SpikeCode.TWO_BIT_SERIAL, synthesised=True
    )
    assert_equal(figures, images=4)


@pytest.fixture(scope="module")
def small(tmp_path_factory, project_root):
    """A small core: model, images, golden run, plan, folder, and its simulator."""
    model = random_model(1, weight_bits=6, rounding=Rounding.HALF_EVEN)
    images = random_images(1, 3, model.image_shape)
    plan = compile_model(model, columns=2, lanes=8, spike_code=SpikeCode.BIT_SERIAL)
    folder = tmp_path_factory.mktemp("small")
    build(plan, folder)
    executable = build_simulator(
        harness(folder), project_root / "build" / "sim", fast=True, capture=True
    )
    return model, images, golden.run(model, images, trace=True), plan, folder, executable


def simulated(small, folder, plan, steps):
    """Runs steps on the small core with the memory images of a plan."""
    *_, executable = small
    (folder / "rom").mkdir(exist_ok=True)
    config = small[3].required
    paths = slice_paths(config)
    for name, words in memory_words(plan, config).items():
        width, slices = config.memories[name][0], config.slices[name]
        for path, part in zip(paths[name], sliced(words, width, slices), strict=True):
            (folder / path).write_text(write_hex(part, width // slices))
    simulate(
        executable, "sim.testbenches.tb_accelerator", folder, parameters={"steps": steps}, limit=300
    )
    return json.loads((folder / "outcome.json").read_text()), read_captures(folder)


def compared(small, folder, plan):
    """Comparison of the small core, running a plan that may hold a fault."""
    model, images, result, intact, _, _ = small
    np.save(folder / "images.npy", images)
    steps = [{"images": "images.npy", "stall": 0.2, "classes": model.classes}]
    outcomes, captures = simulated(small, folder, plan, steps)
    comparison = Comparison()
    for image, outcome in enumerate(outcomes):
        compare_image(comparison, intact, result, image, captures, outcome)
    return comparison


def test_the_small_core_equals_golden(small, tmp_path):
    assert compared(small, tmp_path, small[3]).mismatches == 0


@pytest.mark.parametrize("fault", PLAN_FAULTS)
def test_a_fault_in_the_memories_is_named(small, tmp_path, fault):
    faulty = PLAN_FAULTS[fault](small[3], small[2].tensors)
    comparison = compared(small, tmp_path, faulty)
    assert comparison.mismatches > 0
    assert "channel" in comparison.first
    assert "position" in comparison.first


def test_another_model_runs_on_the_same_core(small, tmp_path):
    model, images, result, plan, _, _ = small
    other = random_model(2, weight_bits=4, rounding=Rounding.HALF_EVEN)
    other_plan = lay_out(other, plan.required)
    np.save(tmp_path / "images.npy", images)
    run = {"images": "images.npy", "stall": 0.1, "classes": model.classes}
    outcomes, captures = simulated(
        small, tmp_path, plan, [run, load_step(tmp_path, other_plan, plan.required, stall=0.1), run]
    )

    comparison = Comparison()
    other_result = golden.run(other, images, trace=True)
    for image, outcome in enumerate(outcomes):
        second, index = divmod(image, len(images))
        compare_image(
            comparison,
            replace(other_plan, required=plan.required) if second else plan,
            other_result if second else result,
            index,
            captures,
            outcome,
            captured_as=image,
        )
    assert comparison.first is None
    assert comparison.images == 2 * len(images)
    assert (other_result.logits != result.logits).any()


def test_a_model_that_is_loaded_right_after_reset_is_whole(small, tmp_path):
    """The first beat waits when reset ends, one cycle before the core is out of it."""
    model, images, result, plan, _, _ = small
    np.save(tmp_path / "images.npy", images)
    faulty = PLAN_FAULTS["weight_bit"](plan, result.tensors)
    outcomes, _ = simulated(
        small,
        tmp_path,
        faulty,
        [
            load_step(tmp_path, plan, plan.required),
            {"images": "images.npy", "stall": 0.0, "classes": model.classes},
        ],
    )
    assert [outcome["logits"] for outcome in outcomes] == result.logits.tolist()


@pytest.mark.parametrize("ends", [5, 70])
def test_an_image_of_the_wrong_length_is_dropped_and_the_next_one_is_right(small, tmp_path, ends):
    model, images, result, plan, *_ = small
    np.save(tmp_path / "images.npy", images[:2])
    np.save(tmp_path / "beats.npy", np.array([*range(ends), 1 << 8], np.int64))
    outcomes, _ = simulated(
        small,
        tmp_path,
        plan,
        [
            {"malformed": "beats.npy", "stall": 0.1},
            {"images": "images.npy", "stall": 0.1, "classes": model.classes},
        ],
    )
    broken, *whole = outcomes
    assert broken["error"] == 1
    assert [outcome["error"] for outcome in whole] == [0, 0]
    assert [outcome["logits"] for outcome in whole] == result.logits[:2].tolist()


def test_what_is_no_image_is_dropped_while_another_one_is_computed(small, tmp_path):
    model, images, result, plan, *_ = small
    np.save(tmp_path / "images.npy", images)
    np.save(tmp_path / "beats.npy", np.array([*range(5), 1 << 8], np.int64))
    outcomes, _ = simulated(
        small,
        tmp_path,
        plan,
        [
            {
                "images": "images.npy",
                "stall": 0.0,
                "classes": model.classes,
                "back_to_back": True,
                "between": "beats.npy",
            }
        ],
    )
    # It was dropped, and said so, before the first image's logits left.
    assert [outcome["error"] for outcome in outcomes] == [1, 0, 0]
    assert [outcome["logits"] for outcome in outcomes] == result.logits.tolist()


def test_the_same_bytes_for_every_hash_seed(small, tmp_path):
    model = tmp_path / "model.safetensors"
    golden.save(small[0], model)
    for seed in ("1", "2"):
        subprocess.run(
            [
                sys.executable,
                "-m",
                "hw.build",
                "--target",
                "sim",
                "--model",
                model,
                "--lanes-per-column",
                "8",
                "--out",
                tmp_path / seed,
            ],
            check=True,
            capture_output=True,
            env=os.environ | {"PYTHONHASHSEED": seed},
        )
    files = sorted(path.relative_to(tmp_path / "1") for path in (tmp_path / "1").rglob("*.*"))
    assert len(files) == 3 + 8 + 5 + 2
    for name in files:
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes(), name
    assert read_description(tmp_path / "1")["model"] == small[0].name

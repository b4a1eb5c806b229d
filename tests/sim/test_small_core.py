"""A small core under Verilator: other models, and faults in its memories and in what enters it."""

from dataclasses import replace

import numpy as np
import pytest

import golden
from golden import Rounding
from golden.analysis.synthetic import random_model
from hw.emit.memory_images import memory_words, slice_paths, sliced, write_hex
from hw.load import lay_out
from sim.compare import Comparison, compare_image, read_captures
from sim.faults import PLAN_FAULTS
from sim.loading import load_step
from tests.small_core import build_small_core, run_steps, simulator_of


pytestmark = pytest.mark.sim


@pytest.fixture(scope="module")
def small(tmp_path_factory, project_root):
    """The core, what golden computes of its images, and its simulator."""
    core = build_small_core(tmp_path_factory.mktemp("small"), n_images=3)
    core.result = golden.run(core.model, core.images, trace=True)
    core.executable = simulator_of(core.folder, project_root)
    return core


def simulated(small, folder, plan, steps):
    """Runs steps on the small core with the memory images of a plan."""
    (folder / "rom").mkdir(exist_ok=True)
    paths = slice_paths(small.config)
    for name, words in memory_words(plan, small.config).items():
        width, slices = small.config.memories[name][0], small.config.slices[name]
        for path, part in zip(paths[name], sliced(words, width, slices), strict=True):
            (folder / path).write_text(write_hex(part, width // slices))
    return run_steps(small.executable, folder, steps), read_captures(folder)


def compared(small, folder, plan):
    """Comparison of the small core, running a plan that may hold a fault."""
    np.save(folder / "images.npy", small.images)
    steps = [{"images": "images.npy", "stall": 0.2, "classes": small.model.classes}]
    outcomes, captures = simulated(small, folder, plan, steps)
    comparison = Comparison()
    for image, outcome in enumerate(outcomes):
        compare_image(comparison, small.plan, small.result, image, captures, outcome)
    return comparison


def test_the_small_core_equals_golden(small, tmp_path):
    assert compared(small, tmp_path, small.plan).mismatches == 0


@pytest.mark.parametrize("fault", PLAN_FAULTS)
def test_a_fault_in_the_memories_is_named(small, tmp_path, fault):
    faulty = PLAN_FAULTS[fault](small.plan, small.result.tensors)
    comparison = compared(small, tmp_path, faulty)
    assert comparison.mismatches > 0
    assert "channel" in comparison.first
    assert "position" in comparison.first


def test_another_model_runs_on_the_same_core(small, tmp_path):
    plan = small.plan
    other = random_model(2, weight_bits=4, rounding=Rounding.HALF_EVEN)
    other_plan = lay_out(other, plan.required)
    np.save(tmp_path / "images.npy", small.images)
    run = {"images": "images.npy", "stall": 0.1, "classes": small.model.classes}
    outcomes, captures = simulated(
        small, tmp_path, plan, [run, load_step(tmp_path, other_plan, plan.required, stall=0.1), run]
    )

    comparison = Comparison()
    other_result = golden.run(other, small.images, trace=True)
    for image, outcome in enumerate(outcomes):
        second, index = divmod(image, len(small.images))
        compare_image(
            comparison,
            replace(other_plan, required=plan.required) if second else plan,
            other_result if second else small.result,
            index,
            captures,
            outcome,
            captured_as=image,
        )
    assert comparison.first is None
    assert comparison.images == 2 * len(small.images)
    assert (other_result.logits != small.result.logits).any()


def test_a_model_that_is_loaded_right_after_reset_is_whole(small, tmp_path):
    """The first beat waits when reset ends, one cycle before the core is out of it."""
    np.save(tmp_path / "images.npy", small.images)
    faulty = PLAN_FAULTS["weight_bit"](small.plan, small.result.tensors)
    outcomes, _ = simulated(
        small,
        tmp_path,
        faulty,
        [
            load_step(tmp_path, small.plan, small.config),
            {"images": "images.npy", "stall": 0.0, "classes": small.model.classes},
        ],
    )
    assert [outcome["logits"] for outcome in outcomes] == small.result.logits.tolist()


@pytest.mark.parametrize("ends", [5, 70])
def test_an_image_of_the_wrong_length_is_dropped_and_the_next_one_is_right(small, tmp_path, ends):
    np.save(tmp_path / "images.npy", small.images[:2])
    np.save(tmp_path / "beats.npy", np.array([*range(ends), 1 << 8], np.int64))
    outcomes, _ = simulated(
        small,
        tmp_path,
        small.plan,
        [
            {"malformed": "beats.npy", "stall": 0.1},
            {"images": "images.npy", "stall": 0.1, "classes": small.model.classes},
        ],
    )
    broken, *whole = outcomes
    assert broken["error"] == 1
    assert [outcome["error"] for outcome in whole] == [0, 0]
    assert [outcome["logits"] for outcome in whole] == small.result.logits[:2].tolist()


def test_what_is_no_image_is_dropped_while_another_one_is_computed(small, tmp_path):
    np.save(tmp_path / "images.npy", small.images)
    np.save(tmp_path / "beats.npy", np.array([*range(5), 1 << 8], np.int64))
    outcomes, _ = simulated(
        small,
        tmp_path,
        small.plan,
        [
            {
                "images": "images.npy",
                "stall": 0.0,
                "classes": small.model.classes,
                "back_to_back": True,
                "between": "beats.npy",
            }
        ],
    )
    # It was dropped, and said so, before the first image's logits left.
    assert [outcome["error"] for outcome in outcomes] == [1, 0, 0]
    assert [outcome["logits"] for outcome in outcomes] == small.result.logits.tolist()

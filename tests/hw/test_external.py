"""Weights in an external memory: whole networks, other models, and everything that may go wrong."""

from dataclasses import replace

import numpy as np
import pytest

import golden
from golden import Rounding, SpikeCode
from golden.analysis.synthetic import random_images, random_model
from hw.build import build
from hw.compiler import compile_model
from hw.emit.memory_images import image_words, write_hex
from hw.isa.status import Status
from hw.isa.weight_image import BURST, read_image
from hw.load import lay_out
from sim.compare import Comparison, compare_image, read_captures
from sim.harness import memory_text
from sim.verify import verify
from tests.small_core import build_small_core, run_steps, simulator_of


pytestmark = pytest.mark.sim


def full(*values):
    """Parameter set of the complete regression only."""
    return pytest.param(*values, marks=pytest.mark.full)


@pytest.mark.parametrize(
    ("array", "bus_width", "code", "options"),
    [
        ((3, 16), 128, SpikeCode.SPLIT, {"weight_bits": 6}),
        full((4, 8), 64, SpikeCode.SPLIT, {"weight_bits": 8}),
        full((4, 12), 64, SpikeCode.BIT_SERIAL, {"weight_bits": 4, "dims": (12, 12, 24, 36)}),
        full((1, 32), 256, SpikeCode.BIT_SERIAL, {"max_count": 15}),
        full((1, 32), 64, SpikeCode.SPLIT, {"max_count": 8}),
        full((1, 8), 256, SpikeCode.BIT_SERIAL, {"pixel_constant": 7, "image_shape": (8, 8, 3)}),
    ],
)
def test_networks_equal_golden(project_root, tmp_path, array, bus_width, code, options):
    model = random_model(3, **options)
    columns, lanes = array
    plan = compile_model(
        model,
        columns=columns,
        lanes=lanes,
        spike_code=code,
        bus_width=bus_width,
    )
    build(plan, tmp_path)
    figures = verify(
        tmp_path,
        model,
        random_images(3, 4, model.image_shape),
        cache=project_root / "build" / "sim",
    )
    assert figures["first_mismatch"] is None
    assert figures["images"] == 4
    # Small layers wait for their tiles, and large ones do not.
    assert all(
        0 < stalls < cycles / 2
        for stalls, cycles in zip(figures["stalls"], figures["cycles"], strict=True)
    )


@pytest.fixture(scope="module")
def core(tmp_path_factory, project_root):
    """A small core with external weights, what golden computes of its images, and its simulator."""
    core = build_small_core(tmp_path_factory.mktemp("external"), n_images=2, bus_width=64)
    core.executable = simulator_of(core.folder, project_root, room=2)
    core.result = golden.run(core.model, core.images, trace=True)
    core.beats = image_words(core.plan, core.config)["external"]
    return core


def outcomes_of(core, folder, steps, memory=None):
    """Outcomes of steps with images of the core's model, and what was captured."""
    np.save(folder / "images.npy", core.images)
    np.save(folder / "one.npy", core.images[:1])
    texts = memory or {0: write_hex(core.beats, core.config.bus_width)}
    (folder / "memory.hex").write_text(memory_text(texts))
    return run_steps(core.executable, folder, steps), read_captures(folder)


def good(core, *, stall=0.2, **more):
    """Step that runs both images."""
    return {"images": "images.npy", "stall": stall, "classes": core.model.classes, **more}


def assert_right(core, outcomes):
    """Outcomes of a good step."""
    assert [outcome["logits"] for outcome in outcomes] == core.result.logits.tolist()
    assert [outcome["error"] for outcome in outcomes] == [0, 0]


def tile_beat(core, number, *, back=0):
    """Number of a beat: ``back`` beats before the checksum of a tile; 0 is the table."""
    groups = read_image(core.beats, core.config)
    at = 1
    for group in groups[: number + 1]:
        for section in group:
            width, _ = core.config.memories[section.memory]
            at += 1 + len(section.words) * -(-width // core.config.bus_width)
        at += 1
    return at - 1 - back


def test_two_models_run_on_one_core(core, tmp_path):
    other = random_model(2, weight_bits=4, rounding=Rounding.HALF_EVEN)
    plan = lay_out(other, core.config)
    beats = image_words(plan, core.config)["external"]
    at = 1 << (len(core.beats) - 1).bit_length()
    width = core.config.bus_width
    base = at * width // 8
    outcomes, captures = outcomes_of(
        core,
        tmp_path,
        [good(core), good(core, base=base), good(core)],
        {0: write_hex(core.beats, width), at: write_hex(beats, width)},
    )
    # The core's widths are those of its own model.
    plan = replace(plan, required=core.config)
    result = golden.run(other, core.images, trace=True)
    comparison = Comparison()
    for number, outcome in enumerate(outcomes):
        step, image = divmod(number, 2)
        compare_image(
            comparison,
            plan if step == 1 else core.plan,
            result if step == 1 else core.result,
            image,
            captures,
            outcome,
            captured_as=number,
        )
    assert comparison.first is None
    assert comparison.images == 6
    assert (result.logits != core.result.logits).any()


@pytest.mark.parametrize(
    ("fault", "where", "status"),
    [
        ("flipped bit", "head", Status.IMAGE),
        ("flipped bit", "table", Status.CHECKSUM),
        ("flipped bit", "first tile", Status.CHECKSUM),
        ("flipped bit", "some tile", Status.CHECKSUM),
        ("flipped bit", "last tile", Status.CHECKSUM),
        ("slave error", "head", Status.BUS),
        ("slave error", "some tile", Status.BUS),
        ("early last", "some tile", Status.BUS),
        ("no last", "some tile", Status.BUS),
        ("error on last", "some tile", Status.BUS),
        ("decerr", "some tile", Status.BUS),
        ("exokay", "some tile", Status.BUS),
        ("doubled beat", "table", Status.CHECKSUM),
        ("doubled beat", "program", Status.BUS),
        ("short burst", "table", Status.BUS),
        ("short burst", "some tile", Status.BUS),
        ("no arready", "some tile", Status.STALLED),
        ("dead", "table", Status.STALLED),
        ("dead", "some tile", Status.STALLED),
    ],
)
def test_a_fault_ends_in_its_status_and_the_next_image_is_right(
    core, tmp_path, fault, where, status
):
    tiles = sum(len(layer.tiles) for layer in core.plan.layers)
    beat = {
        "head": 0,
        "table": tile_beat(core, 0, back=3),
        "first tile": tile_beat(core, 1),
        "some tile": tile_beat(core, tiles // 2, back=5),
        "program": 2 * BURST + 3,
        "last tile": tile_beat(core, tiles, back=1),
    }[where]
    failing = {"failing": "one.npy", "stall": 0.1, "fault": [fault, beat]}
    outcomes, _ = outcomes_of(core, tmp_path, [good(core), failing, failing, good(core)])
    for outcome in outcomes[2:4]:
        assert outcome["status"] == status.value
        assert outcome["error"] == 1
        # Logits that had left are closed by one beat more, and never are all of them there.
        assert outcome["closed"] == (outcome["received"] > 0)
        assert outcome["received"] <= core.model.classes
        assert (outcome["received"] > 0) == (where == "last tile")
    assert_right(core, outcomes[:2])
    assert_right(core, outcomes[4:])


@pytest.mark.parametrize(("fault", "where"), [("flipped bit", "table"), ("dead", "some tile")])
def test_an_image_that_waits_is_dropped_or_aborted_like_the_one_before(
    core, tmp_path, fault, where
):
    beat = tile_beat(core, 3) if where == "some tile" else tile_beat(core, 0, back=3)
    failing = {"failing": "images.npy", "stall": 0.0, "fault": [fault, beat], "back_to_back": True}
    outcomes, _ = outcomes_of(core, tmp_path, [failing, good(core)])
    assert outcomes[0]["error"] == 1
    assert_right(core, outcomes[1:])


def test_an_image_for_another_core_is_refused(core, tmp_path):
    plan = compile_model(
        core.model,
        columns=2,
        lanes=8,
        spike_code=SpikeCode.BIT_SERIAL,
        bus_width=64,
        tile_depths=(2 * core.config.tile_rows, core.config.second_tile_rows),
    )
    text = write_hex(image_words(plan, plan.required)["external"], 64)
    outcomes, _ = outcomes_of(core, tmp_path, [{"failing": "one.npy", "stall": 0.0}], {0: text})
    assert outcomes[0]["status"] == Status.IMAGE.value


@pytest.mark.parametrize("cycles", [40, 1500, 9000])
def test_reset_in_the_middle_of_an_image(core, tmp_path, cycles):
    interrupted = {"interrupted": "one.npy", "reset_after": cycles, "stall": 0.1}
    outcomes, _ = outcomes_of(core, tmp_path, [interrupted, good(core), interrupted, good(core)])
    assert_right(core, outcomes[:2])
    assert_right(core, outcomes[2:])


def test_an_image_of_the_wrong_length_gives_up_what_was_read(core, tmp_path):
    channels = core.model.image_shape[2]
    np.save(tmp_path / "beats.npy", np.array([*range(5), 1 << 8 * channels], np.int64))
    outcomes, _ = outcomes_of(
        core, tmp_path, [{"malformed": "beats.npy", "stall": 0.1}, good(core)]
    )
    assert outcomes[0]["error"] == 1
    assert_right(core, outcomes[1:])


def test_a_wrong_weight_is_noticed(core, tmp_path):
    """The image is valid, but not that of the model."""
    rows = core.plan.rows.copy()
    rows[5:200] ^= 1
    faulty = replace(core.plan, rows=rows)
    beats = image_words(faulty, core.config)["external"]
    outcomes, captures = outcomes_of(core, tmp_path, [good(core)], {0: write_hex(beats, 64)})
    comparison = Comparison()
    compare_image(comparison, core.plan, core.result, 0, captures, outcomes[0])
    assert comparison.mismatches > 0

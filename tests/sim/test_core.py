"""``addend.Core``: logits and counters of a simulated core, without cocotb, and every refusal."""

import json
import subprocess
import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest

import addend
import golden
from golden import SpikeCode
from golden.analysis.synthetic import random_images, random_model
from golden.data.digits import load_digits
from golden.data.reading import InputError
from hw.build import build
from hw.compiler import compile_model
from sim.driver import drive
from sim.faults import PLAN_FAULTS
from sim.verify import verify


pytestmark = pytest.mark.sim


@pytest.fixture(scope="module")
def cache(project_root):
    return project_root / "build" / "sim"


@pytest.fixture(scope="module")
def small(tmp_path_factory, cache):
    """A small core, its model, images and golden run."""
    model = random_model(3, dims=(4, 4, 4, 4), heads=1, image_shape=(6, 5, 1))
    images = random_images(3, 4, model.image_shape)
    plan = compile_model(model, columns=1, lanes=4, spike_code=SpikeCode.SPLIT)
    folder = tmp_path_factory.mktemp("small")
    build(plan, folder)
    return SimpleNamespace(
        model=model,
        images=images,
        plan=plan,
        folder=folder,
        core=addend.Core(folder, cache=cache),
        result=golden.run(model, images, trace=True),
    )


def test_digits_equal_golden_with_the_counters_of_the_ports_and_at_full_speed(
    tmp_path, cache, record_property
):
    *_, images, _ = load_digits()
    images = images[:20]
    model = golden.load("tests/data/digits.safetensors")
    plan = compile_model(model, columns=2, lanes=16, spike_code=SpikeCode.BIT_SERIAL)
    build(plan, tmp_path)
    core = addend.Core(tmp_path, cache=cache)

    figures = verify(tmp_path, model, images, cache=cache, stalled=False)
    rate = figures["simulated_cycles"] / figures["seconds"]
    # What else the machine does meanwhile slows a run down, but seldom every one.
    fastest = 0.0
    for _ in range(8):
        begun = time.perf_counter()
        logits, counters = core.run(images)
        fastest = max(fastest, counters.cycles.sum() / (time.perf_counter() - begun))

    assert logits.shape == (20, 10)
    assert (logits == golden.run(model, images).logits).all()
    assert figures["mismatches"] == 0
    assert counters.cycles.tolist() == figures["cycles"]
    assert counters.additions.tolist() == figures["additions"]
    assert counters.stalls.tolist() == [0] * 20
    record_property(
        "printed",
        f"addend.Core: {fastest:,.0f} cycles per second; addend sim: {rate:,.0f} cycles per second",
    )
    assert fastest >= rate


def test_a_core_with_external_weights_equals_golden(tmp_path, cache):
    model = random_model(3, dims=(4, 4, 4, 4), heads=1, image_shape=(6, 5, 3))
    images = random_images(3, 20, model.image_shape)
    plan = compile_model(model, columns=1, lanes=4, spike_code=SpikeCode.BIT_SERIAL, bus_width=128)
    build(plan, tmp_path)
    fast, slow = (addend.Core(tmp_path, cache=cache, latency=latency) for latency in (0, 200))

    logits, counters = fast.run(images)
    again, waited = slow.run(images)
    figures = verify(tmp_path, model, images[:4], cache=cache, stalled=False)

    expected = golden.run(model, images).logits
    assert (logits == expected).all()
    assert (again == expected).all()
    assert figures["mismatches"] == 0
    # The memory of sim.verify answers after random times, so that cycles are others there.
    assert counters.additions[:4].tolist() == figures["additions"]
    assert waited.additions.tolist() == counters.additions.tolist()
    assert (waited.stalls > counters.stalls).all()
    assert (waited.cycles > counters.cycles).all()


def test_counters_are_those_that_are_seen_at_the_ports(small):
    core = small.core
    records = drive(core._executable, core._request(small.images, 10**6), small.folder)
    assert [record.ended - record.begun + 1 for record in records] == [
        record.cycles for record in records
    ]
    assert [record.additions for record in records] == [
        sum(int(counts[number]) for counts in additions(small).values())
        for number in range(len(records))
    ]


def additions(small):
    """Additions of each layer as golden counts them, by image."""
    plan = small.plan
    return plan.additions(small.result.tensors)


def test_runs_know_nothing_of_each_other(small):
    together, counters = small.core.run(small.images)
    assert (together == small.result.logits).all()
    for number in (2, 0):
        alone, counted = small.core.run(small.images[number : number + 1])
        assert (alone[0] == together[number]).all()
        assert counted.cycles[0] == counters.cycles[number]


def test_a_core_that_begins_empty_is_loaded_first(small, tmp_path, cache):
    build(small.plan, tmp_path, readmemh=False)
    core = addend.Core(tmp_path, cache=cache)
    logits, _ = core.run(small.images)
    assert (logits == small.result.logits).all()

    # Without the packet that signs the load, there is no model.
    del core._contents.loads[-2:]
    with pytest.raises(addend.CoreError) as caught:
        core.run(small.images)
    assert str(caught.value) == (
        f"Picture 0 has no logits: the status of the core of {tmp_path} is MODEL"
    )


def test_a_wrong_weight_gives_other_logits(small, tmp_path, cache):
    """The same Verilog, so the same simulator, and one bit of one word of a memory image."""
    build(PLAN_FAULTS["weight_bit"](small.plan, small.result.tensors), tmp_path)
    core = addend.Core(tmp_path, cache=cache)
    assert core._executable == small.core._executable
    logits, _ = core.run(small.images)
    assert (logits != small.result.logits).any()


def test_a_changed_word_is_refused(small, tmp_path, cache):
    build(small.plan, tmp_path)
    core = addend.Core(tmp_path, cache=cache)
    path = tmp_path / "rom" / "program.hex"
    head, licence, word, *rest = path.read_text().split("\n")
    path.write_text("\n".join([head, licence, f"{int(word, 16) ^ 1:08x}", *rest]))
    with pytest.raises(InputError) as caught:
        core.run(small.images)
    assert str(caught.value) == (
        f"{path} must be what it was when the core was opened, but was changed or removed; "
        "open the core again"
    )
    with pytest.raises(ValueError, match="^Memory image .* must match its digest, but was changed"):
        addend.Core(tmp_path, cache=cache)


def test_changed_verilog_is_refused(small, tmp_path, cache):
    build(small.plan, tmp_path)
    path = tmp_path / "rtl" / "accelerator.v"
    path.write_text(path.read_text() + "\n")
    with pytest.raises(InputError, match="must have the digest that accelerator.json gives for it"):
        addend.Core(tmp_path, cache=cache)
    path.unlink()
    with pytest.raises(InputError) as caught:
        addend.Core(tmp_path, cache=cache)
    assert str(caught.value) == (
        f"{path}: cannot be read (no such file or directory); build the accelerator again"
    )


def test_a_folder_without_a_core_is_refused(tmp_path, cache):
    with pytest.raises(InputError) as caught:
        addend.Core(tmp_path / "none", cache=cache)
    assert str(caught.value) == (
        f"{tmp_path / 'none' / 'accelerator.json'} must exist: build the accelerator with "
        "python -m hw.build first"
    )


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((1, 6, 5, 1), np.int64), "Images must be uint8, not int64"),
        (
            np.zeros((6, 5, 1), np.uint8),
            "Images must have shape (images, 6, 5, 1), not (6, 5, 1)",
        ),
        (
            np.zeros((2, 5, 6, 1), np.uint8),
            "Images must have shape (images, 6, 5, 1), not (2, 5, 6, 1)",
        ),
        (np.zeros((0, 6, 5, 1), np.uint8), "Images must be at least one, not 0"),
    ],
)
def test_images_that_do_not_fit_are_refused(small, images, message):
    with pytest.raises(ValueError) as caught:
        small.core.run(images)
    assert str(caught.value) == message


@pytest.mark.parametrize("cycles", [-1, 2.5, 2**64, "a", True])
def test_what_is_no_number_of_cycles_is_refused(small, cycles, cache):
    message = "must be a whole number of cycles, not"
    with pytest.raises(ValueError, match=f"^deadline {message}"):
        small.core.run(small.images, deadline=cycles)
    with pytest.raises(ValueError, match=f"^latency {message}"):
        addend.Core(small.folder, cache=cache, latency=cycles)


def test_memories_of_an_asic_are_part_of_its_verilog(small, tmp_path, cache):
    build(small.plan, tmp_path, asic=True)
    path = tmp_path / "rtl" / "sram.v"
    text = path.read_text()
    path.write_text(text.replace("<= data", "<= ~data"))
    with pytest.raises(InputError, match="must have the digest that accelerator.json gives for it"):
        addend.Core(tmp_path, cache=cache)
    path.unlink()
    with pytest.raises(InputError, match=r"sram.v: cannot be read \(no such file"):
        addend.Core(tmp_path, cache=cache)


def test_a_picture_that_takes_too_long_is_given_up(small):
    with pytest.raises(addend.CoreError) as caught:
        small.core.run(small.images, deadline=100)
    assert str(caught.value) == (
        f"Picture 0 must be done within 100 cycles, and the core of {small.folder} was not"
    )
    # The next run is right.
    assert (small.core.run(small.images)[0] == small.result.logits).all()


def test_addend_is_imported_and_a_built_core_runs_without_cocotb(small, cache, project_root):
    program = (
        "import json, sys\n"
        "sys.modules.update(dict.fromkeys(['cocotb', 'cocotb_tools', 'find_libpython', 'torch']))\n"
        "import addend, numpy\n"
        "assert 'hw' not in sys.modules and 'sim' not in sys.modules\n"
        f"core = addend.Core({str(small.folder)!r}, cache={str(cache)!r})\n"
        "print(json.dumps(core.run(numpy.array(json.load(sys.stdin), numpy.uint8))[0].tolist()))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=project_root,
        input=json.dumps(small.images.tolist()),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == small.result.logits.tolist()

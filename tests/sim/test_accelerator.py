"""The whole accelerator under Verilator: every tensor, addition and cycle equals golden's."""

import os
import subprocess
import sys

import pytest

import golden
from golden import Rounding, SpikeCode
from golden.analysis.synthetic import random_images, random_model
from golden.data.digits import load_digits
from hw.build import build
from hw.compiler import compile_model
from hw.emit.build_directory import read_description
from hw.isa.core_config import SPIKE_CODES
from sim.verify import verify
from tests.models import pooled
from tests.reported import assert_additions_are_reported


pytestmark = pytest.mark.sim


DATA = "tests/data"
#: Columns, and lanes of each.
ARRAYS = [(1, 8), (2, 16), (4, 12)]


def full(*values):
    """Parameter set of the complete regression only."""
    return pytest.param(*values, marks=pytest.mark.full)


@pytest.fixture
def run(project_root, tmp_path):
    """Function that builds a model for an array, and compares images with golden."""

    def build_and_verify(model, images, *, array, code, **options):
        columns, lanes = array
        plan = compile_model(model, columns=columns, lanes=lanes, spike_code=code)
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
        ((2, 16), SpikeCode.BIT_SERIAL, 12),
        ((3, 8), SpikeCode.SPLIT, 6),
        *(full(array, code, 100) for array in ARRAYS for code in SPIKE_CODES),
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
        full(100, SpikeCode.SPLIT),
    ],
)
def test_half_to_even_digits_equal_golden(run, count, code):
    *_, images, _ = load_digits()
    figures = run(
        golden.load(f"{DATA}/digits-half-even.safetensors"),
        images[:count],
        array=(2, 16),
        code=code,
    )
    assert_equal(figures, images=count)


@pytest.mark.parametrize(
    ("array", "code", "options"),
    [
        # Heads that share spike words, a scale 2 / sqrt(dk) that is no power of two, a constant
        # pixel channel, and a classifier whose bias is finer than its weights.
        (
            (3, 8),
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
        ((2, 12), SpikeCode.SPLIT, {"max_count": 8, "weight_bits": 5}),
        # Fewer lanes than the steps from the fetch to the holding registers.
        ((3, 2), SpikeCode.SPLIT, {"dims": (4, 6, 8, 10), "image_shape": (6, 9, 1)}),
        # Words of more bits than a machine's integers.
        ((1, 66), SpikeCode.BIT_SERIAL, {"dims": (8, 8, 68, 72), "image_shape": (5, 6, 3)}),
        full((1, 128), SpikeCode.BIT_SERIAL, {"max_count": 8}),
        full((3, 8), SpikeCode.SPLIT, {"max_count": 1}),
        full((2, 16), SpikeCode.SPLIT, {"max_count": 3, "pixel_constant": 255}),
        full((1, 5), SpikeCode.SPLIT, {"max_count": 15, "stem_kernel": 7}),
        full((1, 5), SpikeCode.SPLIT, {"max_count": 1, "rounding": Rounding.HALF_UP}),
        full((5, 8), SpikeCode.BIT_SERIAL, {"max_count": 15, "weight_bits": 8}),
        full(
            (6, 12),
            SpikeCode.SPLIT,
            {"max_count": 7, "stem_kernel": 7, "classes": 13, "image_shape": (16, 12, 3)},
        ),
        full(
            (2, 32),
            SpikeCode.BIT_SERIAL,
            {"strides": (2, 1, 2, 2, 1), "image_shape": (16, 16, 1)},
        ),
    ],
)
def test_random_networks_equal_golden(run, array, code, options):
    model = random_model(7, **options)
    images = random_images(7, 4, model.image_shape)
    assert_equal(run(model, images, array=array, code=code), images=4)


@pytest.mark.parametrize(
    ("array", "code", "max_count"),
    [full((2, 4), SpikeCode.SPLIT, 4), full((3, 5), SpikeCode.BIT_SERIAL, 5)],
)
def test_windows_of_any_size_are_pooled(run, array, code, max_count):
    model = pooled(max_count)
    assert_equal(
        run(model, random_images(7, 4, model.image_shape), array=array, code=code), images=4
    )


def test_what_is_synthesised_equals_golden(run):
    """With memories in banks, which give a wrong word while it is written, and carry cells."""
    *_, images, _ = load_digits()
    model = golden.load(f"{DATA}/digits.safetensors")
    figures = run(model, images[:2], array=(2, 8), code=SpikeCode.SPLIT, synthesised=True)
    assert_equal(figures, images=2)


def test_the_same_bytes_for_every_hash_seed(tmp_path):
    model = random_model(1, weight_bits=6, rounding=Rounding.HALF_EVEN)
    golden.save(model, tmp_path / "model.safetensors")
    for seed in ("1", "2"):
        subprocess.run(
            [
                sys.executable,
                "-m",
                "hw.build",
                "--target",
                "sim",
                "--model",
                tmp_path / "model.safetensors",
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
    # Images are those of weights, neurons, program and windows.
    assert len(files) == 3 + 7 + 16 + 6 + 2 + 1
    for name in files:
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes(), name
    assert read_description(tmp_path / "1")["model"] == model.name

"""LUTs before synthesis: the fit, and what it says about cores that it was not fitted to."""

import pytest

import golden
from golden import SpikeCode
from hw.baseline.dense_engine import DenseSize
from hw.build import build
from hw.compiler import compile_model
from hw.estimate.area_model import dense_lut, features, fit, fit_dense, predicted_lut
from hw.estimate.block_rams import memory_table
from hw.fpga.devices import DEVICES
from hw.isa.blocks import DEVICE_BLOCKS, blocks, least
from hw.isa.core_config import SPIKE_CODES
from hw.isa.memory_parts import block_rams_scarce
from tests.benchmark.calibrate import CORES
from tests.benchmark.out_of_context import route


MODEL = "tests/data/digits.safetensors"


def plan(columns, lanes, *, bus_width=0, code=SpikeCode.BIT_SERIAL):
    """Layout of the digits."""
    return compile_model(
        golden.load(MODEL),
        columns=columns,
        lanes=lanes,
        spike_code=code,
        bus_width=bus_width,
    )


def test_a_fit_finds_what_made_the_numbers():
    arrays = [
        (1, 8, 0),
        (2, 16, 64),
        (4, 8, 128),
        (4, 24, 64),
        (8, 12, 0),
        (3, 16, 0),
        (2, 32, 256),
        (6, 16, 128),
        (1, 48, 64),
    ]
    cores = [plan(*array[:2], bus_width=array[2]).required for array in arrays]
    true = {"core": 1000.0, "external bus, bits": 5.0, "accumulators, bits": 1.5, "columns": 400.0}
    measured = [
        (core, sum(value * features(core)[name] for name, value in true.items())) for core in cores
    ]
    found = fit(measured)
    assert all(value >= 0 for value in found.values())
    for core, lut in measured:
        assert sum(value * features(core)[name] for name, value in found.items()) == pytest.approx(
            lut, rel=1e-3
        )


def test_larger_cores_take_more_luts():
    small, wide, more = (
        predicted_lut(plan(*array).required) for array in ((2, 16), (2, 32), (4, 16))
    )
    assert small < wide < more


def test_the_cores_of_the_fit_are_of_every_kind():
    assert {core[3] for core in CORES} == {code.value for code in SPIKE_CODES}
    assert min(core[4] for core in CORES) == 0 < max(core[4] for core in CORES)
    assert len(set(CORES)) == len(CORES)


@pytest.mark.parametrize(
    ("count_width", "weight_width", "inputs", "lut"),
    [(3, 4, 8, 2500), (3, 8, 8, 4004), (3, 8, 16, 7972)],
)
def test_a_dense_engine_is_predicted_at_every_width(count_width, weight_width, inputs, lut):
    """Engines that were routed; two products of 8 bits take as much as three of 4."""
    size = DenseSize(outputs=8, inputs=inputs, count_width=count_width, weight_width=weight_width)
    assert dense_lut(size) == pytest.approx(lut, rel=0.01)


def test_the_fit_of_dense_engines_finds_what_made_the_numbers():
    sizes = [DenseSize(outputs=8, inputs=8, weight_width=bits) for bits in (4, 8)]
    measured = [(size, 1.5 * size.bits + 2.25 * size.adders) for size in sizes]
    assert fit_dense(measured) == {"bits": 1.5, "adders": 2.25}


def test_a_core_is_compared_with_a_dense_engine_of_its_own_widths():
    required = plan(3, 4).required
    size = DenseSize.beside(required, inputs=8)
    assert (size.outputs, size.inputs) == (3, 4)
    assert (size.count_width, size.weight_width) == (3, 4)
    wider = compile_model(
        golden.load(MODEL), columns=2, lanes=16, weight_width=8, spike_code=SpikeCode.BIT_SERIAL
    ).required
    assert DenseSize.beside(wider, inputs=8).weight_width == 8


@pytest.mark.parametrize(
    ("width", "depth", "ports", "number", "banks"),
    [
        (16, 8960, 1, 9, 2),  # 8 blocks of 8,192 x 2 bits, and one for the other 768 words
        (16, 4096, 2, 4, 1),
        (36, 512, 1, 1, 1),
        (36, 512, 2, 2, 1),
        (1, 16384, 2, 1, 1),
        (4, 31521, 2, 8, 2),
        (2, 40000, 1, 5, 5),
        (18, 4096, 2, 4, 2),
    ],
)
def test_memories_take_the_blocks_of_their_banks(width, depth, ports, number, banks):
    layout = blocks(width, depth, ports=ports)
    assert (layout.number, layout.banks) == (number, banks)
    assert least(width, depth, ports=ports).number <= number


def test_block_rams_without_a_price_spare_multiplexers():
    priced, free = (blocks(48, 2816, ports=1, scarce=scarce) for scarce in (True, False))
    assert (priced.number, priced.banks) == (9, 2)
    assert (free.number, free.banks) == (12, 1)
    assert sorted(device.bram for device in DEVICES) == list(DEVICE_BLOCKS)


@pytest.mark.parametrize(
    ("columns", "code", "bus_width", "scarce", "spikes", "slices", "multiplexed"),
    [
        (4, SpikeCode.SPLIT, 128, False, 24, 1, 0),
        # The layout of fewest LUTs would take more than 208 blocks.
        (1, SpikeCode.BIT_SERIAL, 0, True, 6, 5, 882),
        # No device holds it, whatever the layout: only what has an image is left with banks.
        (4, SpikeCode.SPLIT, 0, False, 24, 45, 0),
    ],
)
def test_block_rams_are_scarce_where_a_larger_device_would_be_needed(
    columns, code, bus_width, scarce, spikes, slices, multiplexed
):
    required = compile_model(
        golden.load("tests/data/cifar10-nano.safetensors"),
        columns=columns,
        lanes=16,
        spike_code=code,
        bus_width=bus_width,
    ).required
    rows = {row["name"]: row for row in memory_table(required)}
    assert block_rams_scarce(required) is scarce
    assert rows["spikes"]["blocks"] == spikes
    assert required.slices["neurons"] == slices
    assert sum(row["multiplexed"] for row in rows.values()) == multiplexed


@pytest.mark.synthesis
@pytest.mark.parametrize(
    "array",
    [
        (3, 8),
        pytest.param((2, 12), marks=pytest.mark.full),
        pytest.param((5, 16), marks=pytest.mark.full),
    ],
)
def test_a_core_that_was_not_fitted_is_predicted_within_a_tenth(tmp_path, array):
    layout = plan(*array, bus_width=64)
    build(layout, tmp_path)
    figures = route(tmp_path, seeds=())
    assert figures["synthesised_lut"] == pytest.approx(
        predicted_lut(layout.required, routed=False), rel=0.1
    )
    assert figures["synthesised_bram"] == sum(
        row["blocks"] for row in memory_table(layout.required)
    )

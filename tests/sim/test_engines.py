"""Engines under Verilator, each beside the golden model: the testbenches of ``sim`` do the work."""

from functools import partial

import pytest

import golden
from golden import Rounding, SpikeCode
from hw.compiler import compile_model
from hw.rtl.finder import Finder
from hw.rtl.firing import FiringUnit
from hw.rtl.group import Group
from hw.rtl.image_reader import ImageReader
from hw.rtl.lane import Lane
from hw.rtl.loader import Loader
from hw.rtl.packer import SpikePacker
from hw.rtl.pixels import PixelWriter
from hw.rtl.sequencer import Sequencer
from hw.rtl.shadows import Lanes
from hw.rtl.token_sum import TokenSum
from hw.rtl.walker import Walker
from tests.engines import group_setting, run_testbench, sizes, small_model


pytestmark = pytest.mark.sim


@pytest.fixture
def check(project_root, tmp_path):
    """Function that runs a testbench on a component."""
    return partial(run_testbench, folder=tmp_path, cache=project_root / "build" / "sim")


def full(*values, **options):
    """Parameter set of the complete regression only."""
    return pytest.param(*values, marks=pytest.mark.full, **options)


CORES = [
    pytest.param(sizes(), id="bit-serial-8"),
    pytest.param(sizes(lanes=12, code=SpikeCode.THERMOMETER), id="thermometer-12"),
    pytest.param(sizes(lanes=12, code=SpikeCode.TWO_BIT_SERIAL), id="2-bit-serial-12"),
    full(sizes(lanes=16, code=SpikeCode.TWO_BIT_SERIAL, max_count=8), id="2-bit-serial-16-8"),
    full(sizes(code=SpikeCode.TWO_BIT_SERIAL, max_count=1), id="2-bit-serial-8-1"),
    full(sizes(code=SpikeCode.TWO_BIT_SERIAL, max_count=2), id="2-bit-serial-8-2"),
    full(sizes(code=SpikeCode.TWO_BIT_SERIAL, max_count=5), id="2-bit-serial-8-5"),
    full(sizes(lanes=16, code=SpikeCode.BIT_SERIAL, max_count=15), id="bit-serial-16-15"),
    full(sizes(code=SpikeCode.THERMOMETER, max_count=15), id="thermometer-8-15"),
    full(sizes(lanes=12, max_count=1), id="bit-serial-12-1"),
    full(sizes(lanes=16, code=SpikeCode.THERMOMETER, max_count=2), id="thermometer-16-2"),
]


@pytest.mark.parametrize(
    "widths",
    [
        {"entry_width": 4, "width": 12},
        full({"entry_width": 2, "width": 3}),
        full({"entry_width": 8, "width": 22}),
    ],
)
def test_lane_sums_match_golden(check, widths):
    check(Lane(**widths), "sim.testbenches.tb_lane", widths)


@pytest.mark.parametrize(
    "widths",
    [
        {"lanes": 12, "entry_width": 4, "width": 12},
        full({"lanes": 2, "entry_width": 2, "width": 5}),
        full({"lanes": 16, "entry_width": 8, "width": 22}),
    ],
)
def test_readout_gives_every_sum(check, widths):
    check(Lanes(**widths), "sim.testbenches.tb_shadows", widths)


@pytest.mark.parametrize("config", CORES)
def test_tap_address_generator_reads_the_taps_of_golden(check, config):
    check(Walker(config), "sim.testbenches.tb_walker", {"config": config.as_dict()})


@pytest.mark.parametrize("config", CORES)
def test_event_encoder_sends_an_event_per_spike(check, config):
    check(Finder(config), "sim.testbenches.tb_finder", {"config": config.as_dict()})


@pytest.mark.parametrize("config", CORES)
def test_firing_matches_golden(check, config):
    check(FiringUnit(config), "sim.testbenches.tb_firing", {"config": config.as_dict()})


@pytest.mark.parametrize("config", CORES)
def test_packer_stores_the_words_of_golden(check, config):
    check(SpikePacker(config), "sim.testbenches.tb_packer", {"config": config.as_dict()})


@pytest.mark.parametrize("config", CORES)
def test_token_sum_matches_golden(check, config):
    check(TokenSum(config), "sim.testbenches.tb_token_sum", {"config": config.as_dict()})


@pytest.mark.parametrize(
    "config",
    [
        sizes(),
        sizes(pixel_constant=200),
        full(sizes(pixel_channels=1)),
    ],
)
def test_pixels_become_planes(check, config):
    check(PixelWriter(config), "sim.testbenches.tb_pixels", {"config": config.as_dict()})


def test_loader_fills_memories(check):
    memories = {"narrow": (5, 3), "beat": (32, 40), "wide": (33, 9), "widest": (150, 17)}
    check(Loader(memories), "sim.testbenches.tb_loader", {"memories": list(memories.values())})


@pytest.mark.parametrize(
    ("columns", "per_group", "lanes", "code", "bus_width"),
    [
        (6, 2, 8, SpikeCode.TWO_BIT_SERIAL, 0),
        (2, 1, 8, SpikeCode.BIT_SERIAL, 64),
        full(1, 1, 12, SpikeCode.THERMOMETER, 0),
        full(5, 5, 4, SpikeCode.BIT_SERIAL, 128),
    ],
)
def test_sequencer_dispatches_every_job(
    check, tmp_path, columns, per_group, lanes, code, bus_width
):
    model = small_model()
    golden.save(model, tmp_path / "model.safetensors")
    config = compile_model(
        model,
        columns=columns,
        lanes=lanes,
        columns_per_group=per_group,
        spike_code=code,
        bus_width=bus_width,
    ).required
    check(
        Sequencer(config),
        "sim.testbenches.tb_sequencer",
        {"model": "model.safetensors", "config": config.as_dict()},
    )


@pytest.mark.parametrize(
    ("lanes", "bus_width"),
    [
        (8, 64),
        full(16, 128),
        full(4, 256),
    ],
)
def test_image_reader_passes_on_what_is_right(check, tmp_path, lanes, bus_width):
    model = small_model()
    golden.save(model, tmp_path / "model.safetensors")
    config = compile_model(
        model, columns=2, lanes=lanes, spike_code=SpikeCode.BIT_SERIAL, bus_width=bus_width
    ).required
    check(
        ImageReader(bus_width, fingerprint=config.fingerprint),
        "sim.testbenches.tb_image_reader",
        {"model": "model.safetensors", "config": config.as_dict()},
        limit=300,
    )


NETWORKS = [
    pytest.param(1, 8, SpikeCode.BIT_SERIAL, {}, id="bit-serial-1-8"),
    pytest.param(2, 12, SpikeCode.THERMOMETER, {"dims": (4, 4, 12, 12)}, id="thermometer-2-12"),
    pytest.param(2, 8, SpikeCode.TWO_BIT_SERIAL, {}, id="2-bit-serial-2-8"),
    full(
        1,
        12,
        SpikeCode.TWO_BIT_SERIAL,
        {"max_count": 8, "dims": (4, 4, 12, 12)},
        id="2-bit-serial-1-12-8",
    ),
    full(
        1, 8, SpikeCode.TWO_BIT_SERIAL, {"max_count": 3, "weight_bits": 8}, id="2-bit-serial-1-8-3"
    ),
    full(2, 8, SpikeCode.THERMOMETER, {"max_count": 2}, id="thermometer-2-8-2"),
    full(
        3, 4, SpikeCode.BIT_SERIAL, {"max_count": 15, "dims": (4, 6, 6, 10)}, id="bit-serial-3-4-15"
    ),
    full(1, 16, SpikeCode.BIT_SERIAL, {"max_count": 1, "weight_bits": 2}, id="bit-serial-1-16-1"),
    full(
        4,
        5,
        SpikeCode.THERMOMETER,
        {"weight_bits": 8, "rounding": Rounding.HALF_UP},
        id="thermometer-4-5",
    ),
]


@pytest.mark.parametrize(("per_group", "lanes", "code", "options"), NETWORKS)
def test_group_runs_whole_networks(check, tmp_path, per_group, lanes, code, options):
    setting = group_setting(
        tmp_path, columns_per_group=per_group, lanes=lanes, code=code, **options
    )
    check(Group(setting.config, index=0), "sim.testbenches.tb_group", setting.parameters)

"""Engines under Verilator, each beside the golden model: the testbenches of ``sim`` do the work."""

from functools import partial

import pytest

import golden
from golden import Rounding, SpikeCode
from hw.compiler import compile_model
from hw.rtl.address_generator import AddressGenerator
from hw.rtl.bank import Bank
from hw.rtl.burst_reader import BurstReader
from hw.rtl.checksum import Checksum
from hw.rtl.copier import Copier
from hw.rtl.counters import Counters
from hw.rtl.event_encoder import EventEncoder
from hw.rtl.firing import FiringUnit
from hw.rtl.image_reader import ImageReader
from hw.rtl.lane import Lane
from hw.rtl.lanes import Lanes
from hw.rtl.loader import Loader
from hw.rtl.maximum import Maximum
from hw.rtl.multiples import Multiples
from hw.rtl.packer import SpikePacker
from hw.rtl.pixels import PixelWriter
from hw.rtl.result_counters import ResultCounters
from hw.rtl.sequencer import Sequencer
from hw.rtl.tile_buffers import TileBuffers
from hw.rtl.tile_store import TileStore
from hw.rtl.token_sum import TokenSum
from hw.rtl.weight_tiles import WeightTiles
from hw.rtl.word_queue import WordQueue
from sim.testbenches.one_column import OneColumn
from tests.engines import array_setting, run_testbench, sizes, small_model


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
    pytest.param(sizes(lanes=12, code=SpikeCode.SPLIT, residual_width=9), id="split-12"),
    full(sizes(lanes=16, code=SpikeCode.SPLIT, max_count=8), id="split-16-8"),
    full(sizes(code=SpikeCode.SPLIT, max_count=1), id="split-8-1"),
    full(sizes(lanes=5, code=SpikeCode.SPLIT, max_count=2), id="split-5-2"),
    full(sizes(code=SpikeCode.SPLIT, max_count=5), id="split-8-5"),
    full(sizes(code=SpikeCode.SPLIT, max_count=15), id="split-8-15"),
    full(sizes(lanes=16, code=SpikeCode.BIT_SERIAL, max_count=15), id="bit-serial-16-15"),
    full(sizes(lanes=12, max_count=1), id="bit-serial-12-1"),
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
        {"lanes": 12, "row_width": 4, "width": 12, "weights": (2, 1, 1)},
        full({"lanes": 2, "row_width": 2, "width": 5, "weights": (1,)}),
        full({"lanes": 16, "row_width": 8, "width": 22, "weights": (4, 4, 2, 1)}),
        full({"lanes": 3, "row_width": 3, "width": 12, "weights": (8, 4, 2, 1)}),
    ],
)
def test_readout_gives_every_sum(check, widths):
    check(Lanes(**widths), "sim.testbenches.tb_lanes", widths)


#: Columns, lanes, code and bus of cores whose tables are read.
TABLES = [
    (3, 8, SpikeCode.SPLIT, 0),
    (2, 5, SpikeCode.BIT_SERIAL, 64),
    full((1, 12, SpikeCode.SPLIT, 0)),
    full((5, 4, SpikeCode.BIT_SERIAL, 128)),
    full((9, 4, SpikeCode.SPLIT, 0)),
]


@pytest.fixture
def tables(tmp_path):
    """Function that saves a model and returns the core configuration of an array."""

    def save_and_compile(columns, lanes, code, bus_width):
        model = small_model()
        golden.save(model, tmp_path / "model.safetensors")
        return compile_model(
            model, columns=columns, lanes=lanes, spike_code=code, bus_width=bus_width
        ).required

    return save_and_compile


@pytest.mark.parametrize("array", TABLES)
def test_address_generator_takes_the_steps_of_every_layer(check, tables, array):
    config = tables(*array)
    check(
        AddressGenerator(config),
        "sim.testbenches.tb_address_generator",
        {"model": "model.safetensors", "config": config.as_dict()},
    )


@pytest.mark.parametrize(
    "sizes_of_queue",
    [
        {"shape": 9, "depth": 8, "room": 3},
        full({"shape": 70, "depth": 128, "room": 7}),
        full({"shape": 1, "depth": 4, "room": 1}),
    ],
)
def test_word_queue_keeps_words_in_order(check, sizes_of_queue):
    check(WordQueue(**sizes_of_queue), "sim.testbenches.tb_word_queue", sizes_of_queue)


@pytest.mark.parametrize("width", [64, full(128), full(256)])
def test_burst_reader_passes_every_beat_on(check, width):
    check(BurstReader(width), "sim.testbenches.tb_burst_reader", {"width": width})


@pytest.mark.parametrize("width", [64, full(32), full(256)])
def test_checksum_is_that_of_the_beats(check, width):
    check(Checksum(width), "sim.testbenches.tb_checksum", {"width": width})


@pytest.mark.parametrize(
    "sizes_of_copier",
    [
        {"width": 9, "depth": 70, "target_depth": 40, "most": 12},
        full({"width": 1, "depth": 4, "target_depth": 4, "most": 3}),
    ],
)
def test_copier_sends_every_word_of_a_run(check, sizes_of_copier):
    check(Copier(**sizes_of_copier), "sim.testbenches.tb_copier", sizes_of_copier)


def test_counters_count_what_came(check):
    check(Counters(48), "sim.testbenches.tb_counters", {"most": 48})


@pytest.mark.parametrize("config", CORES[:2])
def test_result_counters_go_from_job_to_job(check, config):
    check(
        ResultCounters(config), "sim.testbenches.tb_result_counters", {"config": config.as_dict()}
    )


@pytest.mark.parametrize("count", [1, 4, full(9)])
def test_multiples_are_those_of_the_step(check, count):
    check(Multiples(count, 7), "sim.testbenches.tb_multiples", {"count": count, "width": 7})


@pytest.mark.parametrize(
    "config",
    [
        sizes(lanes=5, code=SpikeCode.SPLIT, maximum=1),
        sizes(lanes=3, max_count=9, maximum=1),
        *(full(sizes(code=SpikeCode.SPLIT, max_count=count, maximum=1)) for count in range(1, 16)),
    ],
)
def test_maximum_is_that_of_the_counts(check, config):
    check(Maximum(config), "sim.testbenches.tb_maximum", {"config": config.as_dict()})


@pytest.mark.parametrize("config", CORES)
def test_event_encoder_sends_an_event_per_spike(check, config):
    check(EventEncoder(config), "sim.testbenches.tb_event_encoder", {"config": config.as_dict()})


@pytest.mark.parametrize("config", CORES)
def test_bank_fetches_the_row_of_every_event(check, config):
    check(Bank(config), "sim.testbenches.tb_bank", {"config": config.as_dict()})


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


#: Cores whose buffers and memories have sizes of their own.
TILES = [
    pytest.param(sizes(tile_rows=20, second_tile_rows=14, weight_depth=90), id="8"),
    pytest.param(
        sizes(lanes=5, tile_rows=8, second_tile_rows=6, weight_depth=64, neuron_depth=33), id="5"
    ),
    full(sizes(lanes=3, tile_rows=2, second_tile_rows=2, weight_depth=2, neuron_depth=3), id="3"),
]


@pytest.mark.parametrize("config", TILES)
def test_rows_of_weights_are_written_beside_reads(check, config):
    check(WeightTiles(config), "sim.testbenches.tb_weight_tiles", {"config": config.as_dict()})


@pytest.mark.parametrize("config", TILES)
def test_tile_store_sends_every_tile(check, config):
    store = TileStore(config, images={"weights": (), "neurons": ()})
    check(store, "sim.testbenches.tb_tile_store", {"config": config.as_dict()})


def test_a_tile_comes_while_the_one_before_computes(check):
    check(TileBuffers(), "sim.testbenches.tb_tile_buffers", {})


@pytest.mark.parametrize("array", TABLES)
def test_sequencer_offers_every_tile(check, tables, array):
    config = tables(*array)
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
    pytest.param(8, SpikeCode.BIT_SERIAL, {}, id="bit-serial-8"),
    pytest.param(8, SpikeCode.SPLIT, {}, id="split-8"),
    full(12, SpikeCode.SPLIT, {"max_count": 8, "dims": (4, 4, 12, 12)}, id="split-12-8"),
    full(8, SpikeCode.SPLIT, {"max_count": 3, "weight_bits": 8}, id="split-8-3"),
    full(8, SpikeCode.SPLIT, {"max_count": 2}, id="split-8-2"),
    full(4, SpikeCode.SPLIT, {"max_count": 15, "dims": (4, 6, 6, 10)}, id="split-4-15"),
    full(4, SpikeCode.BIT_SERIAL, {"max_count": 15, "dims": (4, 6, 6, 10)}, id="bit-serial-4-15"),
    full(16, SpikeCode.BIT_SERIAL, {"max_count": 1, "weight_bits": 2}, id="bit-serial-16-1"),
    full(5, SpikeCode.SPLIT, {"weight_bits": 8, "rounding": Rounding.HALF_UP}, id="split-5"),
]


@pytest.mark.parametrize(("lanes", "code", "options"), NETWORKS)
def test_column_runs_whole_networks(check, tmp_path, lanes, code, options):
    setting = array_setting(tmp_path, lanes=lanes, code=code, **options)
    check(OneColumn(setting.config), "sim.testbenches.tb_column", setting.parameters)

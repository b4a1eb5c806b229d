"""Tests of the tests: the testbenches notice every fault that is planted on purpose."""

import pytest

from golden import SpikeCode
from hw.rtl.burst_reader import BurstReader
from hw.rtl.checksum import Checksum
from hw.rtl.copier import Copier
from hw.rtl.counters import Counters
from hw.rtl.event_encoder import EventEncoder
from hw.rtl.maximum import Maximum
from hw.rtl.tile_buffers import TileBuffers
from hw.rtl.tile_store import TileStore
from sim.faults import PLAN_FAULTS, LatePayload, StuckInput
from sim.runner import SimulationError
from sim.testbenches.one_column import OneColumn
from tests.engines import array_setting, run_testbench, sizes


pytestmark = pytest.mark.sim


@pytest.fixture(scope="module")
def column(tmp_path_factory, project_root):
    """Function that runs one network on a column, with or without a fault."""
    folder = tmp_path_factory.mktemp("faults")
    setting = array_setting(folder, lanes=8, code=SpikeCode.BIT_SERIAL)

    def run(fault=None):
        return run_testbench(
            OneColumn(setting.config),
            "sim.testbenches.tb_column",
            setting.parameters | {"fault": fault},
            folder=folder,
            cache=project_root / "build" / "sim",
            only="networks_match_golden/model=0",
        )

    return run


def test_a_column_without_a_fault_passes(column):
    assert len(column()) == 1


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("threshold_off_by_one", "channel .*, position .* differs"),
        ("weight_bit", "channel 0, position .*"),
        ("dropped_spike", "channel .*, position .*"),
        ("swapped_heads", r"attn.counts: channel .*, position .* differs"),
        ("half_up", "channel .*, position .* differs"),
    ],
)
def test_a_fault_in_the_memories_is_noticed(column, fault, message):
    with pytest.raises(SimulationError, match=message):
        column(fault)


def test_every_fault_has_a_test():
    assert len(PLAN_FAULTS) == 5


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("room", 1, "comes without room"),
        ("taken", 0, "tile 1 did not come"),
        ("clear", 0, "tile 0"),
    ],
)
def test_a_tile_store_that_does_not_see_an_input_is_noticed(
    project_root, tmp_path, name, value, message
):
    config = sizes(tile_rows=20, second_tile_rows=14, weight_depth=90)
    store = TileStore(config, images={"weights": (), "neurons": ()})
    with pytest.raises(SimulationError, match=message):
        run_testbench(
            StuckInput(store, name=name, value=value),
            "sim.testbenches.tb_tile_store",
            {"config": config.as_dict()},
            folder=tmp_path,
            cache=project_root / "build" / "sim",
        )


@pytest.mark.parametrize("name", ["held", "open", "again"])
def test_a_tile_that_comes_too_early_is_noticed(project_root, tmp_path, name):
    with pytest.raises(SimulationError, match="room at the wrong time"):
        run_testbench(
            StuckInput(TileBuffers(), name=name, value=0),
            "sim.testbenches.tb_tile_buffers",
            {},
            folder=tmp_path,
            cache=project_root / "build" / "sim",
        )


COPIER = {"width": 9, "depth": 70, "target_depth": 40, "most": 12}


@pytest.mark.parametrize(
    ("component", "bench", "parameters", "name", "message"),
    [
        (BurstReader(64), "tb_burst_reader", {"width": 64}, "stop", "does not become idle|behind"),
        (Checksum(64), "tb_checksum", {"width": 64}, "clear", "beats: .*, not"),
        (Checksum(64), "tb_checksum", {"width": 64}, "valid", "beats: .*, not"),
        (Copier(**COPIER), "tb_copier", COPIER, "clear", "busy at the wrong time"),
        (Copier(**COPIER), "tb_copier", COPIER, "target", "word .*, not"),
        (Counters(48), "tb_counters", {"most": 48}, "waiting", "image .*, not"),
        (Counters(48), "tb_counters", {"most": 48}, "dropped", "image .*, not"),
        (Counters(48), "tb_counters", {"most": 48}, "given_up", "image .*, not"),
        (Counters(48), "tb_counters", {"most": 48}, "stalled", "image .*, not"),
    ],
)
def test_an_input_that_is_not_seen_is_noticed(
    project_root, tmp_path, component, bench, parameters, name, message
):
    with pytest.raises(SimulationError, match=message):
        run_testbench(
            StuckInput(component, name=name, value=0),
            f"sim.testbenches.{bench}",
            parameters,
            folder=tmp_path,
            cache=project_root / "build" / "sim",
        )


@pytest.mark.parametrize(("name", "value"), [("taken", 0), ("valid", 1), ("ends", 0)])
def test_a_maximum_of_other_words_is_noticed(project_root, tmp_path, name, value):
    config = sizes(maximum=1)
    with pytest.raises(SimulationError, match="pass .*, not"):
        run_testbench(
            StuckInput(Maximum(config), name=name, value=value),
            "sim.testbenches.tb_maximum",
            {"config": config.as_dict()},
            folder=tmp_path,
            cache=project_root / "build" / "sim",
            only="density=0.2/stall=0.5",
        )


def test_a_payload_read_after_its_transfer_is_noticed(project_root, tmp_path):
    config = sizes()
    with pytest.raises(SimulationError, match="event .*, not"):
        run_testbench(
            LatePayload(EventEncoder(config), stream="words"),
            "sim.testbenches.tb_event_encoder",
            {"config": config.as_dict()},
            folder=tmp_path,
            cache=project_root / "build" / "sim",
            only="kind=dense/density=0.15/stall=0.4",
        )

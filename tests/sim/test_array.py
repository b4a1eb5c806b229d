"""The array runs whole networks, and its testbench notices what is planted."""

import pytest

from golden import SpikeCode
from hw.rtl.array import Array
from sim.faults import PLAN_FAULTS
from sim.runner import SimulationError
from tests.engines import array_setting, run_testbench


pytestmark = pytest.mark.sim


@pytest.fixture
def run(tmp_path, project_root):
    """Function that runs three networks, or tests of one of them, on an array."""

    def run(columns, lanes, code, *, fault=None, **options):
        setting = array_setting(tmp_path, columns=columns, lanes=lanes, code=code)
        return run_testbench(
            Array(setting.config),
            "sim.testbenches.tb_array",
            setting.parameters | {"fault": fault},
            folder=tmp_path,
            cache=project_root / "build" / "sim",
            **options,
        )

    return run


@pytest.mark.parametrize(
    ("columns", "lanes", "code"),
    [
        (3, 4, SpikeCode.SPLIT),
        pytest.param(2, 5, SpikeCode.SPLIT, marks=pytest.mark.full),
        pytest.param(4, 8, SpikeCode.BIT_SERIAL, marks=pytest.mark.full),
    ],
)
def test_networks_equal_golden(run, columns, lanes, code):
    assert len(run(columns, lanes, code)) == 6


@pytest.mark.parametrize("fault", PLAN_FAULTS)
def test_a_fault_is_noticed(run, fault):
    differs = r"copy 0 of \w+(\.\d)? differs|sums differ|logits"
    with pytest.raises(SimulationError, match=differs):
        run(3, 4, SpikeCode.SPLIT, fault=fault, only="networks_match_golden/model=0/stall=0.0")

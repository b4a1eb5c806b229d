"""The emitted Verilog adds and never multiplies, for every synthesis target and spike code."""

import pytest

import golden
from hw.build import build
from hw.compiler import compile_model
from hw.synthesis import multipliers


pytestmark = pytest.mark.synthesis


@pytest.fixture(scope="module", params=[code.value for code in golden.SpikeCode])
def accelerator(request, tmp_path_factory, project_root):
    """Build folder of the trained digits model on an array of one narrow column."""
    folder = tmp_path_factory.mktemp(request.param)
    model = golden.load(project_root / "tests" / "data" / "digits.safetensors")
    plan = compile_model(
        model, columns=1, lanes=4, spike_code=golden.SpikeCode(request.param))
    build(plan, folder)
    return folder


@pytest.mark.parametrize("target", ["ecp5", "xilinx", "generic"])
def test_there_is_no_multiplier_and_no_dsp(accelerator, target):
    assert multipliers(accelerator, target) == {}


@pytest.mark.full
@pytest.mark.parametrize("target", ["ecp5", "xilinx"])
def test_there_is_none_in_the_final_netlist(accelerator, target):
    assert multipliers(accelerator, target, whole=True) == {}

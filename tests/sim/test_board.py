"""The top modules of boards under Verilator, at their pins: a host bit by bit, against golden."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

import golden
from golden import SpikeCode
from hw.boards.board import BOARDS
from hw.boards.pll import highest_setting
from hw.boards.top import board_verilog
from hw.build import build
from hw.compiler import compile_model
from hw.load import lay_out
from sim.runner import Design, SimulationError, simulate
from sim.runner import build as build_simulator
from sim.simulated_board import PLL_MODEL
from tests.boards import expected_counters
from tests.engines import largest, small_model


pytestmark = pytest.mark.sim


BIT_CYCLES = 8
#: Cycles after which a frame is dropped; more than a byte takes.
GAP = 2000
#: Faults of a top module: what is replaced, what by, and the test of the bench that notices it.
FAULTS = {
    "a polynomial with a wrong bit": ("32'd3988292384", "32'd3988292385", "answers"),
    "a checksum that is always right": (
        "assign right = tail == value;",
        "assign right = 1'h1;",
        "broken",
    ),
}


@pytest.fixture(scope="module")
def core(tmp_path_factory):
    """Build directory of a core that runs two small models, and what a run needs to know."""
    folder = tmp_path_factory.mktemp("core")
    models = [small_model(), small_model(weight_bits=3)]
    array = {"columns": 1, "lanes": 4, "spike_code": SpikeCode.SPLIT}
    config = largest([compile_model(model, **array) for model in models])
    for model, name in zip(models, ("first", "second"), strict=True):
        golden.save(model, folder / f"{name}.safetensors")
    plan = replace(lay_out(models[0], config), required=config)
    build(plan, folder)
    pictures = np.random.default_rng(4).integers(0, 256, (2, *models[0].image_shape))
    counters = expected_counters(plan, pictures.astype(np.uint8))
    parameters = {
        "bit_cycles": BIT_CYCLES,
        "gap": GAP,
        "config": config.as_dict(),
        "models": ["first.safetensors", "second.safetensors"],
        "pictures": pictures.tolist(),
        "counters": counters,
    }
    return SimpleNamespace(folder=folder, config=config, parameters=parameters)


def top_text(core, board):
    setting = highest_setting(board.clock_mhz, 50)
    return board_verilog(board, core.config, setting, bit_cycles=BIT_CYCLES, gap=GAP)


def run_bench(core, board, text, project_root, **options):
    """Runs the testbench on a top module, with the core of the build directory."""
    accelerator = (core.folder / "rtl" / "accelerator.v").read_text()
    design = Design(board.top, f"{text}\n{accelerator}\n{PLL_MODEL.read_text()}", "clk")
    executable = build_simulator(design, project_root / "build" / "sim", fast=True)
    parameters = core.parameters | {"button_up": int(board.pin("button").inverted)}
    simulate(
        executable,
        "sim.testbenches.tb_board",
        core.folder,
        parameters=parameters,
        limit=600,
        **options,
    )


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.name)
def test_a_board_answers_what_golden_says(core, board, project_root):
    run_bench(core, board, top_text(core, board), project_root)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_noticed(core, fault, project_root):
    old, new, test = FAULTS[fault]
    board = BOARDS[0]
    text = top_text(core, board)
    assert old in text
    with pytest.raises(SimulationError):
        run_bench(core, board, text.replace(old, new), project_root, only=test)

"""Drivers and runner of testbenches: they notice what a stream must not do, and come to an end."""

import shutil

import pytest
from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hw.tools.process import ToolError
from sim.runner import Design, SimulationError, build, simulate
from sim.whole import STAMP


pytestmark = pytest.mark.sim


FAULTS = ("none", "changes its payload", "takes back its offer", "reads one cycle early")


class Register(wiring.Component):
    """Passes a stream on, one cycle later; ``fault`` says what it does wrong."""

    fault: In(range(len(FAULTS)))
    i: In(stream.Signature(8))
    o: Out(stream.Signature(8))

    def elaborate(self, platform):
        m = Module()
        early = Signal(8)
        m.d.sync += early.eq(self.i.payload)
        m.d.comb += self.i.ready.eq(self.o.ready | ~self.o.valid)
        with m.If(self.i.ready):
            m.d.sync += [
                self.o.valid.eq(self.i.valid),
                self.o.payload.eq(Mux(self.fault == 3, early, self.i.payload)),
            ]
        with m.Elif(self.fault == 1):
            m.d.sync += self.o.payload.eq(self.o.payload + 1)
        with m.Elif(self.fault == 2):
            m.d.sync += self.o.valid.eq(0)
        return m


@pytest.fixture
def built(project_root):
    """Simulator of the register."""
    return build(Design.of(Register()), project_root / "build" / "sim")


def run(built, folder, fault="none", **options):
    return simulate(
        built,
        "sim.testbenches.tb_stream",
        folder,
        parameters={"fault": FAULTS.index(fault)},
        **options,
    )


def test_words_pass_with_and_without_stalls(built, tmp_path):
    seconds = run(built, tmp_path)
    assert len(seconds) == 4
    assert min(seconds.values()) > 0


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("changes its payload", "the payload must stay until the transfer"),
        ("takes back its offer", "valid must stay until the transfer"),
        ("reads one cycle early", "i_stall=0.6/o_stall=0.0"),
    ],
)
def test_a_stream_that_breaks_a_rule_is_noticed(built, tmp_path, fault, message):
    with pytest.raises(SimulationError, match=message):
        run(built, tmp_path, fault)


def test_a_failure_tells_the_seed_to_repeat_it(built, tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("COCOTB_RANDOM_SEED", raising=False)
    with pytest.raises(SimulationError, match="repeat with COCOTB_RANDOM_SEED=77"):
        run(built, tmp_path, "changes its payload", seed=77)
    assert "seed 77" in capsys.readouterr().out


def test_a_run_that_takes_too_long_is_ended(built, tmp_path):
    with pytest.raises(
        SimulationError, match=r"sim.testbenches.tb_stream must finish within 0.01 s"
    ):
        run(built, tmp_path, limit=0.01)


def test_a_run_without_tests_is_no_success(built, tmp_path):
    with pytest.raises(ToolError, match="at least one test that matches 'nothing'"):
        run(built, tmp_path, only="nothing")


def test_a_bench_that_cannot_be_loaded_is_no_failure_of_the_design(built, tmp_path):
    with pytest.raises(ToolError, match="sim.bench_nothing ended with status 0 and without"):
        simulate(built, "sim.bench_nothing", tmp_path)


def test_the_same_design_is_built_once(built, project_root):
    before = built.stat().st_mtime_ns
    assert build(Design.of(Register()), project_root / "build" / "sim") == built
    assert built.stat().st_mtime_ns == before


@pytest.mark.parametrize("stamped", [False, True])
def test_a_simulator_that_is_not_whole_is_built_anew(built, tmp_path, stamped):
    """Killed while it was linked, or changed since."""
    cache = tmp_path / "cache"
    for folder in (built.parent, *built.parent.parent.glob("runtime-*")):
        shutil.copytree(folder, cache / folder.name)
    half = cache / built.parent.name / built.name
    half.write_bytes(built.read_bytes()[:-1000])
    if not stamped:
        half.with_name(STAMP).unlink()
    assert build(Design.of(Register()), cache) == half
    assert len(run(half, tmp_path / "run")) == 4


def test_a_simulator_that_is_there_needs_no_lock(built, project_root, monkeypatch):
    """As in somebody else's cache, where nothing can be written."""
    monkeypatch.delattr("sim.program.waiting_lock")
    assert build(Design.of(Register()), project_root / "build" / "sim") == built


def test_verilog_that_does_not_compile_is_told(tmp_path):
    with pytest.raises(ToolError, match="Building a simulator of broken failed"):
        build(Design("broken", "module broken(input clk; endmodule"), tmp_path)

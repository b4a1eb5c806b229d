"""The benchmark of the hardware: its tables, and a quick subset that is simulated."""

import json
import os
import shutil
import signal
import subprocess
import sys

import pytest

import golden
from hw.baseline.dense_engine import DenseSize
from hw.compiler import compile_model
from hw.rtl.library import MEMORY
from hw.tools.process import ToolError
from tests.benchmark import finn
from tests.benchmark.hardware import main
from tests.benchmark.keep import measure
from tests.benchmark.layers import FIXED
from tests.benchmark.networks import (
    ARRAY,
    MODELS,
    NANO,
    TINY,
    Settings,
    dense_size,
    load,
    tiny,
    weight_bits,
)
from tests.benchmark.out_of_context import write_core
from tests.benchmark.pareto import draw, points, table
from tests.benchmark.ratios import break_even, ratio
from tests.benchmark.rows import rows, rows_before
from tests.benchmark.runs import RUNS


def routed(lut, *, fmax=100.0, weight_width=4, **more):
    """What a routing leaves, of a core and of a baseline."""
    figures = {"lut": lut, "synthesised_lut": lut - 100, "fmax_mhz": fmax}
    blocks = dict.fromkeys(("bram", "synthesised_bram"), 150.0)
    return figures | blocks | {"weight_width": weight_width} | more


def layer_run(*, dense_cycles=4096):
    return {
        "dense_cycles": dense_cycles,
        "tokens": 64,
        "array": [4, 16],
        "lanes": 64,
        "rows": [
            {"spikes": kind, "mean": mean, "cycles": cycles, "additions": 1}
            for kind in ("recorded", "synthetic")
            for mean, cycles in ((0.6, 1024), (1.0, 2048), (2.0, 8192))
        ],
    }


def fails(settings):
    raise ToolError("no valid mapping found")


def works(settings):
    return {"cycles": 3}


def test_a_run_that_fails_loses_nothing_of_the_others(tmp_path):
    settings, said = Settings(tmp_path), []
    with pytest.raises(ToolError, match="no valid mapping found"):
        measure({"bad": fails, "good": works}, settings, progress=said.append)
    assert any("bad: no valid mapping found" in text for text in said)
    assert measure({"good": works}, settings, progress=said.append) == {"good": {"cycles": 3}}
    assert said[-1] == "1 of 1 runs are known from before"


def judged(found):
    return {row.number: row for row in rows(found)}


@pytest.mark.parametrize("name", ["column", "engine-L1-4", "dense-4", "dense-core-L2"])
def test_what_is_routed_can_be_written(name, tmp_path, monkeypatch):
    written = []

    def route(folder, **_):
        written.append(folder)
        return dict.fromkeys(("synthesised_lut", "lut", "ff", "bram"), 1)

    monkeypatch.setattr("tests.benchmark.routings.route", route)
    RUNS[name](Settings(tmp_path))
    assert written
    assert all((folder / "rtl" / "accelerator.v").stat().st_size for folder in written)


def test_rows_say_what_was_met_what_not_what_was_not_measured_and_what_is_not_built():
    codes = {
        "a": {"max_count": 4, "executed": 7, "thermometer": 10},
        "b": {"max_count": 8, "executed": 7, "thermometer": 10},
    }
    found = {"codes": codes, "block": {"block_cycles": 60_000, "block_additions": 1, "lanes": 512}}
    told = judged(found)
    assert list(told) == [*"1", "1b", *map(str, range(2, 15))]
    assert told["8"].met
    assert told["8"].measured == "60,000 (U 0.000, 512 lanes)"
    assert told["8"].target == "<= 65,000"
    for name, row in (("cifar10-nano-sparse", "2"), ("cifar10-nano-2", "13")):
        if name not in MODELS:
            assert "not built" in told[row].measured
            assert told[row].met is False
    assert told["10"].met is None
    assert told["10"].measured == "not measured"
    assert (told["14"].met, told["14"].measured) == (False, "not measured")
    before = {row.number: row for row in rows_before(found)}
    assert before["4"].measured == "D = 4: 0.700; D = 8: 0.700"
    assert before["4"].met is False


def test_a_network_is_judged_in_cycles_and_in_time_against_both_baselines():
    run = {
        "cycles": [100, 300],
        "additions": [1, 1],
        "weight_width": 4,
        "dense_cycles": 800,
        "dense_core_cycles": 900,
    }
    config = compile_model(load()[0], **ARRAY).required.as_dict()
    found = {
        f"{NANO}-on-chip": run,
        f"core-{NANO}": routed(5000, fmax=90.0, config=config),
        "dense-4": routed(2500, fmax=180.0),
        f"dense-core-{NANO}": routed(4000, fmax=120.0),
    }
    told = judged(found)
    assert told["1"].measured.startswith("nano 2.00 (5,000 LUT to 2,500, routed, 1.00 in time); ")
    assert told["1b"].measured == "nano 1.00 (90 MHz to 180)"
    assert told["1b"].met
    assert told["2"].measured.startswith("nano 3.60 (5,000 LUT to 4,000, routed, 2.70 in time)")
    # No device holds the core: both are as synthesised, and the clock is that of another one.
    found[f"core-{NANO}"] = {
        "synthesised_lut": 4800,
        "synthesised_bram": 391,
        "config": config,
    }
    found[f"core-{NANO}-external"] = routed(4500, fmax=45.0, config=config)
    told = judged(found)
    assert told["1"].measured.startswith(
        "nano 2.00 (4,800 LUT to 2,400, synthesised, 0.50 in time); "
    )
    assert "45 MHz of the core with weights outside to 180" in told["1b"].measured
    assert told["3"].measured == (
        "external 4,500; on chip 4,800 synthesised, no device holds it; block RAMs 391"
    )
    assert told["5"].measured == "core 45 (external); column not measured"


def test_sides_of_unequal_widths_are_not_compared():
    core = routed(5000, config={"weight_width": 4})
    with pytest.raises(ValueError, match="weights of 4 bits must be as wide as .* of 8"):
        ratio(core, 1, routed(2500, weight_width=8), 1)


def test_a_layer_is_judged_against_finn_and_the_dense_array():
    told_of = {"date": "2026-11-30", "commit": "39f0c9a" + 33 * "0"}
    known = {
        bits: told_of | {"figures": routed(10_000, weight_width=int(bits), cycles=64)}
        for bits in ("4", "8")
    }
    found = {"L1": layer_run(), "L1-4": layer_run(), "L2": layer_run(), "finn": known}
    found |= {f"engine-L1-{bits}": routed(2000) for bits in (4, 8)}
    found |= {f"dense-{bits}": routed(4000, weight_width=bits) for bits in (4, 8)}
    found |= {"core-L2": routed(2000), "dense-core-L2": routed(6000, weight_width=8)}
    told = judged(found)
    assert told["6"].measured.startswith("8 bits: FINN 20.00 (2,000 LUT to 10,000, routed, ")
    assert "FINN 39f0c9a of 2026-11-30; dense 8.00" in told["6"].measured
    assert told["7"].measured.startswith("bare 2.00 (2,000 LUT to 4,000, routed; times better: ")
    assert told["7"].met
    assert break_even([(0.5, 2.0), (1.0, 1.5), (2.0, 0.5)]) == 1.5


def test_finn_was_measured_in_this_flow_at_a_commit_and_a_date(tmp_path):
    known = finn.known()
    assert set(known) == {"4", "8"}
    for bits, run in known.items():
        assert len(run["commit"]) == 40
        assert run["figures"]["weight_width"] == int(bits)
        assert run["figures"]["cycles"] == finn.CYCLES == 64
        assert run["figures"]["synthesised_lut"] > 64 * int(bits)
    finn.keep(known, tmp_path / "finn.json")
    assert (tmp_path / "finn.json").read_bytes() == finn.KNOWN.read_bytes()


def test_a_core_is_written_with_its_memories_or_without(tmp_path):
    model = golden.load("tests/data/digits-tiny.safetensors")
    plan = compile_model(model, columns=1, lanes=8, spike_code=golden.SpikeCode.BIT_SERIAL)
    texts = []
    for memories in (True, False):
        write_core(plan, tmp_path / str(memories), memories=memories)
        texts.append((tmp_path / str(memories) / "rtl" / "accelerator.v").read_text())
    assert MEMORY.read_text() in texts[0]
    assert "module addend_bank" not in texts[1]
    assert texts[1].count("(* blackbox *) module addend_memory") == 1


def test_arrays_are_shown_beside_both_baselines(tmp_path):
    run = {"cycles": [1000], "weight_width": 4, "dense_cycles": 2000, "dense_core_cycles": 2500}
    found = {
        f"{NANO}-external": run | {"array": [4, 16]},
        f"core-{NANO}-external": routed(8000),
        "nano-2x16": run | {"array": [2, 16], "cycles": [1900]},
        "core-2x16": routed(4500),
        f"{NANO}-on-chip": run,
        "dense-4": routed(2500, fmax=200.0),
    }
    shown = points(found)
    assert [point[0] for point in shown] == ["4 x 16 lanes", "2 x 16 lanes", "dense array"]
    assert shown[-1] == ("dense array", 2500, 2000, 10.0)
    assert "| 2 x 16 lanes | 4,500 | 1,900 | 19 | 8.55e+06 | 8.55e+04 |" in table(shown)
    for path in draw(shown, tmp_path):
        assert "2 x 16 lanes" in path.read_text()


def test_the_networks_have_the_widths_of_their_dense_engines():
    tiny_bits = weight_bits(tiny(Settings("unused", quick=True))[0])
    assert tiny_bits == TINY["weight_bits"]
    for model in (load()[0], *(layer.model() for layer in FIXED)):
        required = compile_model(model, **ARRAY).required
        size = dense_size(weight_bits(model))
        assert DenseSize.beside(required, inputs=8) == size
        assert size.operations == required.columns * required.lanes


@pytest.mark.sim
def test_a_quick_bench_is_exact_and_goes_on_where_it_was(project_root, tmp_path, capsys):
    # What all simulators share, if another test has compiled it.
    for runtime in (project_root / "build" / "sim").glob("runtime-*"):
        shutil.copytree(runtime, tmp_path / "sim" / runtime.name)
    options = ["--quick", "--only", "L1", "codes", "times", "--out", str(tmp_path)]
    assert main([*options, "--json", str(tmp_path / "a.json")]) == 0
    written = json.loads((tmp_path / "a.json").read_text())
    layer = written["runs"]["L1"]
    assert layer["mismatches"] == 0
    assert layer["cycles"] == layer["predicted_cycles"]
    assert layer["dense_cycles"] == 64 * 64
    text = capsys.readouterr().out
    assert (
        "| L1: linear 64 to 64, 64 tokens, 8-bit weights | 4 x 16 lanes | recorded | 0.6 |" in text
    )
    assert (
        "| 10 | E-SpikeFormer-T from 16 to 256 lanes | >= 90% of linear | not measured |  |" in text
    )
    assert main(options) == 0
    kept = capsys.readouterr()
    assert "3 of 3 runs are known from before" in kept.err
    assert kept.out == text


@pytest.mark.sim
def test_an_interrupt_ends_the_runs_under_way_and_those_that_wait(tmp_path, project_root):
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "tests.benchmark.hardware",
            "--quick",
            "--only",
            "codes",
            "L2",
            "L3",
            "L4",
            "L6",
            "--out",
            str(tmp_path),
        ],
        cwd=project_root,
        env=os.environ | {"PYTHONPATH": str(project_root)},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stderr.readline().startswith("codes: ")
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 130
    assert errors == (
        f"python -m tests.benchmark.hardware: interrupted; {tmp_path} keeps the runs "
        "that were finished.\n"
    )
    assert [path.name for path in (tmp_path / "quick").iterdir()] == ["codes.json"]


def test_an_unknown_run_is_refused():
    with pytest.raises(SystemExit):
        main(["--only", "nothing"])
    assert f"core-{NANO}" in RUNS

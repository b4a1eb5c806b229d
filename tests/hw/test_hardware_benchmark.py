"""The benchmark of the hardware: its layers, its table, and a quick subset that is simulated."""

import json
import os
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest

import golden
from golden.cli.source import open_source
from hw.baseline.dense_engine import DenseSize
from hw.compiler import compile_model
from tests.benchmark.hardware import main
from tests.benchmark.judges import curve
from tests.benchmark.layers import FIXED, block, counts_of, image, recorded, synthetic
from tests.benchmark.networks import (
    ARRAY,
    BUS,
    DENSE,
    NANO_DENSE,
    TINY_DENSE,
    WIDER,
    Settings,
    nano,
    tiny,
)
from tests.benchmark.rows import rows
from tests.benchmark.runs import RUNS


@pytest.mark.parametrize("layer", FIXED, ids=lambda layer: layer.name)
def test_a_fixed_layer_reads_the_counts_of_its_image(layer):
    counts = counts_of(synthetic(layer), 0.6)
    tensors = golden.run(layer.model(), image(layer, counts)[np.newaxis], trace=True).tensors
    if layer.heads:
        read = np.concatenate([tensors[f"{name}.counts"][0] for name in "qkv"])
    else:
        read = tensors["inputs.counts"][0]
    assert np.array_equal(read, counts)
    assert tensors["layer.counts"].shape[1:] == (layer.outputs, layer.size, layer.size)


def test_counts_have_the_mean_that_is_asked_for_and_recorded_ones_are_correlated():
    model = golden.load("tests/data/cifar10-nano.safetensors")
    images = open_source("tests/data/cifar10.npz", model).images
    potentials = recorded(FIXED[1], model, images)
    assert potentials.shape == (384, 8, 8)
    for mean in (0.05, 0.6, 2.5, 4):
        counts = counts_of(potentials, mean)
        assert counts.mean() == pytest.approx(mean, abs=0.03)
        assert 0 <= counts.min() <= counts.max() <= 4
    flat = counts_of(potentials, 1.0).reshape(384, -1)
    together = np.corrcoef(flat[flat.std(axis=1) > 0])
    assert np.abs(together[~np.eye(len(together), dtype=bool)]).mean() > 0.12
    with pytest.raises(ValueError, match="Images must be at least"):
        recorded(FIXED[1], model, images[:1])


def test_the_block_is_the_one_that_was_published():
    model = block()
    weights = {
        layer.name: layer.weight.shape
        for layer in model.layers
        if isinstance(layer, golden.Conv) and layer.name.startswith("block.")
    }
    assert weights == {
        **{f"block.attn.{name}": (384, 384, 1, 1) for name in "qkv"},
        "block.attn": (384, 384, 1, 1),
        "block.mlp.fc1": (1536, 384, 1, 1),
        "block.mlp": (384, 1536, 1, 1),
    }
    assert next(layer for layer in model.layers if isinstance(layer, golden.KeyValue)).heads == 12


def test_rows_say_what_was_met_what_not_and_what_was_not_measured():
    layer = {
        "dense_cycles": 4096,
        "tokens": 64,
        "array": [4, 16],
        "rows": [
            {"spikes": kind, "mean": mean, "cycles": cycles, "additions": 1}
            for kind in ("recorded", "synthetic")
            for mean, cycles in ((0.6, 1024), (1.0, 2048), (2.0, 8192))
        ],
    }
    found = {
        "L1-engine": layer,
        "L2-engine": layer,
        "routed-L1": {"lut": 2000},
        "routed-L2": {"lut": 2000},
        "routed-dense": {"lut": 4000, "weight_width": 8},
        "codes": {
            "a": {"max_count": 4, "executed": 7, "thermometer": 10},
            "b": {"max_count": 8, "executed": 7, "thermometer": 10},
        },
    }
    assert curve(layer, {"lut": 2000}, {"lut": 4000}) == [(0.6, 8.0), (1.0, 4.0), (2.0, 1.0)]
    judged = {row.number: row for row in rows(found)}
    assert len(judged) == 14
    assert judged[4].met is False
    assert judged[4].measured == "0.700 (D = 4) and 0.700 (D = 8)"
    assert judged[7].met
    # FINN's 10,813 LUTs times 64 cycles, over 2,000 times 16.
    assert judged[7].measured.startswith("21.63 and 8.00 times lower (8-bit weights, ")
    assert judged[8].measured.startswith("up to 2.00")
    assert judged[8].met is False
    assert judged[1].met is None
    assert judged[1].measured == "not measured"


def test_each_network_is_judged_by_engines_of_its_own_widths():
    """Figures of one width on one side and of another on the other are never compared."""

    def network(cycles, dense_cycles):
        return {"cycles": [cycles], "array": [4, 32], "dense": {"cycles": {"a": dense_cycles}}}

    found = {
        "nano-wider": network(100, 300),
        "tiny-wider": network(1000, 2000),
        "routed-wider": {"lut": 10_000, "config": {"weight_width": 4}},
        "routed-dense-nano": {"lut": 5000, "weight_width": 4},
        "synthesised-tiny": {"synthesised_lut": 12_000, "config": {"weight_width": 8}},
        "synthesised-dense-tiny": {"synthesised_lut": 7200, "weight_width": 8},
    }
    row = next(row for row in rows(found) if row.number == 1)
    assert row.measured == (
        "1.50 and 1.20 times lower (4 x 32 lanes; 4-bit weights, routed: 10,000 LUT, dense engine "
        "5,000 LUT; 8-bit weights, synthesised: 12,000 LUT, dense engine 7,200 LUT)"
    )
    found["synthesised-tiny"]["config"]["weight_width"] = 4
    with pytest.raises(ValueError, match="weights of 4 bits must be as wide as .* of 8"):
        rows(found)


def test_the_networks_have_the_widths_of_their_dense_engines():
    settings = Settings("unused", quick=True)
    for model, size in ((nano()[0], NANO_DENSE), (tiny(settings)[0], TINY_DENSE)):
        required = compile_model(model, **(ARRAY | WIDER), bus_width=BUS).required
        assert DenseSize.beside(required, inputs=16) == size
    for layer in FIXED:
        required = compile_model(layer.model(), **ARRAY).required
        assert DenseSize.beside(required, inputs=8) == DENSE


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
    table = capsys.readouterr().out
    assert "| L1: linear 64 to 64, 64 tokens | 4 x 16 lanes | recorded | 0.6 |" in table
    assert "<= 48 and <= 38 | not measured |  |" in table
    assert main(options) == 0
    kept = capsys.readouterr()
    assert "3 of 3 runs are known from before" in kept.err
    assert kept.out == table


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
    assert "routed-core" in RUNS

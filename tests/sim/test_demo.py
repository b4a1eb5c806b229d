"""The demonstration's own part: what it runs, what it refuses, what it puts into the table."""

import json
from pathlib import Path

import pytest

from hw.reporting.report import summary
from sim import demo, demo_figures


VERIFIED = {
    "images": 2,
    "tensors": 120,
    "values": 4000,
    "mismatches": 0,
    "accuracy": 1.0,
    "cycles": [100, 200],
    "period": 140,
    "additions": [1500, 2700],
    "layers": [
        {"name": "downsample1_1", "cycles": 100, "additions": 1600},
        {"name": "block3.0.attn.kv", "cycles": 50, "additions": 0},
    ],
}
EXPORTED = {
    "accuracy": {"float": 0.98, "quantised": 0.97, "golden": 0.97},
    "mean_counts": {"downsample1_1.counts": 0.5},
    "images": 360,
}
BUILT = {
    "clock_met": True,
    "utilisation": {
        "device": "ecp5-85k",
        "package": "CABGA381",
        "lut": 1,
        "ff": 1,
        "bram": 1,
        "dsp": 0,
        "fmax_mhz": 100.0,
        "clock_mhz": 100.0,
        "seed": 1,
    },
}


@pytest.fixture
def left_behind(tmp_path):
    """Write what the steps leave in an output folder; return a function that changes it."""

    def put(name, values):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(values))
        return tmp_path

    put("verify.json", VERIFIED)
    put("export.json", EXPORTED)
    put("accelerator/report.json", BUILT)
    return put


def options(out):
    return demo.parser("demo").parse_args(["--out", str(out)])


def test_every_step_is_a_command_on_the_same_model_and_folder(tmp_path):
    commands = [command for _, command in demo.steps(options(tmp_path))]
    assert [command[0] for command in commands] == [
        "train",
        "train",
        "hw.build",
        "sim.verify",
        "hw.build",
    ]
    model = str(tmp_path / "digits.safetensors")
    assert all(model in command for command in commands[1:])


def test_the_figures_of_all_steps_are_joined(left_behind, tmp_path):
    figures = demo_figures.collect(options(tmp_path))
    assert figures["cycles"] == 150
    assert figures["period"] == 140
    assert figures["additions"] == 2100
    first, second = figures["layers"]
    assert first["utilisation"] == 0.5
    assert first["density"] == 0.5
    assert "density" not in second
    rows = dict(summary(figures))
    assert rows["accuracy, golden model (360 test digits)"] == "97.00%"
    assert rows["accuracy, RTL (2 of them, simulated)"] == "100.00%"
    assert rows["cycles, additions and utilisation"] == "means of 2 simulated images"
    assert figures["accuracy"] == {"float": 0.98, "quantised": 0.97, "golden": 0.97, "rtl": 1.0}


def test_a_mismatch_ends_the_demonstration(left_behind, tmp_path):
    left_behind("verify.json", VERIFIED | {"mismatches": 3})
    with pytest.raises(demo_figures.DemoError) as caught:
        demo_figures.collect(options(tmp_path))
    assert str(caught.value) == "The demonstration stops: mismatches must be 0, not 3"


@pytest.mark.parametrize(("reached", "refused"), [(0.9399, True), (0.94, False)])
def test_a_poor_model_is_refused(left_behind, tmp_path, reached, refused):
    left_behind("export.json", {"accuracy": {"golden": reached}})
    if not refused:
        demo.require_accuracy(tmp_path)
        return
    with pytest.raises(demo_figures.DemoError) as caught:
        demo.require_accuracy(tmp_path)
    assert str(caught.value) == (
        "The demonstration stops: the accuracy of the golden model must "
        f"be at least 94%, not {reached:.2%}"
    )


def test_a_failing_step_ends_the_demonstration_with_its_name(tmp_path, capfd):
    status = demo.main(["--out", str(tmp_path), "--config", str(tmp_path / "missing.toml")])
    assert status == 1
    assert capfd.readouterr().err.endswith(
        "The demonstration stops: 1/5 training on real digits failed with status 2.\n"
    )


def test_spikes_of_the_picture_are_those_of_one_image(project_root):
    models = sorted(Path(project_root, "tests", "data").glob("digits*.safetensors"))
    for name, counts in demo_figures.spikes_of_one_image(models[0]).items():
        assert name.endswith(".counts")
        assert counts.ndim == 3

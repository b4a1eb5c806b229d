"""``python -m hw.report``: what a build directory predicts, and what routing measured of it."""

import json
import shutil

import pytest

import golden
from golden.analysis.synthetic import random_model
from hw import report
from tests.small_core import build_by_command


ROUTED = {
    "device": "ecp5-85k",
    "package": "CABGA381",
    "lut": 6543,
    "ff": 3210,
    "bram": 45,
    "dsp": 0,
    "fmax_mhz": 81.25,
    "clock_mhz": 100.0,
    "seed": 1,
}


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    golden.save(random_model(1), folder / "model.safetensors")
    build_by_command(folder / "model.safetensors", folder / "built")
    return folder / "built"


@pytest.fixture
def built(original, tmp_path):
    """A build directory that was not routed."""
    return shutil.copytree(original, tmp_path / "built")


def left_report(folder, **changes):
    """A report as ``hw.build`` leaves it after routing, with changed fields."""
    description = json.loads((folder / "accelerator.json").read_text())
    values = {"verilog": description["verilog"], "utilisation": ROUTED} | changes
    (folder / "report.json").write_text(json.dumps(values))


def test_what_was_not_routed_has_predicted_figures(built, capsys):
    assert report.main([str(built)]) == 0
    printed = capsys.readouterr().out
    cycles = json.loads((built / "accelerator.json").read_text())["cycles"]
    assert f"cycles per image: {cycles['total']:,.0f}\n" in printed
    assert "routing: not done" in printed
    assert "LUT" not in printed
    assert "utilisation" not in json.loads((built / "report.json").read_text())
    assert "Cycles per layer" in (built / "report.html").read_text()


def test_what_was_routed_is_reported_again(built, capsys):
    left_report(built)
    assert report.main([str(built)]) == 0
    assert "LUT: 6,543\n" in capsys.readouterr().out
    found = json.loads((built / "report.json").read_text())
    assert found["utilisation"] == ROUTED
    assert found["clock_met"] is False
    # And once more, from what this command wrote.
    assert report.main([str(built)]) == 0
    assert json.loads((built / "report.json").read_text()) == found


def test_routing_of_another_core_is_not_reported(built, capsys):
    left_report(built, verilog="0" * 64)
    assert report.main([str(built)]) == 0
    assert "routing: not done" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"utilisation": {**ROUTED, "lut": "many"}}, "lut"),
        ({"utilisation": {}}, "lacks device"),
    ],
)
def test_a_damaged_report_is_refused(built, capsys, changes, sentence):
    left_report(built, **changes)
    assert report.main([str(built)]) == 2
    assert sentence in capsys.readouterr().err


def test_a_folder_without_an_accelerator_is_refused(tmp_path, capsys):
    assert report.main([str(tmp_path)]) == 2
    assert "build the accelerator" in capsys.readouterr().err

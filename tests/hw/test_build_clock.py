"""The clock that a build asks for: routing reaches it or misses it, and both are said."""

import json

import pytest

import golden
from golden.analysis.synthetic import random_model
from hw import build
from hw.cli import fpga_target
from hw.fpga.routing import Utilisation
from tests.cores import emitted_once


@pytest.fixture(scope="module", autouse=True)
def each_core_once():
    with emitted_once():
        yield


@pytest.fixture(scope="module")
def model_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "model.safetensors"
    golden.save(random_model(1), path)
    return path


@pytest.fixture
def routed(monkeypatch):
    """Function that stands in for routing, which reaches the clock that it is given."""

    def reach(fmax):
        def implement(folder, *, device, clock_mhz, seed, pins, progress):
            return Utilisation(
                device=device.name,
                package="CABGA381",
                lut=1,
                ff=1,
                bram=1,
                dsp=0,
                fmax_mhz=fmax,
                clock_mhz=clock_mhz,
                seed=seed,
            )

        monkeypatch.setattr(fpga_target, "implement", implement)

    return reach


@pytest.mark.parametrize(
    ("fmax", "options", "status", "said"),
    [
        (120.0, ["--strict-clock"], 0, "clock that was asked for: 120 MHz, reached"),
        (119.9, [], 0, "clock that was asked for: 120 MHz, missed"),
        (119.9, ["--strict-clock"], 3, "clock that was asked for: 120 MHz, missed"),
    ],
)
def test_a_clock_that_was_missed_is_said(
    model_file, tmp_path, capsys, routed, fmax, options, status, said
):
    routed(fmax)
    asked = ["--model", str(model_file), "--out", str(tmp_path), "--clock", "120"]
    assert build.main(["--target", "fpga", *asked, *options]) == status
    printed = capsys.readouterr()
    assert said in printed.out
    assert printed.err == (
        ""
        if fmax >= 120
        else (
            "python -m hw.build: the clock of 120 MHz was missed: routing reached 119.9 MHz; "
            "another --seed, a smaller array or a lower --clock may do.\n"
        )
    )
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["clock_met"] is (fmax >= 120)
    page = (tmp_path / "report.html").read_text()
    assert said.partition(": ")[2] in page
    # Nothing was simulated, and the page does not say so.
    assert report["cycles_of"] == "predicted from the model's mean counts; nothing was simulated"
    assert page.count("predicted from the model&#39;s mean counts; nothing was simulated") == 5
    assert "Mean over" not in page


@pytest.mark.parametrize("options", [["--target", "sim"], ["--dry-run"]])
def test_a_strict_clock_needs_routing(model_file, tmp_path, capsys, options):
    assert (
        build.main(["--model", str(model_file), "--out", str(tmp_path), "--strict-clock", *options])
        == 2
    )
    assert "--strict-clock must come with --target fpga" in capsys.readouterr().err

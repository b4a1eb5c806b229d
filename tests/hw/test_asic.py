"""A whole core in standard cells: what is written, what it computes, what is told apart."""

import json
import re
from shutil import which

import numpy as np
import pytest

import addend
import golden
from golden.analysis.synthetic import random_images
from golden.data.description import read_json
from hw import build
from hw.asic import liberty
from hw.asic.figures import FIGURES
from hw.asic.liberty import DEFAULT, read_liberty
from hw.asic.netlist import cell_pins
from hw.asic.power import power
from hw.asic.simulation import NETLIST, build_simulator, run_pictures
from hw.asic.sta import timing
from hw.asic.synthesis import read_module
from hw.emit.build_directory import MEMORIES, VERILOG, read_description
from hw.emit.licence import VERILOG_HEAD
from hw.emit.load_packets import packets
from hw.emit.sram import sram_sizes
from hw.isa.core_config import CoreConfig
from hw.load import lay_out
from tests.icarus import run_icarus
from tests.models import small


pytestmark = [
    pytest.mark.synthesis,
    pytest.mark.skipif(
        not DEFAULT.exists(), reason="OSU018 is missing: apt-get install qflow-tech-osu018"
    ),
]
with_sta = pytest.mark.skipif(
    not which("sta"), reason="OpenSTA is missing: apt-get install opensta"
)

ARRAY = ["--columns", "1", "--lanes-per-column", "2"]


@pytest.fixture(scope="module")
def model():
    return small()


@pytest.fixture(scope="module")
def pictures():
    """One that is dark but for a pixel, and one that is bright."""
    bright = random_images(2, 1, (4, 4, 1)) | 128
    dark = np.zeros_like(bright)
    dark[:, 1, 2] = 1
    return np.concatenate([dark, bright])


@pytest.fixture(scope="module")
def model_file(model, tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "small.safetensors"
    golden.save(model, path)
    return path


@pytest.fixture(scope="module")
def built(model_file, pictures, tmp_path_factory):
    """Build directory; power is measured where OpenSTA is there."""
    folder = tmp_path_factory.mktemp("asic") / "built"
    images = folder.with_name("pictures.npy")
    np.save(images, pictures)
    arguments = ["--target", "asic", "--model", model_file, *ARRAY, "--clock", 50, "--out", folder]
    arguments += ["--liberty", DEFAULT, "--images", images, "--count", len(pictures)]
    assert build.main(list(map(str, arguments))) == 0
    return folder


@pytest.fixture(scope="module")
def figures(built):
    return read_json(built / FIGURES, "the figures")


@pytest.fixture(scope="module")
def simulator(built):
    """Program of the netlist, which has been compiled where power was measured."""
    program = built / "asic/simulation/obj_dir/Vaccelerator"
    return program if program.exists() else build_simulator(built)


def test_the_netlist_loads_a_model_and_equals_golden(built, simulator, model, pictures):
    """Registers and memories begin with other bits in each run."""
    config = CoreConfig.from_dict(read_description(built)["config"])
    beats = [beat for packet in packets(lay_out(model, config), config) for beat in packet]
    expected = golden.run(model, pictures).logits
    for seed in (1, 2):
        runs = run_pictures(simulator, beats, pictures, seed=seed)
        assert [run.logits.tolist() for run in runs] == expected.tolist()


@pytest.mark.skipif(not which("iverilog"), reason="Icarus is missing: apt-get install iverilog")
def test_nothing_depends_on_first_values(built, tmp_path):
    """In Icarus, every register and every word of a memory is unknown at first."""
    said = run_icarus(built, tmp_path, rom=f"{built}/rom/", sources=NETLIST)
    assert said == "PASS 2 pictures, 4 logits"


def test_the_netlist_and_its_verilog_count_the_same(built, simulator, model, pictures):
    """Cycles and additions are those of the core before synthesis."""
    config = CoreConfig.from_dict(read_description(built)["config"])
    beats = [beat for packet in packets(lay_out(model, config), config) for beat in packet]
    netlist = [(run.cycles, run.additions) for run in run_pictures(simulator, beats, pictures)]
    verilog = build_simulator(built, sources=(VERILOG, MEMORIES))
    assert [
        (run.cycles, run.additions) for run in run_pictures(verilog, beats, pictures)
    ] == netlist
    assert netlist[0][1] < netlist[1][1]


def test_its_verilog_is_a_core_like_any_other(built, model, pictures, project_root):
    """``addend.Core`` loads the model first, and the memories are those of ``rtl/sram.v``."""
    core = addend.Core(built, cache=project_root / "build" / "sim")
    assert core.run(pictures)[0].tolist() == golden.run(model, pictures).logits.tolist()


def test_what_may_be_used_says_so(built, figures):
    for name in ("netlist.v", "cells.v"):
        assert (built / "asic" / name).read_text().startswith(VERILOG_HEAD)
    assert (built / "asic/sram.lib").read_text().startswith(f"/* {VERILOG_HEAD[3:-1]} */\n")
    assert figures["licence"] in VERILOG_HEAD


def test_nothing_begins_with_content(built):
    for path in (VERILOG, MEMORIES, "asic/netlist.v", "asic/cells.v"):
        assert "$readmem" not in (built / path).read_text()
    assert "initial" not in (built / "asic/netlist.v").read_text()
    assert read_description(built)["readmemh"] is False


def test_each_size_of_memory_is_a_module(built, figures):
    sizes = sram_sizes((built / VERILOG).read_text())
    modules = re.findall(r"^module (\w+)", (built / MEMORIES).read_text(), re.MULTILINE)
    assert modules == [size.module for size in sizes]
    assert {entry["module"]: entry["count"] for entry in figures["memories"]} == {
        size.module: count for size, count in sizes.items()
    }
    # Whole words: no slices as for block RAMs.
    config = CoreConfig.from_dict(read_description(built)["config"])
    memories = config.memories
    widths = [{size.width for size in sizes if size.shared == kind} for kind in range(3)]
    assert memories["neurons"][0] in widths[0]
    assert widths[1] == {memories["windows"][0], config.pixel_width, config.digit_word}
    assert widths[2] == {config.weight_word}


def test_area_is_that_of_the_cells_and_of_all_modules(built, figures):
    cells = read_liberty(DEFAULT).cells
    kinds = [cell["type"] for cell in read_module(built, "netlist")["cells"].values()]
    used = [cells[kind] for kind in kinds if kind in cells]
    assert figures["area"]["total"] == sum(cell.area for cell in used)
    assert figures["area"]["cells"] == len(used)
    assert sum(own["area"] for own in figures["modules"].values()) == figures["area"]["total"]
    assert figures["area"]["flip_flops"] == sum(cell.kind == "ff" for cell in used)
    lanes = [path for path in figures["modules"] if re.search(r"\.lane_\d+$", path)]
    assert len(lanes) == 2


def test_cell_models_are_those_of_used_cells(built):
    modelled = re.findall(r"^module (\w+)", (built / "asic/cells.v").read_text(), re.MULTILINE)
    used = {cell["type"] for cell in read_module(built, "netlist")["cells"].values()}
    assert len(modelled) == len(set(modelled))
    assert set(modelled) == {kind for kind in used if not kind.startswith("addend_sram_")}
    assert not (built / "asic/liberty.lib").exists()


def test_every_flip_flop_is_reset_or_listed(figures):
    checks = figures["checks"]
    assert checks["clock"] == "aclk"
    assert (checks["latches"], checks["inferred_memories"]) == (0, 0)
    listed = sum(entry["bits"] for entry in checks["unreset"])
    assert checks["reset"] + listed == checks["flip_flops"]
    assert all(entry["reason"] for entry in checks["unreset"])
    assert any(".storage[" in entry["name"] for entry in checks["unreset"])


@with_sta
def test_timing_tells_memories_apart(figures):
    timed = figures["timing"]
    assert set(timed["paths_ns"]) == {"registers", "from_memories", "into_memories"}
    assert all(delay > 0 for delay in timed["paths_ns"].values())
    assert timed["slack_ns"] == round(20 - max(timed["paths_ns"].values()), 5)


@with_sta
def test_the_unit_of_time_is_that_of_the_liberty(built, figures, tmp_path):
    """All delays are a thousandth, and power does not know them."""
    path = tmp_path / "ps.lib"
    path.write_text(DEFAULT.read_text().replace('time_unit : "1ns"', 'time_unit : "1ps"'))
    cells = read_module(built, "netlist")["cells"].items()
    memories = [name for name, cell in cells if cell["type"].startswith("addend_sram_")]
    found = timing(built, read_liberty(path), memories, clock_mhz=50.0)
    assert found["fmax_mhz"] == pytest.approx(1e3 * figures["timing"]["fmax_mhz"], rel=0.01)
    pins = cell_pins((built / "asic/netlist.v").read_text())
    watts = [
        power(built, read_liberty(lib), pins, {}, clock_mhz=50.0)["milliwatts"]
        for lib in (DEFAULT, path)
    ]
    assert watts[0] == watts[1]


def watts_printed(folder, index):
    """Power of a picture, as OpenSTA printed it."""
    printed = (folder / f"asic/power.{index}.log").read_text().rpartition("measured\n")[2]
    return float(re.search(r"^Total .* (\S+) +100\.0+%", printed, re.MULTILINE)[1])


@with_sta
def test_energy_grows_with_executed_additions(built, figures, record_property):
    measured = figures["power"]
    for index, entry in enumerate(measured):
        assert entry["microjoules"] == pytest.approx(
            watts_printed(built, index) * entry["cycles"] * 20e-9 * 1e6
        )
    assert measured[0]["additions"] < measured[1]["additions"]
    assert measured[0]["microjoules"] < measured[1]["microjoules"]
    record_property("printed", f"asic: {json.dumps(measured)}")


@with_sta
def test_the_report_has_modules_and_power(built):
    page = (built / "report.html").read_text()
    for text in ("Area per module", "Power and energy", "osu018_stdcells", "core.sequencer"):
        assert text in page
    assert read_json(built / "report.json", "the report")["asic"]["power"] is not None


def refused(capsys, arguments, status=2):
    """The sentence on stderr of a command that ends with a status."""
    assert build.main(list(map(str, arguments))) == status
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    return error


def test_a_broken_liberty_is_refused_before_anything_is_written(model_file, tmp_path, capsys):
    broken = tmp_path / "broken.lib"
    broken.write_bytes(DEFAULT.read_bytes()[:100_000])
    arguments = ["--target", "asic", "--model", model_file, "--out", tmp_path / "out"]
    error = refused(capsys, [*arguments, "--liberty", broken])
    assert "broken.lib must be a Liberty, and have" in error
    assert not (tmp_path / "out").exists()


def test_a_missing_default_is_refused_with_its_remedy(model_file, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(liberty, "DEFAULT", tmp_path / "none.lib")
    error = refused(capsys, ["--target", "asic", "--model", model_file, "--out", tmp_path / "out"])
    assert "install it with `apt-get install qflow-tech-osu018`" in error


@pytest.mark.parametrize("option", ["--liberty", "--sram-wrapper"])
def test_options_of_another_target_are_refused(model_file, tmp_path, capsys, option):
    arguments = ["--target", "sim", "--model", model_file, "--out", tmp_path / "out"]
    error = refused(capsys, [*arguments, option, DEFAULT])
    assert f"{option} must come with --target asic, not sim" in error

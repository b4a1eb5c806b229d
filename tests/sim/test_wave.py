"""``addend sim --wave``: an FST of one picture, and a save file whose every name is in it."""

import re
import shutil
from types import SimpleNamespace

import numpy as np
import pytest

import golden
from golden import SpikeCode
from golden.analysis.synthetic import random_images, random_model
from hw.build import build
from hw.compiler import compile_model
from hw.emit.build_directory import read_description
from hw.emit.verilog import TOP
from hw.isa.status import Status
from hw.tools.process import ToolError
from sim.verify import main
from sim.wave import require_headers
from sim.words import SUFFIX, state_machines


pytestmark = pytest.mark.sim


@pytest.fixture(scope="module", params=[0, 64], ids=["on chip", "outside"])
def recorded(request, tmp_path_factory, project_root):
    """A small core, and the waves of one picture on it."""
    pywellen = pytest.importorskip("pywellen")
    folder = tmp_path_factory.mktemp("wave")
    model = random_model(3, dims=(4, 4, 4, 4), heads=1, image_shape=(6, 5, 1))
    golden.save(model, folder / "model.safetensors")
    plan = compile_model(
        model,
        columns=1,
        lanes=4,
        spike_code=SpikeCode.SPLIT,
        bus_width=request.param,
    )
    build(plan, folder / "core")
    wave = folder / "waves" / "one.fst"
    try:
        require_headers()
    except ToolError as error:
        pytest.skip(str(error))
    status = main([
        str(folder / "core"),
        str(folder / "model.safetensors"),
        "--cache",
        str(project_root / "build" / "sim"),
        "--wave",
        str(wave),
        "--image",
        "2",
    ])
    variables = {
        variable.full_name: variable for variable in pywellen.Waveform(str(wave)).all_vars()
    }
    return SimpleNamespace(
        status=status,
        folder=folder,
        wave=wave,
        model=model,
        plan=plan,
        save_file=wave.with_suffix(".gtkw").read_text().splitlines(),
        variables=variables,
        description=read_description(folder / "core"),
    )


def traces(save_file):
    """Name, bits and flags of every signal of a save file."""
    flags = 0
    for line in save_file:
        if line.startswith("@"):
            flags = int(line[1:], 16)
        elif re.match(r"[a-z]", line):
            name, _, bits = line.partition("[")
            yield name, int(bits.split(":")[0]) + 1 if bits else 1, flags


def words(variable):
    """Texts that a word takes, in their order, without what it was before it was set."""
    found = []
    for _, value in variable.tv:
        text = value.to_bytes(-(-variable.length // 8), "big").lstrip(b"\0").decode()
        if text and (not found or found[-1] != text):
            found.append(text)
    return found


def values(recorded, name):
    """Times and values of a signal at the ports."""
    return list(recorded.variables[f"{TOP}.{name}"].tv)


def test_the_picture_is_compared_with_golden(recorded):
    assert recorded.status == 0


def test_every_name_of_the_save_file_is_in_the_wave(recorded):
    shown = list(traces(recorded.save_file))
    assert len(shown) > 60
    assert [name for name, _, _ in shown if name not in recorded.variables] == []
    assert [
        (name, bits, recorded.variables[name].length)
        for name, bits, _ in shown
        if recorded.variables[name].length != bits
    ] == []


def test_every_group_is_closed_and_the_wave_is_named(recorded):
    groups, open_groups, flags = [], [], 0
    for line in recorded.save_file:
        if line.startswith("@"):
            flags = int(line[1:], 16)
        elif line.startswith("-") and flags == 0x800200:
            open_groups.append(line)
            groups.append(line[1:])
        elif line.startswith("-"):
            assert flags == 0x1000200
            assert open_groups.pop() == line
    assert open_groups == []
    assert {"Pixels", "Logits", "Status and counters", "Sequencer"} <= set(groups)
    external = recorded.plan.required.external
    assert ("Weights" in groups) == ("Weight image" in groups) == external
    assert ("Load port" in groups) == (not external)
    assert recorded.save_file[0] == f'[dumpfile] "{recorded.wave}"'


def test_every_state_is_a_word(recorded):
    machines = state_machines(recorded.description)
    assert len(machines) == 2 + recorded.plan.required.external
    for scope, name, _, states in machines:
        path = f"{TOP}.{scope}.{name}"
        shown = words(recorded.variables[f"{path}{SUFFIX}"])
        passed = [states[value] for _, value in recorded.variables[path].tv]
        # At the start of the simulation, both are told at once.
        assert shown == [state for at, state in enumerate(passed) if passed[at - 1 : at] != [state]]
        assert "?" not in shown
        assert f"{path}{SUFFIX}" in {
            name for name, _, flags in traces(recorded.save_file) if flags == 0x820
        }


def test_layers_and_the_status_are_words(recorded):
    names = [layer.name for layer in recorded.plan.layers]
    shown = words(recorded.variables[f"{TOP}.layer{SUFFIX}"])
    # Until reset has taken effect, the port names the first one.
    shown = shown[shown.index("none") :]
    assert [text for text in shown if text != "none"] == names
    assert set(words(recorded.variables[f"{TOP}.status{SUFFIX}"])) <= {
        member.name for member in Status
    }
    assert words(recorded.variables[f"{TOP}.status{SUFFIX}"])[-1] == "OK"


def test_the_logits_of_the_wave_are_golden(recorded):
    """Read from the ports as a viewer shows them, before each rising edge of the clock."""
    edges = [time for time, value in values(recorded, "aclk") if value and time]
    ports = {
        name: dict(values(recorded, f"m_axis_logits_{name}"))
        for name in ("tvalid", "tready", "tdata")
    }
    logits = []
    for edge in edges:
        before = {
            name: changes[max(time for time in changes if time < edge)]
            for name, changes in ports.items()
        }
        if before["tvalid"] and before["tready"]:
            logits.append((before["tdata"] ^ 1 << 31) - (1 << 31))
    images = random_images(1, 20, recorded.model.image_shape)[::-1]
    assert logits == golden.run(recorded.model, images[2:3]).logits[0].tolist()


def test_a_folder_of_another_version_is_refused(recorded, tmp_path, capsys):
    """Its states could have other numbers."""
    if recorded.plan.required.external:
        pytest.skip("a core with external weights has no load port, whose patience is another")
    folder = tmp_path / "core"
    build(recorded.plan, folder, load_patience=1000)
    status = main([
        str(folder),
        str(recorded.folder / "model.safetensors"),
        "--wave",
        str(tmp_path / "one.fst"),
    ])
    assert status == 2
    assert "must be built by this version of Addend" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--wave", "one.vcd"], "--wave must be a file whose name ends in .fst, not one.vcd"),
        (
            ["--wave", "one.fst", "--image", "3", "--images", "three.npy"],
            "--image must be less than the 3 images, not 3",
        ),
        (["--image", "3"], "--image must come with --wave, which shows one image"),
        (
            ["--wave", "one.fst", "--synthesised"],
            "--synthesised must be left out with --wave, which shows one image as built",
        ),
    ],
)
def test_what_cannot_be_recorded_is_said(
    recorded, tmp_path, monkeypatch, capsys, arguments, message
):
    monkeypatch.chdir(tmp_path)
    np.save("three.npy", random_images(1, 3, recorded.model.image_shape))
    folder = recorded.folder
    assert main([str(folder / "core"), str(folder / "model.safetensors"), *arguments]) == 2
    assert f"{message}.\n" in capsys.readouterr().err


def test_missing_headers_are_named_with_their_packages(tmp_path, monkeypatch):
    """A compiler that looks nowhere finds none."""
    compiler = shutil.which("g++")
    script = tmp_path / "g++"
    script.write_text(f'#!/bin/sh\nexec {compiler} -nostdinc "$@"\n')
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(ToolError) as caught:
        require_headers()
    assert str(caught.value) == (
        "lz4.h and zlib.h were not both found, which waves are written with: install them with "
        "`apt-get install liblz4-dev zlib1g-dev`"
    )

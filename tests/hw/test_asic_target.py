"""``--target asic`` around the tools: what they get, and what is refused before or between them."""

import pytest

import golden
from hw import build
from hw.asic import implement
from hw.asic.liberty import DEFAULT
from hw.cli import asic_target
from hw.emit.vectors import random_vectors
from hw.reporting.asic_rows import module_rows
from hw.tools.process import ToolError
from tests.models import small


with_cells = pytest.mark.skipif(
    not DEFAULT.exists(), reason="OSU018 is missing: apt-get install qflow-tech-osu018"
)


@pytest.fixture(scope="module")
def model():
    return small()


@pytest.fixture(scope="module")
def model_file(model, tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "small.safetensors"
    golden.save(model, path)
    return path


def status_of(model_file, folder, *arguments):
    """Exit status of a build."""
    given = ["--target", "asic", "--model", model_file, "--columns", "1", "--lanes-per-column", "2"]
    return build.main([str(word) for word in [*given, "--out", folder, *arguments]])


def stop(*_, **__):
    """In place of what takes long."""
    raise ToolError("it goes no further")


@with_cells
@pytest.mark.synthesis
def test_power_is_of_the_vectors_where_no_pictures_are_named(
    model, model_file, tmp_path, monkeypatch, capsys
):
    given = {}

    def recorded(*_, **options):
        given.update(options)
        stop()

    monkeypatch.setattr(asic_target, "implement", recorded)
    monkeypatch.setattr(asic_target, "has_sta", lambda: True)
    assert status_of(model_file, tmp_path / "out") == 3
    pictures = random_vectors(model).pictures
    assert given["pictures"].tolist() == pictures.tolist()
    assert given["logits"].tolist() == golden.run(model, pictures).logits.tolist()
    assert given["beats"]
    assert "power is measured of 4 pictures, random ones of seed 1" in capsys.readouterr().out


@with_cells
@pytest.mark.synthesis
def test_nothing_of_an_earlier_build_is_left(model_file, tmp_path, monkeypatch):
    old = tmp_path / "out" / "asic" / "power.7.log"
    old.parent.mkdir(parents=True)
    old.touch()
    monkeypatch.setattr(implement, "synthesise", stop)
    assert status_of(model_file, tmp_path / "out") == 3
    assert not old.exists()


@with_cells
@pytest.mark.synthesis
@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"module \xff;", "memories.v: the Verilog of --sram-wrapper must be text in UTF-8"),
        (
            b"module other; endmodule",
            "The Verilog of --sram-wrapper must have a module addend_sram",
        ),
    ],
)
def test_wrong_memories_are_bad_input(model_file, tmp_path, capsys, content, rule):
    wrapper = tmp_path / "memories.v"
    wrapper.write_bytes(content)
    assert status_of(model_file, tmp_path / "out", "--sram-wrapper", wrapper) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert rule in error


def test_a_netlist_without_area_has_rows():
    own = {"total_area": 0.0, "area": 0.0, "cells": 1}
    asic = {"area": {"total": 0.0}, "modules": {"accelerator": own}}
    assert module_rows(asic) == [("accelerator", ["0", "0.0%", "0", "1"])]

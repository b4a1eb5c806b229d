"""Building: what is written, what is refused, and in which words."""

import json
import os
import subprocess
import sys
from shutil import copytree

import pytest

import golden
from golden import SpikeCode
from golden.analysis.synthetic import random_model
from hw import build, load
from hw.compiler import compile_model
from hw.emit.build_directory import check_memory_images, read_description
from hw.emit.memory_images import memory_words, read_hex, read_weights, slice_paths
from hw.isa.checksum import checksum
from hw.isa.core_config import CoreConfig
from tests.cores import emitted_once


#: The command on a disk that is full once the Verilog is made.
FULL_DISK = """
import resource, signal, sys
from hw import build
def write(*arguments, write=build.write):
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50000, 50000))
    write(*arguments)
build.write = write
sys.exit(build.main(sys.argv[1:]))
"""


@pytest.fixture(scope="module", autouse=True)
def each_core_once():
    with emitted_once():
        yield


@pytest.fixture(scope="module")
def model():
    return random_model(1)


@pytest.fixture(scope="module")
def model_file(model, tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "model.safetensors"
    golden.save(model, path)
    return path


@pytest.fixture(scope="module")
def original(model_file, tmp_path_factory):
    """Build folder that tests take copies of."""
    folder = tmp_path_factory.mktemp("original") / "built"
    assert build.main(["--target", "sim", "--model", str(model_file), "--out", str(folder)]) == 0
    return folder


@pytest.fixture
def built(original, tmp_path):
    return copytree(original, tmp_path / "built")


def refused(capsys, arguments, main=build.main):
    """The sentence on stderr of a command that exits with status 2."""
    assert main([str(argument) for argument in arguments]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    return error


def flip_a_bit(path):
    text = bytearray(path.read_bytes())
    text[-2] = ord(f"{int(chr(text[-2]), 16) ^ 1:x}")
    path.write_bytes(text)


def test_images_give_back_the_weights(model, built):
    plan = compile_model(model, columns=2, lanes=16, spike_code=SpikeCode.BIT_SERIAL)
    width = plan.required.weight_width
    slices = [
        read_hex((built / path).read_text(), width, name=path)
        for path in slice_paths(plan.required)["weights"]
    ]
    assert (read_weights(slices, plan.required) == plan.rows).all()


@pytest.mark.parametrize("image", ["rom/weights.3.hex", "rom/neurons.hex", "rom/windows.hex"])
def test_a_flipped_bit_is_found_before_synthesis(built, model_file, capsys, image):
    flip_a_bit(built / image)
    with pytest.raises(ValueError, match=f"{image} must match its digest, but was changed"):
        check_memory_images(built)
    error = refused(capsys, ["--target", "fpga", "--model", model_file, "--out", built])
    assert f"{image} must match its digest, but was changed" in error
    assert not (built / "fpga").exists()


def test_a_removed_image_is_built_again(built, model_file):
    path = built / "rom" / "weights.3.hex"
    before = path.read_bytes()
    flip_a_bit(path)
    path.unlink()
    assert build.main(["--target", "sim", "--model", str(model_file), "--out", str(built)]) == 0
    assert path.read_bytes() == before


def test_an_image_of_another_build_is_found(built):
    path = built / "rom" / "weights.0.hex"
    path.write_text((built / "rom" / "weights.1.hex").read_text())
    with pytest.raises(ValueError, match=r"weights.0.hex must have the digest"):
        check_memory_images(built)


def test_an_unchanged_file_is_not_written_again(built, model_file):
    before = {path: path.stat().st_mtime_ns for path in built.rglob("*.*")}
    assert build.main(["--target", "sim", "--model", str(model_file), "--out", str(built)]) == 0
    assert {path: path.stat().st_mtime_ns for path in built.rglob("*.*")} == before


def test_a_dry_run_writes_nothing_and_tells_sizes(model_file, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert build.main(["--dry-run", "--model", str(model_file), "--columns", "3"]) == 0
    printed = capsys.readouterr().out
    for word in (
        "accumulator",
        "weights",
        "together",
        "whole image",
        "latency",
        "images/s",
        "q(kv), built",
    ):
        assert word in printed
    assert list(tmp_path.iterdir()) == []


def test_weights_may_lie_outside(model_file, tmp_path, capsys):
    options = ["--model", str(model_file), "--bus-width", "64", "--lanes-per-column", "8"]
    assert build.main(["--target", "sim", *options, "--out", str(tmp_path / "out")]) == 0
    assert [path.name for path in (tmp_path / "out" / "rom").iterdir()] == ["external.hex"]
    description = read_description(tmp_path / "out")
    ports = {port["name"]: port["width"] for port in description["ports"]}
    assert ports["m_axi_weights_rdata"] == 64
    assert "s_axis_load_tdata" not in ports
    capsys.readouterr()
    assert build.main(["--dry-run", *options]) == 0
    size = 8 * description["memories"]["external"]["depth"]
    assert f"external memory: {size} bytes" in capsys.readouterr().out
    flip_a_bit(tmp_path / "out" / "rom" / "external.hex")
    with pytest.raises(ValueError, match=r"external.hex must match its digest, but was changed"):
        check_memory_images(tmp_path / "out")


def test_cycles_stand_in_the_description(built):
    cycles = read_description(built)["cycles"]
    assert cycles["from"] == "mean counts"
    assert cycles["total"] > sum(layer["cycles"] for layer in cycles["layers"].values())


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            ["--columns", "3", "--share", "2"],
            "--share must be left out, since every column has a firing unit",
        ),
        (
            ["--weight-width", "3"],
            "--weight-width must be at least the 4 bits of layer downsample1_1, not 3",
        ),
        (["--images", "missing.npy"], "missing.npy"),
    ],
)
def test_bad_options_are_refused(model_file, tmp_path, capsys, options, sentence):
    out = tmp_path / "out"
    assert sentence in refused(
        capsys, ["--target", "sim", "--model", model_file, "--out", out, *options]
    )
    assert not out.exists()


def test_a_missing_output_folder_is_asked_for(model_file, capsys):
    assert "--out must name the build directory" in refused(capsys, ["--model", model_file])


def test_a_corrupt_model_is_refused(tmp_path, capsys):
    path = tmp_path / "bad.safetensors"
    path.write_bytes(b"not a model")
    error = refused(capsys, ["--target", "sim", "--model", path, "--out", tmp_path / "out"])
    assert "bad.safetensors" in error
    assert not (tmp_path / "out").exists()


def test_a_network_that_does_not_fit_is_refused_before_synthesis(tmp_path, capsys):
    path = tmp_path / "large.safetensors"
    golden.save(random_model(1, dims=(16, 32, 96, 128), weight_bits=8), path)
    error = refused(
        capsys,
        ["--model", path, "--device", "ecp5-25k", "--columns", "4", "--out", tmp_path / "out"],
    )
    assert "does not fit ecp5-25k" in error
    assert "more than the 56 there are" in error
    assert "--columns" in error or "--device" in error
    assert not (tmp_path / "out").exists()


def test_a_full_disk_leaves_nothing_half_written(model_file, tmp_path):
    finished = subprocess.run(
        [
            sys.executable,
            "-B",
            "-c",
            FULL_DISK,
            "--target",
            "sim",
            "--model",
            model_file,
            "--out",
            tmp_path / "out",
        ],
        capture_output=True,
        text=True,
        env=os.environ,
    )
    assert finished.returncode == 2
    assert "File too large" in finished.stderr
    assert "Traceback" not in finished.stderr
    assert not (tmp_path / "out").exists()


def test_a_larger_model_does_not_load_into_a_smaller_core(built, tmp_path, capsys):
    other = tmp_path / "other.safetensors"
    golden.save(random_model(2, dims=(8, 16, 32, 32)), other)
    out = tmp_path / "beats.txt"
    error = refused(capsys, [built, other, "--out", out], main=load.main)
    assert "build a core for the larger model" in error
    assert not out.exists()


def test_beats_carry_every_word(built, model, model_file, tmp_path):
    out = tmp_path / "beats.txt"
    assert load.main([str(built), str(model_file), "--out", str(out)]) == 0
    config = CoreConfig.from_dict(read_description(built)["config"])
    plan = load.lay_out(model, config)
    expected = sum(
        1 + len(words) * -(-config.memories[name][0] // 32)
        for name, words in memory_words(plan, config).items()
    )
    *beats, header, signature = [int(line, 16) for line in out.read_text().split()]
    assert len(beats) == expected
    assert sum(beat >> 32 for beat in beats) == len(config.memories)
    assert header == 0xF0000000
    assert signature == 1 << 32 | checksum(beats, 33, start=config.fingerprint)


def test_a_folder_of_another_version_is_built_anew(model_file, tmp_path):
    options = [
        "--target",
        "sim",
        "--model",
        str(model_file),
        "--columns",
        "1",
        "--out",
        str(tmp_path / "out"),
    ]
    assert build.main(options) == 0
    path = tmp_path / "out" / "accelerator.json"
    now = path.read_text()
    path.write_text(now.replace(f'"version": {json.loads(now)["version"]}', '"version": 1'))
    assert path.read_text() != now
    assert build.main(options) == 0
    assert path.read_text() == now

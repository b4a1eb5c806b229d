"""Memory images in vendors' formats: read back to the same weights, and every change is found."""

import hashlib
import json
import random
import shutil

import numpy as np
import pytest

import golden
from golden import SpikeCode
from hw import build
from hw.compiler import compile_model
from hw.emit.build_directory import DESCRIPTION, check_memory_images, write
from hw.emit.image_formats import FORMATS
from hw.emit.manifest import MANIFEST
from hw.emit.memory_images import image_words, read_hex, read_weights, slice_paths
from hw.emit.verilog import emit
from tests.models import small
from tests.vendor_images import READERS, read_coe, read_mi, read_mif


#: Arrays, and where their weights lie.
ARRAYS = {
    "on chip": {"columns": 1, "lanes": 4},
    "outside": {"columns": 1, "lanes": 4, "bus_width": 64},
}


@pytest.fixture(scope="module", autouse=True)
def emitted_once():
    """The Verilog of a core is the same every time, and takes seconds."""
    known = {}

    def once(config, **options):
        key = json.dumps([config.as_dict(), options])
        if key not in known:
            known[key] = emit(config, **options)
        return known[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hw.emit.contents.emit", once)
        yield


@pytest.fixture(scope="module")
def plans():
    model = small()
    return {
        name: compile_model(model, spike_code=SpikeCode.SPLIT, **array)
        for name, array in ARRAYS.items()
    }


@pytest.fixture(scope="module")
def folders(plans, tmp_path_factory):
    """A build directory with every format for each of ``ARRAYS``."""
    made = {}
    for name, plan in plans.items():
        made[name] = tmp_path_factory.mktemp("built")
        build.build(plan, made[name], image_formats=tuple(FORMATS))
    return made


@pytest.fixture
def built(folders, tmp_path):
    """A copy of the one on chip."""
    return shutil.copytree(folders["on chip"], tmp_path / "built")


def images_in(folder):
    """Paths in a build directory of everything that lies beside its memory images."""
    return {path.relative_to(folder).as_posix() for path in (folder / "rom").iterdir()}


def everything(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*.*"))}


def test_readers_take_what_the_documents_allow():
    coe = (
        "; a comment\nMemory_Initialization_Radix = 2; of the words\n"
        "memory_initialization_vector =\n1111 , 0101\n0001,10;\n"
    )
    assert read_coe(coe) == ([15, 5, 1, 2], None)
    assert read_coe(coe.replace("= 2", "= 10").replace("1111", "42"))[0] == [42, 101, 1, 10]
    mif = (
        "% several\nlines: 0 % DEPTH = 8; -- words\nWIDTH = 6;\nADDRESS_RADIX = HEX;\n"
        "DATA_RADIX = BIN; CONTENT\nBEGIN\n0 : 100000; -- one\n[1..4] : 1 10;\n5 : 111 11 1;\nEND;"
    )
    assert read_mif(mif) == ([32, 1, 2, 1, 2, 7, 3, 1], 6)
    head = "#File_format={}\n#Address_depth=3\n#Data_width=5\n"
    assert read_mi(head.format("Hex") + "1f\n0A\n3\n") == ([31, 10, 3], 5)
    assert read_mi(head.format("Bin") + "11111\n1\n10\n") == ([31, 1, 2], 5)
    assert read_mi(head.format("AddrHex") + "2:1f\n0:3\n") == ([3, 0, 31], 5)


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("array", ARRAYS)
def test_every_format_gives_back_every_word_and_the_weights(plans, folders, array, suffix):
    config = plans[array].required
    words = image_words(plans[array], config)
    found = {}
    for memory, paths in slice_paths(config).items():
        width, slices = config.image_files[memory]
        found[memory] = []
        for path in paths:
            text = (folders[array] / path).with_suffix(f".{suffix}").read_text()
            part, told = READERS[suffix](text)
            assert told in {None, width // slices}
            found[memory].append(part)
        together = [
            sum(part << index * width // slices for index, part in enumerate(parts))
            for parts in zip(*found[memory], strict=True)
        ]
        assert together == words[memory]
    weights = read_weights(found["external" if config.external else "weights"], config)
    assert np.array_equal(weights, plans[array].rows)


@pytest.mark.parametrize("array", ARRAYS)
def test_the_manifest_tells_digest_width_depth_and_bits_of_every_file(plans, folders, array):
    folder, config = folders[array], plans[array].required
    files = json.loads((folder / MANIFEST).read_text())["files"]
    assert set(files) == images_in(folder) - {MANIFEST}
    assert {entry["format"] for entry in files.values()} == {"hex", *FORMATS}
    for memory, paths in slice_paths(config).items():
        width, slices = config.image_files[memory]
        for index, path in enumerate(paths):
            head, _, *lines = (folder / path).read_text().splitlines()
            for suffix in ("hex", *FORMATS):
                name = f"{path.removesuffix('hex')}{suffix}"
                part = width // slices
                assert files[name] == {
                    "format": suffix,
                    "memory": memory,
                    "bits": [index * part, index * part + part - 1],
                    "width": part,
                    "depth": len(lines),
                    "sha256": hashlib.sha256((folder / name).read_bytes()).hexdigest(),
                    "words_sha256": head.split()[-1],
                }


@pytest.mark.parametrize("array", ARRAYS)
def test_a_flipped_bit_is_found_in_every_file(folders, tmp_path, array, seed):
    folder = shutil.copytree(folders[array], tmp_path / "built")
    check_memory_images(folder)
    draw = random.Random(seed)
    for name in sorted(images_in(folder)):
        before = (folder / name).read_bytes()
        for _ in range(3):
            place, bit = draw.randrange(len(before)), draw.randrange(8)
            after = bytearray(before)
            after[place] ^= 1 << bit
            (folder / name).write_bytes(after)
            with pytest.raises(ValueError, match=name):
                check_memory_images(folder)
        (folder / name).write_bytes(before)
    check_memory_images(folder)


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_flipped_bit_of_a_word_is_found_by_comparing(plans, folders, suffix, seed):
    config = plans["on chip"].required
    draw = random.Random(seed)
    for path in slice_paths(config)["weights"]:
        text = (folders["on chip"] / path).read_text()
        expected = read_hex(text, config.weight_width, name=path)
        lines = (folders["on chip"] / path).with_suffix(f".{suffix}").read_text().splitlines()
        # Words stand at the end, one to a line, each with a single digit.
        number = draw.randrange(len(expected))
        at = len(lines) - len(expected) + number - (suffix == "mif")
        digit = lines[at].rstrip(";,")[-1]
        assert int(digit, 16) == expected[number]
        flipped = f"{int(digit, 16) ^ 1 << draw.randrange(config.weight_width):x}"
        place = len(lines[at].rstrip(";,")) - 1
        lines[at] = lines[at][:place] + flipped + lines[at][place + 1 :]
        found, _ = READERS[suffix]("\n".join(lines) + "\n")
        assert [a != b for a, b in zip(found, expected, strict=True)] == [
            index == number for index in range(len(expected))
        ]


def test_a_missing_file_is_named_and_made_again(plans, built):
    path = built / "rom" / "weights.1.mif"
    before = path.read_bytes()
    path.unlink()
    with pytest.raises(ValueError, match=r"weights.1.mif must exist: build it again"):
        check_memory_images(built)
    build.build(plans["on chip"], built, image_formats=tuple(FORMATS))
    assert path.read_bytes() == before


def test_a_changed_file_is_not_built_over(plans, built):
    path = built / "rom" / "program.coe"
    path.write_text(path.read_text() + "\n")
    with pytest.raises(ValueError, match=r"program.coe must have the digest"):
        build.build(plans["on chip"], built, image_formats=tuple(FORMATS))


def test_a_manifest_of_another_build_is_found(folders, built):
    (built / MANIFEST).write_bytes((folders["outside"] / MANIFEST).read_bytes())
    with pytest.raises(ValueError, match=r"manifest.json: .* must name the memory images"):
        check_memory_images(built)


def test_a_rebuild_leaves_no_image_of_an_earlier_build(plans, built):
    own = built / "rom" / "notes.coe"
    own.write_text("mine")
    build.build(plans["on chip"], built, image_formats=("mi",))
    assert {path.rpartition(".")[2] for path in images_in(built) - {"rom/notes.coe"}} == {
        "hex",
        "mi",
        "json",
    }
    build.build(plans["on chip"], built)
    hexes = {path for paths in slice_paths(plans["on chip"].required).values() for path in paths}
    assert images_in(built) == hexes | {"rom/notes.coe"}
    assert own.read_text() == "mine"
    build.build(plans["outside"], built, image_formats=("coe",))
    assert images_in(built) == {"rom/external.hex", "rom/external.coe", MANIFEST, "rom/notes.coe"}


def test_an_unchanged_folder_is_not_written_again(plans, built):
    before = {path: path.stat().st_mtime_ns for path in built.rglob("*.*")}
    build.build(plans["on chip"], built, image_formats=tuple(FORMATS))
    assert {path: path.stat().st_mtime_ns for path in built.rglob("*.*")} == before


def test_what_cannot_be_written_changes_nothing(built):
    """The description is not taken away, nor a file removed, before all others are complete."""
    before = everything(built)
    files = {DESCRIPTION: "new", "rom/weights.0.coe": "new", "rom/weights.0.coe/below": "new"}
    with pytest.raises(OSError):
        write(files, built)
    assert everything(built) == before


def test_hex_images_and_verilog_are_the_same_with_and_without(plans, folders, tmp_path):
    build.build(plans["outside"], tmp_path)
    for path, content in everything(tmp_path).items():
        assert (folders["outside"] / path.relative_to(tmp_path)).read_bytes() == content


def test_the_option_takes_several_formats(tmp_path, capsys):
    golden.save(small(), tmp_path / "model.safetensors")
    command = ["--target", "sim", "--model", str(tmp_path / "model.safetensors")]
    command += ["--columns", "1", "--lanes-per-column", "4", "--out", str(tmp_path / "out")]
    assert build.main([*command, "--images-as", "coe", "mif", "--images-as", "mi"]) == 0
    formats = {path.rpartition(".")[2] for path in images_in(tmp_path / "out")}
    assert formats == {"hex", "json", *FORMATS}
    assert build.main([*command, "--images-as", "coe", "--images-as", "coe"]) == 2
    assert "--images-as must hold each value once, not coe again" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        build.main([*command, "--images-as", "bin"])
    assert "invalid choice: 'bin'" in capsys.readouterr().err

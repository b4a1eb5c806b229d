"""The description of a built accelerator: what was changed in it is noticed, and named."""

import copy
import json
import os
import random
import shutil

import pytest

import golden
from golden.analysis.synthetic import random_model
from golden.data.reading import InputError
from hw import area, load
from hw.emit.build_directory import DESCRIPTION, check_verilog, read_description, usable
from sim import verify
from tests.small_core import build_by_command


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """A build folder beside its model."""
    folder = tmp_path_factory.mktemp("folder")
    golden.save(random_model(1), folder / "model.safetensors")
    build_by_command(folder / "model.safetensors", folder / "built")
    return folder


@pytest.fixture
def folder(original, tmp_path):
    shutil.copytree(original, tmp_path / "copy")
    return tmp_path / "copy"


def leaves(value, path=()):
    """Where the values of a description are that hold no others, and where objects and lists."""
    if path:
        yield path
    if isinstance(value, (dict, list)):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(inner, (*path, key))


def changed(description, path, value):
    """A description with one value replaced, or taken out for ``...``."""
    description = copy.deepcopy(description)
    inner = description
    for key in path[:-1]:
        inner = inner[key]
    if value is ...:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return description


@pytest.mark.soak
def test_whatever_is_changed_is_noticed_and_named(folder, soak, seed):
    path = folder / "built" / DESCRIPTION
    description = json.loads(path.read_text())
    read_description(path.parent)
    wrong = (..., [[]], {"a": 1}, "text", 12345678901, True, None)
    cases = [(place, value) for place in leaves(description) for value in wrong]
    assert len(cases) > 1000
    for place, value in random.Random(seed).sample(cases, 5_000 if soak else 150):
        before = description
        for key in place:
            before = before[key]
        if value == before:
            continue
        path.write_text(json.dumps(changed(description, place, value)))
        with pytest.raises(InputError) as caught:
            read_description(path.parent)
        sentence = str(caught.value)
        assert sentence.startswith(f"{path}: the description of the accelerator")
        assert sentence.endswith("; build the accelerator again")
        # Of a type that the field never has, the sentence says which field it is.
        if value == [[]] and "descriptor" not in place:
            assert [key for key in place if isinstance(key, str)][-1] in sentence


@pytest.mark.parametrize(("name", "value"), [("accumulator_width", 60), ("weight_depth", 8)])
def test_a_configuration_that_is_not_the_verilogs_loads_nothing(folder, capsys, name, value):
    path = folder / "built" / DESCRIPTION
    path.write_text(json.dumps(changed(json.loads(path.read_text()), ("config", name), value)))
    assert (
        load.main([
            str(path.parent),
            str(folder / "model.safetensors"),
            "--out",
            str(folder / "beats"),
        ])
        == 2
    )
    assert "must have the digest that stands in it, but was changed" in capsys.readouterr().err
    assert not (folder / "beats").exists()


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[" * 100,
        b'{"format": "addend-accelerator"}',
        b'{"format":"addend-accelerator","version":7,"images":[1]}',
        None,
    ],
)
def test_a_damaged_description_is_one_sentence_everywhere(folder, capsys, damage):
    built, model = folder / "built", str(folder / "model.safetensors")
    (built / DESCRIPTION).unlink()
    if damage is None:
        os.mkfifo(built / DESCRIPTION)
    else:
        (built / DESCRIPTION).write_bytes(damage)
    assert not usable(built)
    for main, arguments in (
        (load.main, [model, "--out", str(folder / "beats")]),
        (verify.main, [model, "--count", "1"]),
        (area.main, []),
    ):
        assert main([str(built), *arguments]) == 2
        sentence = capsys.readouterr().err
        assert sentence.count("\n") == 1
        assert DESCRIPTION in sentence
        assert "build the accelerator again" in sentence


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "must be JSON"),
        ("[]", "must be a JSON object"),
        ("{}", "must be of the format addend-accelerator"),
        ('{"format": "addend-accelerator", "version": 1}', "has version 1"),
    ],
)
def test_a_description_that_is_none_is_refused(tmp_path, text, why):
    (tmp_path / "accelerator.json").write_text(text)
    with pytest.raises(ValueError, match=why):
        read_description(tmp_path)


def test_a_build_replaces_a_damaged_description(original, folder):
    built = folder / "built"
    (built / DESCRIPTION).unlink()
    os.mkfifo(built / DESCRIPTION)
    build_by_command(folder / "model.safetensors", built)
    for path in sorted((original / "built").rglob("*.*")):
        copied = built / path.relative_to(original / "built")
        assert copied.read_bytes() == path.read_bytes()


def test_changed_verilog_is_noticed(folder, capsys):
    built = folder / "built"
    check_verilog(built)
    path = built / "rtl" / "accelerator.v"
    path.write_text(path.read_text() + "\n")
    for main, arguments in (
        (verify.main, [str(folder / "model.safetensors"), "--count", "1"]),
        (area.main, []),
    ):
        assert main([str(built), *arguments]) == 2
        assert "accelerator.v must have the digest" in capsys.readouterr().err


def test_an_image_that_only_python_reads_is_refused(folder, capsys):
    image = folder / "built" / "rom" / "windows.hex"
    head, licence, first, *rest = image.read_text().split("\n")
    image.write_text("\n".join([head, licence, f"0x{first}", *rest]))
    assert (
        verify.main([str(folder / "built"), str(folder / "model.safetensors"), "--count", "1"]) == 2
    )
    assert "windows.hex must match its digest, but was changed" in capsys.readouterr().err

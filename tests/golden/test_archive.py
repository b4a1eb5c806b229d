"""Archives of pictures: what a zip claims is checked before its members are unpacked."""

import re
import zipfile

import pytest

from golden.cli.source import load_source
from golden.data import archive
from golden.model.input import ModelInput
from tests.pictures import write_tree, zip_tree
from tests.sources import refused, source


def packed(tmp_path, method):
    write_tree(tmp_path / "data", size=(8, 8), channels=1)
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w", method) as file:
        for entry in sorted((tmp_path / "data").rglob("*.png")):
            file.write(entry, entry.relative_to(tmp_path))
    return path


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_members_that_could_explode_are_refused(method, tmp_path):
    path = packed(tmp_path, method)
    refused(
        lambda path: source(path).images[:],
        path,
        f"must be stored or deflated, not packed with method {method}",
    )


def damaged(path, *changes, signature=b"PK\x01\x02"):
    """Change fields of every entry of a zip's directory: (offset, bytes)."""
    data = bytearray(path.read_bytes())
    for match in re.finditer(re.escape(signature), bytes(data)):
        for offset, value in changes:
            data[match.start() + offset : match.start() + offset + len(value)] = value
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (((8, b"\x01"),), "is encrypted: pack the archive again without a password"),
        (((24, b"\xff\xff\xff\x7f"),), "it must have at most 268435456 bytes, not 2147483647"),
        (((24, b"\xff\xff\xff\x00"),), "cannot be read (the archive is damaged there)"),
        (((10, b"\x63\x00"),), "not packed with method 99"),
        (((16, b"\x00\x00\x00\x00"),), "cannot be read (the archive is damaged there)"),
    ],
)
def test_what_a_directory_claims_is_not_believed(changes, sentence, tmp_path):
    path = packed(tmp_path, zipfile.ZIP_DEFLATED)
    damaged(path, *changes)
    refused(lambda path: source(path).images[:], path, sentence)


def test_members_are_counted_before_they_are_read(tmp_path, monkeypatch):
    path = packed(tmp_path, zipfile.ZIP_STORED)
    monkeypatch.setattr(archive, "MAX_MEMBERS", 12)
    assert len(source(path).names) == 6
    monkeypatch.setattr(archive, "MAX_MEMBERS", 11)
    with pytest.raises(ValueError, match="must have at most 11 members"):
        source(path)


def test_a_member_that_goes_on_for_ever_is_not_unpacked(tmp_path):
    write_tree(tmp_path / "data", size=(8, 8), channels=1)
    path = zip_tree(tmp_path / "data", tmp_path / "x.zip")
    with (
        zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED, compresslevel=1) as file,
        file.open("data/test/ant/9.png", "w") as member,
    ):
        for _ in range(257):
            member.write(bytes(2**20))
    refused(lambda path: source(path).images[:], path, "data/test/ant/9.png is too large")


def test_a_picture_that_is_none_is_said_before_its_classes_are_compared(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        file.writestr("train/a/1.png", b"x")
        with file.open("test/a/1.png", "w") as member:
            for _ in range(257):
                member.write(bytes(2**20))
    with pytest.raises(ValueError, match=r"x\.zip: test/a/1\.png is too large"):
        load_source(tmp_path / "x.zip", ModelInput.usual((8, 8, 1), 10))

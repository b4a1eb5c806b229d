"""Files are written whole or not at all."""

import errno
import os
import resource

import pytest

from golden import ModelError, save
from golden.analysis.synthetic import random_model
from golden.data.atomic import replacing


@pytest.fixture(scope="module")
def model():
    return random_model(6)


def test_a_file_appears_only_when_whole(tmp_path):
    path = tmp_path / "m.bin"
    with replacing(path) as file:
        file.write(b"half")
        assert not path.exists()
    assert path.read_bytes() == b"half"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    "interruption", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()]
)
def test_nothing_half_written_is_left_behind(model, tmp_path, monkeypatch, interruption):
    path = tmp_path / "m.safetensors"
    path.write_text("the previous file")

    def fail(descriptor):
        raise interruption

    monkeypatch.setattr(os, "fsync", fail)
    expected = ModelError if isinstance(interruption, OSError) else KeyboardInterrupt
    with pytest.raises(expected) as caught:
        save(model, path)
    if expected is ModelError:
        assert str(caught.value) == f"{path}: the model cannot be written (No space left on device)"
    assert [file.name for file in tmp_path.iterdir()] == ["m.safetensors"]
    assert path.read_text() == "the previous file"


def test_a_full_disk_is_one_sentence(model, tmp_path):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(ModelError, match=r"the model cannot be written \(File too large\)"):
            save(model, tmp_path / "m.safetensors")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(tmp_path.iterdir()) == []

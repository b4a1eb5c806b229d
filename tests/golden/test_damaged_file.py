"""Files that are no model file of this version: every one is refused in one sentence."""

import json

import numpy as np
import pytest
import safetensors.numpy

import golden
from golden import ModelError, load, save
from golden.analysis.synthetic import random_model
from tests.model_files import refused, rewritten


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "model.safetensors"
    save(random_model(6), path)
    return path


def test_a_missing_file_is_refused(tmp_path):
    refused(tmp_path / "none.safetensors", "there is no such file")
    refused(tmp_path, "the model cannot be read (it is a folder, not a file)")


@pytest.mark.parametrize("kept", [0, 5, 100, -1, -1000])
def test_a_truncated_file_is_refused(saved, tmp_path, kept):
    path = tmp_path / "short.safetensors"
    path.write_bytes(saved.read_bytes()[:kept])
    refused(path, "the file is truncated or no safetensors file")


def test_foreign_files_are_refused(tmp_path):
    path = tmp_path / "foreign.safetensors"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    refused(path, "the file is truncated or no safetensors file")
    tensors = {"head.weight": np.zeros((2, 2), np.float32)}
    path.write_bytes(safetensors.numpy.save(tensors))
    refused(path, "the safetensors file holds no Addend model")
    path.write_bytes(safetensors.numpy.save(tensors, metadata={"format": "pt"}))
    refused(path, "the safetensors file holds no Addend model")


def test_foreign_types_are_refused(saved, tmp_path):
    path = tmp_path / "m.safetensors"
    with safetensors.safe_open(saved, framework="np") as file:
        header = file.metadata()["addend"]
    for metadata, sentence in [
        ({}, "holds no Addend model"),
        ({"addend": header}, "must hold int8, int16 and int64 tensors only"),
    ]:
        # A header by hand, because NumPy lacks the type.
        entry = {"dtype": "F8_E4M3", "shape": [8], "data_offsets": [0, 8]}
        text = json.dumps({"__metadata__": metadata, "x": entry}).encode()
        path.write_bytes(len(text).to_bytes(8, "little") + text + bytes(8))
        refused(path, sentence)


def test_the_graph_is_the_last_field(saved, tmp_path):
    with safetensors.safe_open(saved, framework="np") as file:
        header = file.metadata()["addend"]
    graph = header[header.index('"graph":') + 8 : -1] + ',"extra":1'
    fields = json.loads(header)
    fields["digest"] = golden.model.file._digest(graph, {})
    del fields["graph"]
    text = json.dumps(fields)[:-1] + f',"graph":{graph}}}'
    path = tmp_path / "m.safetensors"
    path.write_bytes(safetensors.numpy.save({}, metadata={"addend": text}))
    refused(path, "the graph must be the last field of the header")


@pytest.mark.parametrize("position", [-1, -20000, 3000])
def test_a_flipped_bit_is_refused(saved, tmp_path, position):
    path = tmp_path / "flipped.safetensors"
    content = bytearray(saved.read_bytes())
    content[position] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"flipped\.safetensors: the .* (corrupt|truncated)"):
        load(path)


def test_a_wrong_digest_is_refused(saved, tmp_path):
    path = rewritten(
        saved, tmp_path / "m.safetensors", lambda header, tensors: header.update(digest="0" * 64)
    )
    refused(path, "the file is corrupt, since its digest does not match its content")


@pytest.mark.parametrize(
    ("version", "newest"),
    [("1.3", "1.2"), ("1.10", "1.2"), ("2.1", "2.0"), ("3.0", "2.0"), ("10.0", "2.0")],
)
def test_newer_versions_are_refused_by_name(saved, tmp_path, version, newest):
    path = rewritten(
        saved, tmp_path / "m.safetensors", lambda header, tensors: header.update(version=version)
    )
    refused(
        path, f"format version {version} is newer than {newest}, the newest that this Addend reads"
    )


def test_older_minor_versions_load(saved, monkeypatch):
    monkeypatch.setattr(golden.model.file, "VERSION", (2, 7))
    assert load(saved).name == "random-6"


def test_other_major_versions_are_refused(saved, tmp_path):
    path = rewritten(
        saved, tmp_path / "m.safetensors", lambda header, tensors: header.update(version="0.9")
    )
    refused(path, "format version 0.9 must have major version 1 or 2")


@pytest.mark.parametrize(
    "header",
    [
        "",
        "[]",
        "{}",
        "7",
        '{"format":3}',
        '{"format":"x","version":"one","digest":"","graph":{}}',
        '{"format":"x","version":1,"digest":"","graph":{}}',
        '{"format":"x","version":"1.0"}',
    ],
)
def test_corrupt_headers_are_refused(tmp_path, header):
    path = tmp_path / "m.safetensors"
    path.write_bytes(safetensors.numpy.save({}, metadata={"addend": header}))
    refused(path, "the header of the model is corrupt")


def test_other_formats_are_refused(saved, tmp_path):
    path = rewritten(
        saved, tmp_path / "m.safetensors", lambda header, tensors: header.update(format="other")
    )
    refused(path, "the format must be addend-integer-model")

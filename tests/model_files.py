"""Model files that tests damage, and how golden refuses them."""

import json

import pytest
import safetensors.numpy

import golden
from golden import ModelError, load


__all__ = ["refused", "rewritten"]


def refused(path, sentence):
    """Checks that loading ends with one sentence, which names the file and has some words."""
    with pytest.raises(ModelError) as caught:
        load(path)
    text = str(caught.value)
    assert text.startswith(f"{path}: ")
    assert sentence in text
    assert "\n" not in text


def rewritten(saved, path, change):
    """Copy of a file in which ``change`` has edited header fields and tensors.

    Its digest is right again, unless the change has set one.
    """
    with safetensors.safe_open(saved, framework="np") as file:
        header = json.loads(file.metadata()["addend"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    del header["digest"]
    change(header, tensors)
    graph = json.dumps(header.pop("graph"))
    header.setdefault("digest", golden.model.file._digest(graph, tensors))
    text = json.dumps(header)[:-1] + f',"graph":{graph}}}'
    path.write_bytes(safetensors.numpy.save(tensors, metadata={"addend": text}))
    return path

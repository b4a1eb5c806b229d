"""`addend convert` on a function of a user's own file."""

import shutil

import numpy as np
import pytest
import torch

import golden
from addend.__main__ import run
from tests.own import MYNET, dyadic, mynet
from tests.training import random_images
from train.network.images import to_maps


#: Batch norms whose variance plus eps is one have no place for their eps in a checkpoint.
WITHOUT_EPS = """
import mynet

def build(**keywords):
    network = mynet.build(**keywords)
    for module in network.modules():
        if hasattr(module, "eps"):
            module.eps = 0.0
    return network
"""


@pytest.fixture
def folder(tmp_path):
    """A folder with the fixture, a neighbour that imports it, and parameters for both."""
    shutil.copy(MYNET, tmp_path)
    (tmp_path / "own.py").write_text(WITHOUT_EPS)
    torch.save(dyadic(mynet(), 3).float().state_dict(), tmp_path / "own.pth")
    return tmp_path


def convert(folder, *options, source="own.py:build", image="1x8x8"):
    out = folder / "own.safetensors"
    shape = ["--input", image] if image else []
    return run(["convert", f"{folder}/{source}", *shape, "--out", str(out), *options])


def test_the_file_computes_the_float_network(folder, capsys):
    images = random_images(12)
    network = dyadic(mynet(), 3)
    with torch.no_grad():
        scores = network(to_maps(images).double()).numpy()
    labels = scores.argmax(1)
    labels[0] = (labels[0] + 1) % 10
    np.savez(folder / "some.npz", images=images, labels=labels)
    status = convert(
        folder, "--checkpoint", f"{folder}/own.pth", "--calibrate", f"{folder}/some.npz"
    )
    lines = capsys.readouterr().out.splitlines()
    assert status == 0
    assert "logits equal the float64 network's on 12 of 12 images" in lines
    assert "right class, golden: 11 of 12 images" in lines
    model = golden.load(folder / "own.safetensors")
    assert lines[-1] == f"{folder}/own.safetensors: {len(model.layers)} layers"
    logits = golden.run(model, images).logits
    assert (logits * model.head.epilogue.scale == scores).all()
    assert model.image_shape == (8, 8, 1)
    assert model.mean_counts == golden.mean_counts(model, images)


def test_without_images_nothing_is_compared(folder, capsys):
    assert convert(folder, "--checkpoint", f"{folder}/own.pth") == 0
    assert "nothing was compared, since --calibrate gave no images" in capsys.readouterr().out
    compared = golden.load(folder / "own.safetensors")
    assert compared.mean_counts is None or not compared.mean_counts


def write(path, state):
    torch.save(state, path)
    return ["--checkpoint", str(path)]


def other_checkpoint(folder):
    return write(folder / "wide.pth", mynet(width=4).state_dict())


def short_checkpoint(folder):
    state = mynet().state_dict()
    del state["fc.weight"]
    return write(folder / "short.pth", state)


def infinite_checkpoint(folder):
    state = mynet().state_dict()
    state["fc.weight"][0, 0] = torch.inf
    return write(folder / "infinite.pth", state)


def no_checkpoint(folder):
    (folder / "text.pth").write_text("no checkpoint")
    return ["--checkpoint", str(folder / "text.pth")]


MISUSE = {
    "another width": (other_checkpoint, {}, "wide.pth"),
    "a missing parameter": (short_checkpoint, {}, "fc.weight"),
    "an infinite parameter": (infinite_checkpoint, {}, "fc.weight"),
    "a file that is none": (no_checkpoint, {}, "text.pth"),
    "no function": (None, {"source": "own.py:make"}, "has no function 'make'"),
    "no file": (None, {"source": "other.py:build"}, "there is no file"),
    "no module": (None, {"source": "bad.py:nothing"}, "must return a torch.nn.Module, not a int"),
    "a needed argument": (
        None,
        {"source": "bad.py:needs"},
        "cannot be called with no arguments: TypeError: needs() missing 1 required",
    ),
    "an error of its own": (None, {"source": "broken.py:build"}, "broken.py cannot be imported: "),
    "no shape": (None, {"image": ""}, "needs --input CxHxW, the shape of an image"),
    "another shape": (None, {"image": "3x8x8"}, "does not compute on images of 3x8x8"),
    "two convolutions": (None, {"source": "bad.py:two"}, "insert a neuron between a and b"),
    "no pixel scale": (None, {"source": "bad.py:scale"}, "nobody says what a byte of an image"),
}

BAD = """
from torch import nn
from addend import nn as spikes

def nothing():
    return 5

def needs(width):
    return nn.Identity()

class Two(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Conv2d(1, 4, 3), nn.Conv2d(4, 10, 6)

    def forward(self, x):
        return self.b(self.a(spikes.pixels(x)))

def two():
    return Two()

def scale():
    return nn.Sequential(nn.Conv2d(1, 4, 3), spikes.SpikeNeuron(max_count=4), nn.Conv2d(4, 10, 6))
"""


@pytest.mark.parametrize("what", MISUSE)
def test_misuse_is_one_sentence_and_leaves_no_file(folder, capsys, what):
    options, changes, sentence = MISUSE[what]
    (folder / "bad.py").write_text(BAD)
    (folder / "broken.py").write_text("import nonsense_of_no_package\n")
    assert convert(folder, *(options(folder) if options else []), **changes) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert sentence in output.err
    assert output.err.count("\n") == 1
    assert not (folder / "own.safetensors").exists()


def test_a_pixel_scale_may_be_an_option(folder):
    (folder / "bad.py").write_text(BAD)
    assert convert(folder, "--pixel-scale", "1/255", source="bad.py:scale") == 0
    assert len(golden.load(folder / "own.safetensors").layers) == 2

"""Checkpoints that cannot be converted: each is refused by name, in one sentence."""

import argparse

import pytest
import torch

from tests.conversion import convert, small_state


def change(**changes):
    """State of the narrow network with entries replaced, or left out where ``None``."""
    state = small_state() | {name.replace("__", "."): values for name, values in changes.items()}
    return {name: values for name, values in state.items() if values is not None}


@pytest.mark.parametrize(
    ("contents", "options", "sentence"),
    [
        (
            change(head__bias=None, block3__0__mlp__fc1_bn__bias=None),
            [],
            "lacks block3.0.mlp.fc1_bn.bias, head.bias",
        ),
        (change(downsample2__encode_conv__weight=None), [], "lacks downsample2.encode_conv.weight"),
        (
            change(downsample2__encode_conv__weight=None, head__bias=None),
            ["--size", "t"],
            "downsample2.encode_conv.weight",
        ),
        (change(extra__weight=torch.zeros(1)), [], "has the unexpected extra.weight"),
        (
            change(head__bias=torch.zeros(3)),
            [],
            "has other shapes than the network in head.bias (3 in place of 10)",
        ),
        (change(), ["--size", "t"], "must be of size T, not widths (8, 8, 16, 24)"),
        (
            change(),
            ["--family", "espikeformer-large"],
            "must be of the large family, not of the base",
        ),
        (change(), ["--heads", "5"], "must be a multiple of heads (5), not 16"),
        (
            {"patch_embed.proj_conv.weight": torch.zeros(1)},
            [],
            "holds a Spike-driven Transformer (V1)",
        ),
        (
            change(block3__0__attn__q_conv__0__body__0__weight=torch.zeros(1)),
            [],
            "holds a Meta-SpikeFormer (Spike-driven Transformer V2)",
        ),
        (
            {"model": small_state(), "args": argparse.Namespace(time_steps=4)},
            [],
            "was trained over T = 4 time steps",
        ),
        ({"model": "nothing"}, [], "must be a state_dict that torch saved"),
        (
            {"model": small_state(), "args": torch.nn.Linear(1, 1)},
            [],
            (
                "holds torch.nn.modules.linear.Linear, which could run code when it is loaded, "
                "so save the "
            ),
        ),
        (
            change(head__weight=torch.full((10, 24), torch.nan)),
            [],
            "has numbers that are not finite in head.weight",
        ),
    ],
)
def test_what_cannot_be_converted_is_refused_in_one_sentence(
    tmp_path, capsys, contents, options, sentence
):
    assert convert(tmp_path, contents, "--image-size", "32", *options) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert error.count("\n") == 1
    assert not (tmp_path / "m.safetensors").exists()

"""Where in a file parameters are, and by which names: found, and said; else refused by name."""

from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.training import network_config
from train.__main__ import main
from train.network.build import build
from train.run.checkpoint import CheckpointError
from train.run.contents import complete
from train.run.parameters import read_parameters


def small_state(seed=0):
    torch.manual_seed(seed)
    return build(network_config()).state_dict()


def named(state, change):
    return {change(name): values for name, values in state.items()}


#: What an optimizer and a scaler leave in a file, which are no networks.
BESIDES = {
    "optimizer": {
        "state": {0: {"step": torch.ones(()), "exp_avg": torch.zeros(3)}},
        "param_groups": [{"lr": 0.1, "params": [0]}],
    },
    "scaler": {"scale": 65536.0},
    "epoch": 3,
    "best": np.float64(0.8),
    "rank": np.int64(0),
    "args": Namespace(T=1, lr=0.1, out=Path("runs")),
}


def read(tmp_path, contents, entry=None):
    torch.save(contents, tmp_path / "w.pth")
    return read_parameters(tmp_path / "w.pth", entry)


def same(found, state):
    return found.keys() == state.keys() and all(
        torch.equal(found[name], values) for name, values in state.items()
    )


@pytest.mark.parametrize(
    ("change", "left_out"),
    [
        (lambda name: name, ()),
        (lambda name: f"module.{name}", ("module.",)),
        (lambda name: f"_orig_mod.{name}", ("_orig_mod.",)),
        (lambda name: f"_orig_mod.module.{name}", ("module.", "_orig_mod.")),
        (lambda name: f"module._orig_mod.{name}", ("module.", "_orig_mod.")),
        (lambda name: f"module.module.{name}", ("module.",)),
        # A stage that was compiled by itself.
        (lambda name: name.replace("block3.", "block3._orig_mod."), ("_orig_mod.",)),
        (lambda name: f"net._orig_mod.{name}", ("_orig_mod.", "net.")),
    ],
)
def test_names_are_freed_of_what_wrappers_add(tmp_path, change, left_out):
    state = small_state()
    found = read(tmp_path, named(state, change))
    assert same(found.values, state)
    assert found.wrappers == left_out
    said = [f"w.pth: names were read without {' and '.join(left_out)}"] if left_out else []
    assert found.lines("w.pth") == said


def test_a_moving_average_of_torch_is_read(tmp_path):
    state = small_state()
    averaged = torch.optim.swa_utils.AveragedModel(build(network_config()))
    averaged.module.load_state_dict(state)
    assert same(read(tmp_path, averaged.state_dict()).values, state)


@pytest.mark.parametrize(
    ("entries", "taken", "others"),
    [
        (["model"], "model", ()),
        (["state_dict"], "state_dict", ()),
        (["model_ema", "model"], "model", ("model_ema",)),
        (["model", "state_dict", "model_ema"], "model", ("state_dict", "model_ema")),
        (["model_ema", "state_dict"], "state_dict", ("model_ema",)),
        (["model_ema"], "model_ema", ()),
        (["weights of mine"], "weights of mine", ()),
    ],
)
def test_one_of_several_entries_is_taken_and_named(tmp_path, entries, taken, others):
    states = {name: small_state(seed) for seed, name in enumerate(entries)}
    found = read(tmp_path, states | BESIDES)
    assert same(found.values, states[taken])
    assert (found.entry, found.others) == (taken, others)
    more = f", and not {', '.join(others)} (--entry NAME takes another one)" if others else ""
    assert found.lines("w.pth") == [f"w.pth: the entry {taken} was taken{more}"]
    for name in entries:
        assert same(read(tmp_path, states | BESIDES, name).values, states[name])


def test_entries_of_entries_are_found(tmp_path):
    states = {"student": {"model": small_state(0)}, "teacher": {"model": small_state(1)}}
    assert same(read(tmp_path, states, "teacher.model").values, small_state(1))
    assert read(tmp_path, {"state": {"weights": small_state(0)}}).entry == "state.weights"


@pytest.mark.parametrize(
    ("contents", "entry", "sentence"),
    [
        (
            {"student": small_state(0), "teacher": small_state(1)},
            None,
            "holds several networks, so choose one of student, teacher with --entry NAME",
        ),
        ({"model": small_state(0)}, "ema", "--entry must be one of the file's (model), not ema"),
        (
            small_state(0),
            "model",
            "--entry must be one of the file's (none, for it is the parameters)",
        ),
        (
            small_state(0) | {"module.head.weight": torch.zeros(1)},
            None,
            "has head.weight twice, by names with and without module.",
        ),
        (
            {"addend-checkpoint": 1, "network": small_state(0)},
            None,
            "was written by train fit, and train export makes its model",
        ),
        (torch.nn.Conv2d(1, 1, 1), None, "holds torch.nn.modules.conv.Conv2d, which could run"),
        (BESIDES, None, "must be a state_dict that torch saved, bare or under model, state_dict"),
        ([small_state(0)], None, "must be a state_dict that torch saved"),
        ({1: small_state(0)}, None, "must be a state_dict that torch saved"),
    ],
)
def test_what_is_ambiguous_or_not_there_is_refused(tmp_path, contents, entry, sentence):
    with pytest.raises(CheckpointError) as caught:
        read(tmp_path, contents, entry)
    assert str(caught.value).startswith(f"{tmp_path / 'w.pth'}: {sentence}")


def test_a_dict_that_holds_itself_has_an_end(tmp_path):
    contents = {"model": small_state()}
    contents["again"] = contents
    assert read(tmp_path, contents).entry == "model"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            lambda values: values.to(torch.int32),
            "plain floating-point numbers in head.weight (torch.i",
        ),
        (
            lambda values: values.to_sparse(),
            "must have plain floating-point numbers in head.weight (",
        ),
        (lambda values: values.sum(), "must have 2 axes of at least 1 in head.weight, not []"),
        (lambda values: values[:0], "must have 2 axes of at least 1 in head.weight, not [0, 6]"),
    ],
)
def test_parameters_of_other_types_are_named(tmp_path, capsys, change, sentence):
    state = small_state()
    torch.save(state | {"head.weight": change(state["head.weight"])}, tmp_path / "w.pth")
    assert (
        main([
            "convert",
            "--checkpoint",
            str(tmp_path / "w.pth"),
            "--image-size",
            "32",
            "--heads",
            "2",
            "--out",
            str(tmp_path / "m.safetensors"),
        ])
        == 2
    )
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1


def test_counters_that_are_missing_begin_at_zero(tmp_path):
    state = small_state() | {"block3.0.mlp.fc1_bn.num_batches_tracked": torch.tensor(7)}
    without = {
        name: values
        for name, values in state.items()
        if "num_batches" not in name or name.startswith("block3.0.mlp.fc1")
    }
    found = complete(without, build(network_config()), "w.pth")
    assert found.keys() == state.keys()
    for name, values in found.items():
        wanted = state[name] if name in without else 0
        assert (values == wanted).all(), name


def test_the_command_takes_the_entry_that_it_is_given(tmp_path, capsys):
    states = {"student": small_state(0), "teacher": small_state(1)}
    torch.save(states, tmp_path / "w.pth")
    arguments = [
        "convert",
        "--checkpoint",
        str(tmp_path / "w.pth"),
        "--image-size",
        "32",
        "--heads",
        "2",
        "--out",
        str(tmp_path / "m.safetensors"),
    ]
    assert main(arguments) == 2
    assert "choose one of student, teacher with --entry NAME.\n" in capsys.readouterr().err
    assert main([*arguments, "--entry", "teacher"]) == 0
    assert capsys.readouterr().out.splitlines()[0] == (
        f"{tmp_path / 'w.pth'}: the entry teacher was taken, and not student (--entry NAME takes "
        "another one)"
    )

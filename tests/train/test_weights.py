"""Weights of a checkpoint alone, from which the next part of a training starts."""

import pytest
import torch

from tests.training import Stopping, run_config
from train.__main__ import main
from train.data.sets import DataSplit, load_split
from train.network.build import build
from train.run import checkpoint
from train.run.checkpoint import Checkpoint, CheckpointError
from train.run.config import CHECKPOINT, FLOAT_CHECKPOINT, load
from train.run.fit import fit, start


@pytest.fixture(autouse=True, scope="module")
def few_digits():
    split = load_split(run_config())
    few = DataSplit(
        split.train_images[:64],
        split.train_labels[:64],
        split.test_images[:20],
        split.test_labels[:20],
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("train.run.fit.load_split", lambda *_: few)
        yield few


@pytest.fixture(scope="module")
def interrupted(few_digits, tmp_path_factory):
    """Folder of a run that ended in the middle of quantised training."""

    folder = tmp_path_factory.mktemp("run")
    with pytest.raises(KeyboardInterrupt):
        fit(run_config(batch=32, average=0.5), folder, seed=0, progress=Stopping(2))
    return folder


def test_they_are_the_average_of_an_interrupted_run_and_start_another(
    interrupted, tmp_path, capsys
):
    given, out = interrupted / CHECKPOINT, tmp_path / "w.pt"
    assert main(["weights", str(given), "--out", str(out)]) == 0
    size = out.stat().st_size
    assert capsys.readouterr().out == (
        f"{out}: {size:,} bytes, of epoch 2; pass it to fit --init\n"
    )
    assert size < given.stat().st_size / 2
    state, alone = checkpoint.load(given), checkpoint.load(out)
    for name, values in alone.network.items():
        assert torch.equal(values, state.average[f"module.{name}"]), name
    assert not all(torch.equal(alone.network[name], state.network[name]) for name in alone.network)
    assert (alone.optimizer, alone.average, alone.grids, alone.accuracy) == ({}, {}, None, {})
    assert (alone.config, alone.seed, alone.classes) == (state.config, 0, state.classes)

    config = run_config(float_epochs=2, quantised_epochs=0, frozen_epochs=0, batch=32)
    begun = start(config, tmp_path / "none", 5, out)
    assert all(torch.equal(begun.network[name], alone.network[name]) for name in alone.network)
    assert fit(config, tmp_path / "next", seed=5, init=out).epoch == 2


def test_without_an_average_they_are_those_of_the_network(interrupted, tmp_path):
    # The end of the float phase adopted its average; a new one began with the same numbers.
    state = checkpoint.load(interrupted / FLOAT_CHECKPOINT)
    path = tmp_path / "c.pt"
    for average in ({}, state.average):
        state.average = average
        checkpoint.save(state, path)
        found = checkpoint.weights(path).network
        assert all(torch.equal(found[name], state.network[name]) for name in state.network)


def test_an_average_of_another_network_is_refused(interrupted, tmp_path):
    state = checkpoint.load(interrupted / CHECKPOINT)
    state.average.pop("module.head.weight")
    checkpoint.save(state, tmp_path / "c.pt")
    with pytest.raises(CheckpointError, match=r"c\.pt: lacks head\.weight$"):
        checkpoint.weights(tmp_path / "c.pt")


def test_those_of_the_nano_recipe_have_at_most_two_megabytes(project_root, tmp_path):
    config = load(project_root / "train" / "recipes" / "cifar10-nano-2.toml")
    network = build(config.network).state_dict()
    average = {"n_averaged": torch.tensor(1)} | {f"module.{n}": v for n, v in network.items()}
    state = Checkpoint(
        config=config, seed=0, epoch=1, network=network, optimizer={}, average=average
    )
    checkpoint.save(state, tmp_path / "c.pt")
    checkpoint.save(checkpoint.weights(tmp_path / "c.pt"), tmp_path / "w.pt")
    assert (tmp_path / "w.pt").stat().st_size <= 2_000_000


def test_weights_are_evaluated_as_a_float_network(interrupted, tmp_path, capsys):
    out = tmp_path / "w.pt"
    main(["weights", str(interrupted / CHECKPOINT), "--out", str(out)])
    capsys.readouterr()
    assert main(["evaluate", str(out)]) == 0
    assert capsys.readouterr().out.startswith("float     ")

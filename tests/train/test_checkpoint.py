"""Checkpoints: unchanged since they were written, whole, or refused in a sentence."""

import fcntl
import math
import random
from dataclasses import replace

import numpy as np
import pytest
import torch
from msgspec import structs

from golden.data.lock import alone_in
from tests.training import random_images, run_config, to_toml
from train.__main__ import main
from train.interpret.find import find_grids
from train.network.build import layered
from train.run import checkpoint
from train.run.checkpoint import CheckpointError
from train.run.fit import fit, start
from train.run.loop import DivergenceError, Loop
from train.run.pretrain import pretrain
from train.run.processes import ALONE
from train.run.training import Training


CONFIG = run_config(quantised_epochs=1)

#: Images that nobody looks at, and their labels.
FEW = random_images(128), np.zeros(128, np.int64)


@pytest.fixture(scope="module")
def state(tmp_path_factory):
    """A quantised state that no training was needed for."""
    fresh = start(CONFIG, tmp_path_factory.mktemp("fresh") / "none.pt", seed=1)
    return replace(fresh, epoch=2, grids=find_grids(layered(fresh.build()), CONFIG.quantise))


@pytest.fixture
def saved(state, tmp_path):
    path = tmp_path / "saved.pt"
    checkpoint.save(state, path)
    return path


def older(path, change=lambda contents: None):
    """Turns a checkpoint into one of version 1, which had no digest, with a change."""
    contents = torch.load(path, weights_only=True)
    contents["addend-checkpoint"] = 1
    change(contents)
    torch.save(contents, path)


def same(one, two):
    return one.keys() == two.keys() and all(torch.equal(one[name], two[name]) for name in one)


def test_a_checkpoint_comes_back(state, saved, caplog):
    found = checkpoint.load(saved)
    assert same(found.network, state.network)
    assert same(found.grids.scales, state.grids.scales)
    assert (found.config, found.epoch, found.seed) == (state.config, 2, 1)
    assert caplog.messages == []


def test_every_flipped_bit_is_refused(saved):
    data = saved.read_bytes()
    drawn = random.Random(18)
    places = [drawn.randrange(8 * len(data)) for _ in range(40)]
    # All of the digest, its mark, and what is in front of it.
    places += range(8 * (len(data) - 100), 8 * len(data), 5)
    for place in places:
        changed = bytearray(data)
        changed[place // 8] ^= 1 << place % 8
        saved.write_bytes(changed)
        with pytest.raises(CheckpointError, match=r"saved\.pt: "):
            checkpoint.load(saved)


@pytest.mark.parametrize("kept", [0, 1, 1000, -1, -64, -78, -79, -500])
def test_a_truncated_checkpoint_is_refused(saved, kept):
    saved.write_bytes(saved.read_bytes()[:kept])
    with pytest.raises(CheckpointError, match=r"saved\.pt: "):
        checkpoint.load(saved)


def test_an_older_checkpoint_is_read_with_a_warning(state, saved, caplog):
    older(saved)
    assert same(checkpoint.load(saved).network, state.network)
    (message,) = caplog.messages
    assert message == (
        f"{saved}: an older version wrote this file without a digest, so nobody "
        "knows whether it is damaged"
    )


def test_a_damaged_checkpoint_is_not_taken_for_a_foreign_one(saved, tmp_path, capsys):
    data = bytearray(saved.read_bytes())
    data[len(data) // 2] ^= 1
    saved.write_bytes(data)
    (tmp_path / "c.toml").write_text(to_toml(CONFIG))
    assert (
        main([
            "fit",
            "--config",
            str(tmp_path / "c.toml"),
            "--out",
            str(tmp_path / "out"),
            "--init",
            str(saved),
        ])
        == 2
    )
    assert capsys.readouterr().err.endswith(
        "saved.pt: the file is damaged, since its digest does not match its content.\n"
    )


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda c: c["network"].pop("head.weight"), "lacks head.weight"),
        (lambda c: c["network"].update(extra=torch.zeros(1)), "has the unexpected extra"),
        (lambda c: c["network"].update({"head.weight": None}), "has no tensor in head.weight"),
        (
            lambda c: c["network"].update({"head.weight": torch.zeros(2)}),
            "has other shapes than the network in head.weight (2 in place of 10x6)",
        ),
        (
            lambda c: c["network"]["head.weight"].fill_(math.nan),
            "has numbers that are not finite in head.weight",
        ),
        (lambda c: c["grids"]["scales"].pop("head"), "lacks the scale of head"),
        (
            lambda c: c["grids"]["exponents"].pop("downsample1_1"),
            "lacks the exponents of downsample1_1",
        ),
        (lambda c: c["grids"].pop("fraction_bits"), "fraction_bits"),
        (lambda c: c.pop("network"), "missing required field `network`"),
        (lambda c: c.pop("config"), "missing required field `config`"),
        (lambda c: c["config"].pop("fit"), "missing required field `fit`"),
        (lambda c: c.update(epoch=-1), "Expected `int` >= 0 - at `epoch`"),
        (lambda c: c.update(seed="1"), "Expected `int`, got `str` - at `seed`"),
        (lambda c: c.update(history=[{"epoch": 1}]), "history"),
        (lambda c: c.update(accuracy={"float": 2.0}), "accuracy"),
        (lambda c: c.update(mystery=1), "unknown field `mystery`"),
        (
            lambda c: c["config"].update(fit=torch.zeros(2, 3)),
            "a tensor in the place of another value",
        ),
        (lambda c: c.update(history=torch.zeros(2, 3)), "a tensor in the place of another value"),
        (lambda c: c.update(optimizer=torch.zeros(2, 3)), "a tensor in the place of another value"),
    ],
)
def test_what_is_missing_or_wrong_is_one_sentence(saved, change, sentence):
    older(saved, change)
    with pytest.raises(CheckpointError) as caught:
        checkpoint.load(saved)
    assert sentence in str(caught.value)
    assert str(caught.value).startswith(f"{saved}: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c.update(optimizer={"state": {}, "param_groups": []}),
        lambda c: c.update(optimizer={"a": 1}),
        lambda c: c.update(average={"a": torch.zeros(1)}),
    ],
)
def test_state_of_another_optimizer_or_average_is_one_sentence(saved, state, change):
    saved = saved.rename(saved.with_name("checkpoint.pt"))
    config = structs.replace(CONFIG, fit=structs.replace(CONFIG.fit, average=0.5))
    checkpoint.save(replace(state, config=config, epoch=2), saved)
    older(saved, change)
    with pytest.raises(CheckpointError, match="so the run cannot go on; fit --init starts"):
        Training(checkpoint.load(saved), *FEW, ALONE)


def test_two_trainings_never_share_a_folder(tmp_path):
    out = tmp_path / "out"
    with alone_in(out, "training"):
        for train in (fit, pretrain):
            with pytest.raises(ValueError, match=r"out: another training is at work there"):
                train(CONFIG, out, seed=0)
    assert not out.exists()


def test_a_crash_releases_the_folder(tmp_path):
    lock = tmp_path / ".lock"
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(ValueError, match="another training"), alone_in(tmp_path, "training"):
            pass
    # The file is left behind, and nobody holds it.
    with alone_in(tmp_path, "training"):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("damage", ["rate", "parameter", "validation"])
def test_a_diverging_run_stops_at_once_and_keeps_what_it_had(tmp_path, damage, monkeypatch):
    config = run_config(
        float_epochs=2, float_rate=1e30 if damage == "rate" else 5e-3, data={"validation": 100}
    )
    # The last thing that happens in the second epoch, whose steps all had a finite loss.
    owner, method, last = {
        "rate": (None, None, None),
        "parameter": (Loop, "_step", 22),
        "validation": (Training, "train_epoch", 2),
    }[damage]
    if owner:
        original, calls = getattr(owner, method), []

        def spoiled(self, *arguments):
            found = original(self, *arguments)
            calls.append(self)
            if len(calls) == last:
                module = self.module if owner is Loop else self.network
                with torch.no_grad():
                    next(module.parameters()).fill_(math.inf)
            return found

        monkeypatch.setattr(owner, method, spoiled)
    before = {}
    with pytest.raises(DivergenceError) as caught:
        fit(config, tmp_path, seed=0, progress=Watcher(tmp_path, before))
    sentence = str(caught.value)
    assert sentence.startswith("float training diverged in epoch ")
    assert "lower the rate of this phase or set clip in the configuration" in sentence
    assert {path.name: path.read_bytes() for path in tmp_path.glob("*.pt")} == before
    if damage != "rate":
        assert checkpoint.load(tmp_path / "checkpoint.pt").epoch == 1


class Watcher:
    """Notes what the folder holds after each epoch."""

    def __init__(self, folder, before):
        self.folder, self.before = folder, before

    def step(self, done, total):
        """Nothing."""

    def epoch(self, phase, done, total, loss):
        """Notes the checkpoints."""
        self.before.update({path.name: path.read_bytes() for path in self.folder.glob("*.pt")})

    def phase(self, sentence):
        """Nothing."""


def test_a_batch_larger_than_the_data_is_refused(tmp_path):
    config = structs.replace(CONFIG, fit=structs.replace(CONFIG.fit, batch=100_000))
    with pytest.raises(ValueError, match="at most the 1437 training images, not 100000"):
        fit(config, tmp_path / "out", seed=0)
    assert not (tmp_path / "out").exists()

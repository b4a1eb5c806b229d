"""Training runs: determinism, resuming, interruption, a full disk."""

import errno
import io

import pytest
import torch

from golden.neuron import Rounding
from tests.training import run_config
from train.data.sets import DataSplit, load_split
from train.export.export import export
from train.run import checkpoint
from train.run.checkpoint import CheckpointError
from train.run.config import CHECKPOINT, FLOAT_CHECKPOINT
from train.run.evaluate import float_accuracy, measure
from train.run.fit import fit


@pytest.fixture(autouse=True, scope="module")
def few_digits():
    """Few digits: enough to see whether runs are equal."""
    split = load_split(run_config())
    few = DataSplit(
        split.train_images[:257],
        split.train_labels[:257],
        split.test_images[:40],
        split.test_labels[:40],
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("train.run.fit.load_split", lambda *_: few)
        yield few


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    return folder, fit(run_config(), folder, seed=3)


class Watcher:
    """Progress that raises after some epochs, as Ctrl-C would."""

    def __init__(self, stop=None):
        self.stop = stop
        self.phases = []

    def step(self, done, total):
        pass

    def epoch(self, phase, done, total, loss):
        self.phases.append(phase)
        if done == self.stop:
            raise KeyboardInterrupt

    def phase(self, sentence):
        pass


def tensors(state):
    """Every number of a checkpoint that decides how training goes on."""
    found = dict(state.network)
    for index, moments in state.optimizer["state"].items():
        found |= {f"{index}.{name}": value for name, value in moments.items()}
    if state.grids is not None:
        found |= {f"scale {name}": value for name, value in state.grids.scales.items()}
    return found


def assert_same(one, other):
    ours, theirs = tensors(one), tensors(other)
    assert ours.keys() == theirs.keys()
    for name, values in ours.items():
        assert torch.equal(torch.as_tensor(values), torch.as_tensor(theirs[name])), name
    for field in ("epoch", "seed", "config", "accuracy"):
        assert getattr(one, field) == getattr(other, field)
    if one.grids is not None:
        assert one.grids.exponents == other.grids.exponents
        assert one.grids.fraction_bits == other.grids.fraction_bits


def test_a_run_goes_through_both_phases(finished):
    folder, state = finished
    assert state.epoch == 4
    assert set(state.accuracy) == {"float", "quantised", "golden"}
    assert state.accuracy["quantised"] == state.accuracy["golden"]
    assert sorted(path.name for path in folder.iterdir()) == [
        CHECKPOINT,
        FLOAT_CHECKPOINT,
        "log.csv",
        "tensorboard",
    ]
    assert_same(checkpoint.load(folder / CHECKPOINT), state)


@pytest.mark.parametrize("stop", [1, 2, 3])
def test_a_resumed_run_is_bit_identical(finished, tmp_path, stop):
    _, expected = finished
    with pytest.raises(KeyboardInterrupt):
        fit(run_config(), tmp_path, seed=3, progress=Watcher(stop))
    assert checkpoint.load(tmp_path / CHECKPOINT).epoch == stop
    watcher = Watcher()
    state = fit(run_config(), tmp_path, seed=3, resume=True, progress=watcher)
    assert len(watcher.phases) == 4 - stop
    assert_same(state, expected)


def test_resuming_inside_the_frozen_epochs(tmp_path):
    config = run_config(quantised_epochs=3, frozen_epochs=3)
    expected = fit(config, tmp_path / "whole", seed=0)
    with pytest.raises(KeyboardInterrupt):
        fit(config, tmp_path / "parts", seed=0, progress=Watcher(3))
    assert_same(fit(config, tmp_path / "parts", seed=0, resume=True), expected)


def test_a_finished_run_resumes_to_itself(finished):
    folder, state = finished
    assert_same(fit(run_config(), folder, seed=3, resume=True), state)


def test_seeds_differ(finished, tmp_path):
    _, state = finished
    other = fit(run_config(), tmp_path, seed=4)
    assert not torch.equal(other.network["head.weight"], state.network["head.weight"])


def test_a_run_leaves_the_callers_generator_alone(tmp_path):
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    fit(run_config(quantised_epochs=1), tmp_path, seed=0)
    assert torch.equal(torch.rand(1), expected)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"seed": 9}, "seed must be 3 to go on, not 9$"),
        ({"config": run_config(bits=4)}, "made with another configuration, so it cannot go on$"),
        ({"resume": False}, "already there, so pass --resume to go on or choose another folder$"),
    ],
)
def test_runs_that_cannot_go_on(finished, change, sentence):
    folder, _ = finished
    arguments = {"config": run_config(), "seed": 3, "resume": True} | change
    with pytest.raises(CheckpointError, match=sentence):
        fit(arguments.pop("config"), folder, **arguments)


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[:1000],
        lambda data: b"not a checkpoint" * 99,
        lambda data: data[:-200],
    ],
)
def test_damaged_checkpoints_are_refused_by_name(finished, tmp_path, damage):
    folder, _ = finished
    path = tmp_path / "damaged.pt"
    path.write_bytes(damage((folder / CHECKPOINT).read_bytes()))
    with pytest.raises(CheckpointError, match=r"damaged\.pt: must be a complete checkpoint"):
        checkpoint.load(path)


def test_a_foreign_file_of_torch_is_refused(tmp_path):
    path = tmp_path / "foreign.pt"
    torch.save({"weight": torch.zeros(1)}, path)
    with pytest.raises(CheckpointError, match="must be a complete checkpoint written by fit"):
        checkpoint.load(path)


def test_a_newer_checkpoint_is_refused(tmp_path):
    path = tmp_path / "newer.pt"
    torch.save({"addend-checkpoint": 3}, path)
    with pytest.raises(CheckpointError, match="checkpoint version must be 1 or 2, not 3$"):
        checkpoint.load(path)


def test_a_full_disk_keeps_the_last_checkpoint(finished, tmp_path, monkeypatch):
    _, state = finished
    path = tmp_path / CHECKPOINT
    checkpoint.save(state, path)
    before = path.read_bytes()

    class Full(io.BytesIO):
        def write(self, data):
            raise OSError(errno.ENOSPC, "No space left on device")

    class FullContext:
        def __init__(self, path):
            self.path = path

        def __enter__(self):
            return Full()

        def __exit__(self, *exception):
            return False

    monkeypatch.setattr("train.run.checkpoint.replacing", FullContext)
    with pytest.raises(OSError, match="No space left"):
        checkpoint.save(state, path)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == [CHECKPOINT]


def test_the_float_checkpoint_is_the_float_network(finished, few_digits):
    folder, state = finished
    earlier = checkpoint.load(folder / FLOAT_CHECKPOINT)
    assert earlier.epoch == 1
    assert float_accuracy(earlier.build(), few_digits) == state.accuracy["float"]
    with pytest.raises(CheckpointError, match="needs a checkpoint of epoch 2 or later, not 1$"):
        earlier.quantised()


@pytest.mark.parametrize(
    ("bits", "max_count", "rounding"),
    [
        (2, 4, Rounding.HALF_UP),
        (4, 15, Rounding.HALF_EVEN),
        (8, 1, Rounding.HALF_UP),
    ],
)
def test_trained_networks_export_exactly(tmp_path, few_digits, bits, max_count, rounding):
    config = run_config(quantised_epochs=2, bits=bits, max_count=max_count, rounding=rounding)
    state = fit(config, tmp_path, seed=1)
    _, compared = export(
        state.quantised(), tmp_path / "t.safetensors", few_digits.test_images, name="t"
    )
    assert compared > 0
    other = measure(state, few_digits, Rounding.HALF_EVEN)
    assert other["quantised"] == other["golden"]

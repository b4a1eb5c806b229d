"""Options of training: average, clipping, precision, validation and early stop, teacher, log."""

import csv
import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tests.training import Stopping, network_config, run_config
from train.data.sets import DataSplit, load_split
from train.families.e_spikeformer import ESpikeFormer
from train.run import checkpoint
from train.run.config import CHECKPOINT
from train.run.fit import fit
from train.run.history import COLUMNS
from train.run.processes import ALONE
from train.run.schedule import FLOAT, FROZEN, QUANTISED, Schedule
from train.run.teacher import Teacher, load_teacher
from train.run.training import Training


FEW = 130


@pytest.fixture(autouse=True, scope="module")
def few_digits():
    split = load_split(run_config())
    few = DataSplit(
        split.train_images[:FEW],
        split.train_labels[:FEW],
        split.test_images[:20],
        split.test_labels[:20],
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("train.run.fit.load_split", lambda *_: few)
        yield few


def training(few, config, **options):
    torch.manual_seed(0)
    state = checkpoint.Checkpoint(
        config=config,
        seed=0,
        epoch=0,
        optimizer={},
        network=ESpikeFormer(config.network).state_dict(),
    )
    return Training(state, few.train_images, few.train_labels, ALONE, **options)


def weights(network):
    return torch.cat([values.flatten() for values in network.parameters()]).detach().clone()


def test_phases_and_rates_follow_the_plan():
    schedule = Schedule(run_config(float_epochs=4, quantised_epochs=5, frozen_epochs=2).fit)
    assert [schedule.phase(epoch) for epoch in range(9)] == (
        [FLOAT] * 4 + [QUANTISED] * 3 + [FROZEN] * 2
    )
    assert [schedule.end(phase) for phase in (FLOAT, QUANTISED, FROZEN)] == [4, 7, 9]
    assert schedule.rate(0.2) == 5e-3 * 0.5
    assert schedule.rate(0.4) == 5e-3
    assert schedule.rate(4.5) == 2e-3
    assert schedule.rate(8.9999) < 1e-5
    rates = [schedule.rate(4.5 + step / 10) for step in range(45)]
    assert rates == sorted(rates, reverse=True)


def test_the_average_takes_the_place_of_the_network_at_the_end_of_a_phase(few_digits):
    config = run_config(average=0.75, batch=65)
    run = training(few_digits, config)
    expected = weights(run.network)
    seen = []
    step = run._loop._step

    def watched(loss, rate):
        step(loss, rate)
        seen.append(weights(run.network))

    run._loop._step = watched
    run.train_epoch()
    assert len(seen) == 2
    # The first update copies, and the average moves a quarter of the way afterwards.
    expected = seen[0] + (seen[1] - seen[0]) * 0.25
    assert torch.allclose(weights(run.network), expected, rtol=0, atol=1e-7)
    assert not torch.equal(weights(run.network), seen[1])


def test_a_run_with_an_average_resumes_bit_for_bit(tmp_path):
    config = run_config(average=0.9, float_epochs=3, quantised_epochs=1)
    expected = fit(config, tmp_path / "whole", seed=0)

    with pytest.raises(KeyboardInterrupt):
        fit(config, tmp_path / "parts", seed=0, progress=Stopping(2))
    resumed = fit(config, tmp_path / "parts", seed=0, resume=True)
    for name, values in expected.network.items():
        assert torch.equal(resumed.network[name], values), name


def test_clipping_bounds_the_gradient(few_digits):
    def norm(clip):
        run = training(few_digits, run_config(clip=clip))
        run.train_epoch()
        squares = [values.grad.square().sum() for values in run.network.parameters()]
        return float(sum(squares).sqrt())

    assert norm(0.0) > 1e-2
    assert norm(1e-2) == pytest.approx(1e-2, rel=1e-3)


def test_half_precision_trains_float32_parameters(few_digits, tmp_path):
    run = training(few_digits, run_config(precision="bfloat16"))
    assert math.isfinite(run.train_epoch()["loss"])
    assert {values.dtype for values in run.network.parameters()} == {torch.float32}
    other = training(few_digits, run_config())
    other.train_epoch()
    assert not torch.equal(weights(run.network), weights(other.network))
    state = fit(run_config(precision="bfloat16"), tmp_path, seed=0)
    assert state.accuracy["quantised"] == state.accuracy["golden"]


def test_validation_images_are_not_trained_on(few_digits):
    split = few_digits.with_validation(30, seed=1)
    assert len(split.train_labels) == FEW - 30
    assert len(split.validation_labels) == 30
    rows = {image.tobytes() for image in split.train_images}
    assert not rows & {image.tobytes() for image in split.validation_images}
    again = few_digits.with_validation(30, seed=1)
    assert (again.validation_images == split.validation_images).all()
    with pytest.raises(ValueError, match="validation must be at most half of the 130 training"):
        few_digits.with_validation(66, seed=1)


def test_a_phase_stops_early_and_the_run_goes_on_with_the_next(tmp_path, monkeypatch):
    losses = iter([3.0, 2.0, 2.5, 2.5, 1.0, 1.0, 1.5, 0.5])

    def validate(self, batches):
        return {"validation_loss": next(losses), "validation_accuracy": 0.0}

    monkeypatch.setattr(Training, "validate", validate)
    config = run_config(
        float_epochs=9,
        quantised_epochs=9,
        frozen_epochs=1,
        patience=2,
        batch=64,
        data={"validation": 20},
    )
    state = fit(config, tmp_path, seed=0)
    # Four float epochs (no better since the second), three quantised ones, the frozen one.
    assert [row["phase"] for row in state.history] == [FLOAT] * 4 + [QUANTISED] * 3 + [FROZEN]


def test_the_validation_loss_is_that_of_the_network(few_digits):
    run = training(few_digits, run_config())
    run.train_epoch()
    labels = few_digits.test_labels
    found = run.validate([(few_digits.test_images, labels)])
    run.network.eval()
    from train.network.images import to_maps

    scores = run.network(to_maps(few_digits.test_images))
    expected = F.cross_entropy(scores, torch.from_numpy(labels)).item()
    assert found["validation_loss"] == pytest.approx(expected, rel=1e-6)
    assert found["validation_accuracy"] == (scores.argmax(1).numpy() == labels).mean()


class Bright(nn.Module):
    """Scores that depend on the brightness alone."""

    def forward(self, images):
        assert images.max() <= 1
        brightness = images.flatten(1).mean(1, keepdim=True)
        return brightness * torch.arange(10.0)


def bright():
    return Bright()


def test_a_teacher_is_any_torch_classifier():
    teacher = load_teacher("tests.train.test_training:bright")
    images = torch.full((2, 1, 8, 8), 255.0)
    agreed = torch.arange(10.0).repeat(2, 1)
    assert float(teacher.loss(images, agreed, 3.0)) == 0
    scores = torch.zeros(2, 10)
    expected = F.softmax(agreed / 2, 1)
    divergence = (expected * (expected.log() - math.log(0.1))).sum(1).mean() * 4
    assert float(teacher.loss(images, scores, 2.0)) == pytest.approx(float(divergence), rel=1e-5)
    with pytest.raises(ValueError, match=r"must give scores of shape \(2, 3\), as the network"):
        teacher.loss(images, torch.zeros(2, 3), 1.0)


def test_a_network_learns_from_its_teacher(few_digits, tmp_path):
    """Without labels (weight 1) the network approaches the teacher."""
    config = run_config(teacher_weight=1.0, float_epochs=6, spike_penalty=0.0)
    run = training(few_digits, config, teacher=Teacher(Bright()))
    losses = [run.train_epoch()["loss"] for _ in range(6)]
    assert losses[-1] < losses[0]
    fit(run_config(), tmp_path, seed=0)
    ours = load_teacher(str(tmp_path / CHECKPOINT))
    images = torch.from_numpy(few_digits.test_images).permute(0, 3, 1, 2).float()
    scores = checkpoint.load(tmp_path / CHECKPOINT).build().eval()(images)
    assert float(ours.loss(images, scores, 1.0).detach()) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    "name",
    [
        "nowhere:f",
        "tests.train.test_training:nothing",
        "math:isqrt",
        "tests.training:random_images",
    ],
)
def test_a_missing_teacher_is_named(name):
    with pytest.raises(ValueError, match=rf"^teacher {name} must give a torch classifier \("):
        load_teacher(name)


def test_the_log_has_a_row_per_epoch_also_after_resuming(tmp_path):
    config = run_config(batch=64, data={"validation": 20})
    state = fit(config, tmp_path, seed=0)
    rows = read_log(tmp_path)
    assert list(rows[0]) == list(COLUMNS)
    assert [row["phase"] for row in rows] == [FLOAT, QUANTISED, QUANTISED, FROZEN]
    assert [int(row["epoch"]) for row in rows] == [1, 2, 3, 4]
    assert [float(row["loss"]) for row in rows] == [row["loss"] for row in state.history]
    assert all(0 < float(row["additions"]) <= 4 for row in rows[:3])
    assert all(0 <= float(row["validation_accuracy"]) <= 1 for row in rows)
    # A later row, of an epoch whose checkpoint was lost, is forgotten.
    with (tmp_path / "log.csv").open("a") as file:
        file.write("5,frozen\n")
    earlier = checkpoint.load(tmp_path / CHECKPOINT)
    earlier.epoch, earlier.history = 3, earlier.history[:3]
    checkpoint.save(earlier, tmp_path / CHECKPOINT)
    fit(config, tmp_path, seed=0, resume=True)
    assert len(read_log(tmp_path)) == 4
    events = list((tmp_path / "tensorboard").glob("events.*"))
    assert events
    assert any(b"float/loss" in path.read_bytes() for path in events)


def read_log(folder):
    return list(csv.DictReader((folder / "log.csv").read_text().splitlines()))


def test_counts_are_exact_in_bfloat16_too():
    from golden.neuron import Rounding
    from train.nn.neuron import spike_count

    every = torch.arange(-(2**15), 2**15, dtype=torch.int16).view(torch.bfloat16)
    every = every[every.isfinite()]
    for rounding in Rounding:
        for most in (1, 4, 15):
            ours = spike_count(every, most, rounding).double()
            assert torch.equal(ours, spike_count(every.double(), most, rounding))


def test_a_network_of_other_shape_is_not_resumed(tmp_path):
    fit(run_config(), tmp_path, seed=0)
    other = run_config(dims=(*network_config().dims[:3], 8))
    with pytest.raises(checkpoint.CheckpointError, match="made with another configuration"):
        fit(other, tmp_path, seed=0, resume=True)

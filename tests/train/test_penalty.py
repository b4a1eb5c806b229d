"""The penalty for additions: when it weighs how much, and what it does to a network."""

import torch

from golden import SpikeCode
from tests.training import run_config
from train.data.sets import load_split
from train.families.e_spikeformer import ESpikeFormer
from train.run.checkpoint import Checkpoint
from train.run.processes import ALONE
from train.run.schedule import Schedule
from train.run.training import Training


FEW = 130


def test_the_penalty_rises_over_the_first_part_of_float_training_and_of_what_follows():
    plan = {"float_epochs": 4, "quantised_epochs": 5, "frozen_epochs": 2, "spike_penalty": 0.6}
    schedule = Schedule(run_config(**plan, penalty_warmup=0.5).fit)
    assert [schedule.penalty(passed) for passed in (0, 1, 2, 3.5)] == [0, 0.3, 0.6, 0.6]
    assert [schedule.penalty(passed) for passed in (4, 5.25, 6.5, 8.9)] == [0, 0.3, 0.6, 0.6]
    schedule = Schedule(run_config(**plan).fit)
    assert {schedule.penalty(passed / 2) for passed in range(18)} == {0.6}


def test_a_penalty_on_executed_additions_lowers_them():
    plan = {"float_epochs": 3, "quantised_epochs": 0, "frozen_epochs": 0, "batch": 32}
    split = load_split(run_config())

    def additions(penalty, warmup):
        config = run_config(
            **plan, spike_penalty=penalty, penalty_warmup=warmup, addition_code=SpikeCode.SPLIT
        )
        torch.manual_seed(0)
        network = ESpikeFormer(config.network).state_dict()
        state = Checkpoint(config=config, seed=0, epoch=0, optimizer={}, network=network)
        run = Training(state, split.train_images[:FEW], split.train_labels[:FEW], ALONE)
        return [run.train_epoch()["additions"] for _ in range(3)][-1]

    assert 0 < additions(20.0, 0) < additions(20.0, 1) < additions(0.0, 0)

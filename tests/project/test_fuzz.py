"""Damaged files of every kind: a right result or one sentence, in time and in little memory."""

import pytest

from tests.fuzz.campaign import run_campaign
from tests.fuzz.readers import READERS


NAMES = [reader.name for reader in READERS]

#: Cases over all readers, in make test and in make soak.
SMALL, LARGE = 2_000, 20_000


@pytest.mark.soak
@pytest.mark.parametrize("name", NAMES)
def test_damaged_files_give_a_right_result_or_one_sentence(name, soak, seed, request):
    if name == "checkpoint":
        request.getfixturevalue("torch")
    count = -(-(LARGE if soak else SMALL) // len(NAMES))
    campaign = run_campaign(name, seed, count)
    print(f"{name}: {dict(campaign.outcomes)}, {campaign.growth / 1e6:.0f} MB")
    assert campaign.faults == []
    assert campaign.outcomes.total() == count
    assert campaign.outcomes["right"]
    assert campaign.outcomes["refused"]


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("planted-exception", "it let an exception through"),
        ("planted-lines", "its message is more than a sentence"),
        ("planted-no-name", "its message names no file"),
        ("planted-result", "its result is wrong"),
        ("planted-hang", "it hangs"),
        ("planted-memory", "it grew by"),
        ("planted-noise", "the process ended with 0"),
    ],
)
def test_a_planted_fault_is_found(name, fault, seed):
    campaign = run_campaign(name, seed, 1, seconds=2 if name == "planted-hang" else 60)
    assert len(campaign.faults) == 1
    assert campaign.faults[0].startswith(f"{name}: {fault}")
    assert f"python -m tests.fuzz {name} --seed {seed} --case 0" in campaign.faults[0]

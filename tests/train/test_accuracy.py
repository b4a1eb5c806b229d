"""The accuracy contract, on invented accuracies."""

import pytest

from train.run import accuracy
from train.run.accuracy import Study, study


def runs(floats, goldens):
    return Study({
        seed: {"float": float_sfa, "quantised": golden, "golden": golden}
        for seed, (float_sfa, golden) in enumerate(zip(floats, goldens, strict=True))
    })


def test_a_study_that_keeps_the_contract():
    found = runs([0.98, 0.97, 0.99], [0.97, 0.90, 0.99])
    assert found.medians == {"float": 0.98, "quantised": 0.97, "golden": 0.97}
    assert found.failures() == []


LOW = "median accuracy of the integer model must be at least 96%, not {}"
FAR = "median accuracy of the integer model must be within 1% of the float median 99.00%, not {}"


@pytest.mark.parametrize(
    ("floats", "goldens", "sentences"),
    [
        ([0.96, 0.96, 0.96], [0.9599, 0.9, 1.0], [LOW.format("95.99%")]),
        ([0.99, 0.98, 1.0], [0.979, 0.979, 0.979], [FAR.format("97.90%")]),
        ([0.99, 0.99, 0.99], [0.5, 0.5, 0.5], [LOW.format("50.00%"), FAR.format("50.00%")]),
    ],
)
def test_what_breaks_the_contract(floats, goldens, sentences):
    assert runs(floats, goldens).failures() == sentences


def test_the_table_has_a_row_per_seed():
    lines = runs([0.98, 0.97], [0.97, 0.96]).table().splitlines()
    assert [line.split() for line in lines] == [
        ["seed", "float", "SFA", "quantised", "golden"],
        ["0", "98.00%", "97.00%", "97.00%"],
        ["1", "97.00%", "96.00%", "96.00%"],
        ["median", "97.50%", "96.50%", "96.50%"],
    ]


def test_a_study_trains_each_seed_in_its_folder(tmp_path, monkeypatch):
    seen = []

    class State:
        accuracy = {"float": 1.0, "quantised": 1.0, "golden": 1.0}  # noqa: RUF012

    def fit(config, out, *, seed, data, resume, progress):
        seen.append((config, out, seed, data, resume))
        return State

    monkeypatch.setattr(accuracy, "fit", fit)
    found = study("config", [4, 7], tmp_path, data="data", resume=True)
    assert seen == [("config", tmp_path / f"seed-{seed}", seed, "data", True) for seed in (4, 7)]
    assert set(found.accuracy) == {4, 7}

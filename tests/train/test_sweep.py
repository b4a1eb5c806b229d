"""The table of accuracies over spike counts and weight widths."""

import json

import pytest

from tests.training import run_config, to_toml
from train.__main__ import main
from train.data.sets import DataSplit, load_split
from train.run.sweep import Sweep


def test_the_table_has_medians_and_every_seed():
    runs = {seed: {"float": 0.9 + seed / 100, "golden": 0.8 + seed / 100} for seed in range(3)}
    assert Sweep({(4, 8): runs, (1, 2): {**runs, 2: {"float": 0.5, "golden": 0.5}}}).table() == (
        "| D | weight bits | float SFA | golden | seed 0 | seed 1 | seed 2 |\n"
        "| --- | --- | --- | --- | --- | --- | --- |\n"
        "| 4 | 8 | 91.00% | 81.00% | 80.00% | 81.00% | 82.00% |\n"
        "| 1 | 2 | 90.00% | 80.00% | 80.00% | 81.00% | 50.00% |"
    )


def test_a_sweep_trains_every_combination_and_resumes(tmp_path, capsys, monkeypatch):
    split = load_split(run_config())
    few = DataSplit(
        split.train_images[:260],
        split.train_labels[:260],
        split.test_images[:40],
        split.test_labels[:40],
    )
    monkeypatch.setattr("train.run.fit.load_split", lambda *_: few)
    (tmp_path / "c.toml").write_text(to_toml(run_config()))
    arguments = [
        "sweep",
        "--config",
        str(tmp_path / "c.toml"),
        "--out",
        str(tmp_path / "out"),
        "--epochs",
        "1",
        "1",
        "--counts",
        "1",
        "4",
        "--bits",
        "8",
        "2",
        "--seeds",
        "5",
    ]
    assert main(arguments) == 0
    table = capsys.readouterr().out
    rows = json.loads((tmp_path / "out" / "sweep.json").read_text())
    assert [(row["max_count"], row["weight_bits"], row["seed"]) for row in rows] == [
        (1, 8, 5),
        (1, 2, 5),
        (4, 8, 5),
        (4, 2, 5),
    ]
    assert rows[0]["float"] == rows[1]["float"]
    assert all(row["quantised"] == row["golden"] for row in rows)
    folders = sorted(path.parent.name for path in tmp_path.rglob("checkpoint.pt"))
    assert folders == ["bits-2", "bits-2", "bits-8", "bits-8", "float", "float"]
    assert main(arguments) == 2
    assert "already there, so pass --resume" in capsys.readouterr().err
    assert main([*arguments, "--resume"]) == 0
    assert capsys.readouterr().out == table
    init = tmp_path / "out" / "count-4" / "seed-5" / "float" / "float.pt"
    assert (
        main([
            *arguments[:4],
            str(tmp_path / "other"),
            "--epochs",
            "1",
            "1",
            "--init",
            str(init),
            "--seeds",
            "5",
            "--bits",
            "8",
        ])
        == 0
    )
    assert [row for row in rows if (row["max_count"], row["weight_bits"]) == (4, 8)] == (
        json.loads((tmp_path / "other" / "sweep.json").read_text())
    )


@pytest.mark.parametrize(
    ("epochs", "sentence"),
    [
        (("0", "0"), "must not both be 0"),
        (("0", "1"), "needs weights, so pass --init"),
    ],
)
def test_epochs_that_train_nothing(tmp_path, capsys, epochs, sentence):
    (tmp_path / "c.toml").write_text(to_toml(run_config()))
    arguments = ["fit", "--config", str(tmp_path / "c.toml"), "--out", str(tmp_path / "o")]
    assert main([*arguments, "--epochs", *epochs]) == 2
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "o").exists()

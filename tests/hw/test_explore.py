"""The search for a core: the front, resuming, and what the command writes."""

import json
from dataclasses import replace
from xml.etree import ElementTree as ET

import numpy as np
import pytest

import golden
from golden import PIXELS, Axis, Conv, Fire, Neuron, Output, Rounding
from golden.data.digits import load_digits
from hw.build import main as build
from hw.compiler import compile_model
from hw.estimate.cycles import predict
from hw.estimate.mean_cycles import estimate
from hw.exploration.point import Point, evaluate, pareto
from hw.exploration.search import search
from hw.explore import main
from hw.fpga.devices import find_device
from tests.models import small


MODEL = "tests/data/digits.safetensors"

FIRE = Fire(Neuron(np.arange(1, 5)[np.newaxis], Rounding.HALF_UP))


def point(cycles, lut, **changes):
    """A point of a small core."""
    return Point(
        **{
            "columns": 2,
            "lanes": 8,
            "spike_code": "bit-serial",
            "bus_width": 0,
            "cycles": cycles,
            "additions": 100.0,
            "lut": lut,
            "blocks": 3,
            "fits": True,
        }
        | changes
    )


def test_the_front_holds_what_no_other_point_beats():
    fast, small, between = point(10, 90), point(90, 10), point(50, 50)
    beaten, twin = point(60, 55), point(50, 60)
    assert pareto([beaten, small, twin, fast, between]) == [fast, between, small]
    assert pareto([]) == []


def test_utilisation_counts_all_lanes():
    assert point(100, 1, additions=400.0).utilisation == 0.25


def test_a_search_goes_on_where_it_was_stopped(tmp_path):
    storage = str(tmp_path / "a.journal")
    first = search(MODEL, "ecp5-85k", storage, trials=6, workers=1)
    assert 1 <= len(first) <= 6
    later = search(MODEL, "ecp5-85k", storage, trials=14, workers=2)
    assert {tuple(vars(one).items()) for one in first} < {tuple(vars(one).items()) for one in later}
    again = search(MODEL, "ecp5-85k", storage, trials=14, workers=1)
    assert len(again) == len(later)
    with pytest.raises(ValueError, match=r"for digits on ecp5-85k with 0 images: use another"):
        search(MODEL, "ecp5-25k", storage, trials=14, workers=1)


def test_the_command_writes_points_and_plot_and_says_how_to_build(tmp_path, capsys):
    out = tmp_path / "out"
    assert (
        main([
            "--model",
            MODEL,
            "--trials",
            "12",
            "--workers",
            "1",
            "--out",
            str(out),
            "--storage",
            f"sqlite:///{tmp_path}/a.db",
        ])
        == 0
    )
    written = json.loads((out / "explore.json").read_text())
    fronts = [one["cycles"] for one in written["pareto"]]
    assert fronts == sorted(fronts)
    assert all(one["fits"] for one in written["pareto"])
    assert ET.fromstring((out / "explore.svg").read_text()).tag.endswith("svg")
    printed = capsys.readouterr().out
    command = printed.strip().splitlines()[-1].split()
    assert command[:3] == ["python", "-m", "hw.build"]
    assert build([*command[3:], "--dry-run"]) == 0
    chosen = written["chosen"]
    assert f"{chosen['columns']} columns of {chosen['lanes']} lanes" in capsys.readouterr().out


def test_images_replace_mean_counts(tmp_path):
    *_, images, _ = load_digits()
    options = {
        "columns": 2,
        "lanes": 16,
        "spike_code": "bit-serial",
        "bus_width": 0,
    }
    points = search(
        MODEL, "ecp5-85k", str(tmp_path / "a.journal"), trials=4, workers=1, images=images[:3]
    )
    assert points
    model, device = golden.load(MODEL), find_device("ecp5-85k")
    tensors = golden.run(model, images[:3], trace=True).tensors
    counted = {
        name: number / 3
        for name, number in golden.additions(model, tensors, golden.SpikeCode.BIT_SERIAL).items()
    }
    known = evaluate(model, device, {"bit-serial": counted}, **options)
    assert known.additions == sum(counted.values())
    plan = compile_model(model, columns=2, lanes=16, spike_code=golden.SpikeCode.BIT_SERIAL)
    exact = sum(predict(plan, tensors, index).total for index in range(3)) / 3
    assert abs(known.cycles - exact) < 0.05 * exact
    assert evaluate(model, device, {}, **options).cycles != known.cycles


def test_additions_of_copies_follow_from_mean_counts():
    stem = Conv("stem", (PIXELS,), np.ones((2, 1, 1, 1), np.int8), 2, (Axis(1), Axis(1)), 1, FIRE)
    head = Conv(
        "head",
        ("stem.counts", "stem.counts"),
        np.ones((3, 4, 2, 2), np.int8),
        2,
        (Axis(2), Axis(2)),
        1,
        Output(np.zeros(3, np.int64), 1.0),
    )
    model = replace(small(), layers=(stem, head), widths={}, mean_counts={})
    model = replace(model, input=replace(model.input, shape=(2, 2, 1)))
    golden.validate(model)
    options = {"columns": 1, "lanes": 4, "spike_code": "bit-serial", "bus_width": 0}
    device = find_device("ecp5-85k")
    guessed = evaluate(model, device, {}, **options).additions
    measured = {"bit-serial": {"stem": 1000.0, "head": 0.0}}
    plan = compile_model(model, columns=1, lanes=4, spike_code=golden.SpikeCode.BIT_SERIAL)
    layers = estimate(plan).layers
    assert set(layers) == {"stem", "head", "head (source 1)", "head (source 2)"}
    known = sum(layers[name][1] for name in ("stem", "head"))
    found = evaluate(model, device, measured, **options).additions
    assert found == guessed - known + 1000


def test_a_torn_line_is_dropped_and_the_search_goes_on(tmp_path, caplog):
    storage = tmp_path / "a.journal"
    first = search(MODEL, "ecp5-85k", str(storage), trials=6, workers=1)
    whole = storage.read_bytes()
    last = whole[:-1].rfind(b"\n") + 1
    for torn in (whole[:-1], whole[:-20], whole[: last + 1], whole + b"\0" * 100):
        storage.write_bytes(torn)
        caplog.clear()
        later = search(MODEL, "ecp5-85k", str(storage), trials=6, workers=1)
        assert caplog.messages == [
            f"{storage}: the last line was not written to its end, and is dropped"
        ]
        assert storage.read_bytes().startswith(whole[:last])
        assert {tuple(vars(one).items()) for one in first[:-1]} <= {
            tuple(vars(one).items()) for one in later
        }


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (b"{", b"[", "line 1 of the journal must be JSON"),
        (b'"op_code":0', b'"op_code":99', "line 1 of the journal, op_code must be 0 to 10, not 99"),
        (b'"worker_id"', b'"worker"', "line 1 of the journal lacks worker_id"),
        (b'"study_name"', b'"name"', "cannot be used"),
        (b'"model":', b'"modell":', "identity lacks model"),
        (b'"lut":', b'"luts":', "lacks lut"),
        (b'"fits":', b'"fits":1,"was":', "fits must be true or false, not a whole number"),
    ],
)
def test_a_damaged_journal_is_one_sentence(journal, tmp_path, capsys, old, new, sentence):
    damaged = tmp_path / "explore.journal"
    assert old in journal
    damaged.write_bytes(journal.replace(old, new, 1))
    assert main(["--model", MODEL, "--trials", "6", "--workers", "1", "--out", str(tmp_path)]) in (
        2,
        3,
    )
    said = capsys.readouterr().err.splitlines()[-1]
    assert sentence in said
    assert str(damaged) in said


@pytest.fixture(scope="module")
def journal(tmp_path_factory):
    """Text of the journal of a short search."""
    path = tmp_path_factory.mktemp("journal") / "a.journal"
    assert search(MODEL, "ecp5-85k", str(path), trials=6, workers=1)
    return path.read_bytes()


def test_bad_options_are_refused_in_a_sentence(tmp_path, capsys):
    assert (
        main([
            "--model",
            MODEL,
            "--trials",
            "1",
            "--out",
            str(tmp_path),
            "--storage",
            "nothing://x",
        ])
        == 3
    )
    assert "nothing://x cannot be used" in capsys.readouterr().err

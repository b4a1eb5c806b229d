"""`addend check`: one sentence for each node that hardware does not run."""

import re
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import pytest
from msgspec import Meta, Struct

from addend.__main__ import run
from addend.what_runs import WHAT_RUNS
from tests.own import MYNET


NETWORKS = Path(__file__).with_name("networks.py")
RUNS_NOT = re.compile(r"^(\S+) \((.+?)\) (does not run|runs in golden only): it (.+?): (.+)\.$")


Text = Annotated[str, Meta(min_length=1)]


class Row(Struct, forbid_unknown_fields=True):
    """What ``--json`` writes of a node."""

    node: Text
    kind: Text
    runs: Literal["hardware", "golden", "no"]
    reason: str
    remedy: str


@pytest.fixture
def check(tmp_path, capsys):
    """Run the command on a function; exit status, rows of the JSON and lines of the output."""

    def checked(source, *options, image="1x8x8"):
        if ":" not in source:
            source = f"{NETWORKS}:{source}"
        path = tmp_path / "rows.json"
        status = run(["check", source, "--input", image, "--json", str(path), *options])
        output = capsys.readouterr()
        assert output.err == ""
        rows = msgspec.json.decode(path.read_bytes(), type=list[Row])
        *lines, summary = output.out.splitlines()
        running = sum(row.runs == "hardware" for row in rows)
        assert summary == f"{source}: hardware runs {running} of {len(rows)} nodes"
        return status, rows, lines

    return checked


def failing(rows):
    return {row.node: row.kind for row in rows if row.runs != "hardware"}


def require_sentences(rows, lines):
    """One line per node that hardware does not run, with the JSON's reason and remedy."""
    kept = [row for row in rows if row.runs != "hardware"]
    assert len(lines) == len(kept)
    for row, line in zip(kept, lines, strict=True):
        where = "runs in golden only" if row.runs == "golden" else "does not run"
        assert line == f"{row.node} ({row.kind}) {where}: it {row.reason}: {row.remedy}."
        assert RUNS_NOT.match(line)
    assert all(row.reason == row.remedy == "" for row in rows if row.runs == "hardware")


@pytest.mark.parametrize(
    ("name", "kind", "number"),
    [
        (f"{MYNET}:build", "convolution", 7),
        ("pooled", "max pool", 1),
    ],
)
def test_a_network_of_spikes_runs(check, name, kind, number):
    status, rows, lines = check(name)
    assert (status, lines) == (0, [])
    assert {row.runs for row in rows} == {"hardware"}
    assert {row.kind for row in rows} <= set(WHAT_RUNS)
    assert sum(row.kind == kind for row in rows) == number
    names = [row.node for row in rows]
    assert len(set(names)) == len(names)


EXPECTED = {
    "residual": {"truediv": "truediv", "truediv_1": "truediv_1"},
    "transformer": {
        "norm1": "LayerNorm",
        "attend": "MultiheadAttention",
        "norm2": "LayerNorm",
        "mlp.1": "GELU",
    },
    "spelled_transformer": {
        "norm1": "LayerNorm",
        "chunk": "chunk",
        "getitem": "part",
        "getitem_1": "part",
        "getitem_2": "part",
        "matmul": "matmul",
        "softmax": "softmax",
        "matmul_1": "matmul",
        "norm2": "LayerNorm",
        "mlp.1": "GELU",
    },
}


@pytest.mark.parametrize("name", EXPECTED)
def test_every_node_that_does_not_run_gets_one_sentence(check, name):
    status, rows, lines = check(name)
    assert status == 1
    assert failing(rows) == EXPECTED[name]
    assert {row.runs for row in rows} == {"hardware", "no"}
    require_sentences(rows, lines)


@pytest.mark.parametrize(
    ("name", "reason", "remedy"),
    [
        (
            "flow",
            "cannot be followed: forward of Flow depends on the numbers in a tensor (",
            "write it without if and loops over values",
        ),
        (
            "shapes",
            "cannot be followed: getitem depends on the numbers in a tensor",
            "let shapes be those of the image",
        ),
    ],
)
def test_a_network_that_cannot_be_followed_is_one_row(check, name, reason, remedy):
    status, rows, lines = check(name)
    assert status == 1
    (row,) = rows
    assert (row.node, row.kind, row.runs) == (f"{NETWORKS}:{name}", "network", "no")
    assert row.reason.startswith(reason)
    assert row.remedy == remedy
    require_sentences(rows, lines)


def test_what_golden_alone_runs_is_told(check):
    status, rows, lines = check("many_counts")
    assert status == 1
    (row,) = (row for row in rows if row.runs != "hardware")
    assert (row.node, row.runs) == ("0", "golden")
    assert row.reason.startswith("counts up to 200")
    require_sentences(rows, lines)


def test_merging_is_what_the_sentence_says_it_is(check):
    status, _, lines = check("separable")
    assert status == 1
    assert lines == [
        (
            "pw (convolution) does not run: it reads real numbers: insert a neuron between dw "
            "and pw, or pass --merge: 784 weights."
        )
    ]
    status, _, lines = check("separable", "--merge")
    assert (status, lines) == (0, [])


MISUSE = {
    "no shape": ([f"{MYNET}:build"], "needs --input CxHxW, the shape of an image"),
    "no file": (["/no/such.py:build", "--input", "1x8x8"], "there is no file /no/such.py"),
    "no function": ([f"{MYNET}:make", "--input", "1x8x8"], "has no function 'make'"),
    "an error": (
        [f"{NETWORKS}:wrong", "--input", "1x8x8"],
        "cannot be called with no arguments: RuntimeError: out of cheese",
    ),
    "an exit": (
        [f"{NETWORKS}:leaves", "--input", "1x8x8"],
        "cannot be called with no arguments: SystemExit: 3",
    ),
    "no numbers": (
        [f"{NETWORKS}:unnumbered", "--input", "1x8x8"],
        "must return a network with numbers, not on device meta",
    ),
    "no network": (
        [f"{NETWORKS}:nothing", "--input", "1x8x8"],
        "must return a torch.nn.Module, not a NoneType",
    ),
}


@pytest.mark.parametrize("what", MISUSE)
def test_misuse_is_one_sentence(what, capsys):
    arguments, sentence = MISUSE[what]
    assert run(["check", *arguments]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert sentence in output.err
    assert output.err.count("\n") == 1


@pytest.mark.parametrize(
    "options",
    [["--input", "8x8"], ["--input", "0x8x8"], ["--input", "1x8x8", "--pixel-scale", "0"], []],
)
def test_options_are_checked(options, capsys):
    source = [f"{MYNET}:build"] if options else []
    with pytest.raises(SystemExit) as caught:
        run(["check", *source, *options])
    assert caught.value.code == 2
    assert "Traceback" not in capsys.readouterr().err

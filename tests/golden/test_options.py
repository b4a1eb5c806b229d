"""Command lines: every option of every command refuses, by its name, what makes no sense."""

import argparse
import importlib
import os

import pytest

from golden.cli import options as types
from tests.commands import COMMANDS, parsers


#: What no number is, whatever its range.
NO_NUMBERS = ("", " ", "nan", "inf", "-inf", "1e999", "-1", "1" * 5000, "one", "0x10", "1,5")


def valued(parser):
    """Options and arguments that take a value."""
    return [
        action
        for action in parser._actions
        if action.nargs != 0 and not isinstance(action, argparse._SubParsersAction)
    ]


def nonsense(kind, tmp_path):
    """Values that a type of `golden.cli.options` refuses."""
    pipe = tmp_path / "pipe"
    if not pipe.exists():
        os.mkfifo(pipe)
        (tmp_path / "file").write_text("text")
        (tmp_path / "folder").mkdir()
    file, folder = str(tmp_path / "file"), str(tmp_path / "folder")
    special = ("", str(pipe), "/dev/zero", "n" * 5000)
    match kind:
        case types.input_path:
            return special
        case types.input_file:
            return (*special, folder)
        case types.output_file:
            return (*special, folder, f"{file}/below")
        case types.output_folder:
            return (*special, file, f"{file}/below")
        case types.text:
            return ("", " ")
    return NO_NUMBERS


@pytest.mark.parametrize("module", COMMANDS)
def test_every_option_refuses_nonsense_by_its_name(module, monkeypatch, tmp_path, capsys):
    found = parsers(module, monkeypatch)
    assert tuple(found) == (COMMANDS[module] or ("",))
    tried = 0
    for parser in found.values():
        for action in valued(parser):
            assert action.choices or action.type, f"{action.dest} must have a type or choices"
            values = NO_NUMBERS if action.choices else nonsense(action.type, tmp_path)
            for value in values:
                name = "/".join(action.option_strings) or action.metavar
                with pytest.raises(argparse.ArgumentError) as caught:
                    parser._get_values(
                        action,
                        [value] * (action.nargs or 1) if isinstance(action.nargs, int) else [value],
                    )
                assert str(caught.value).startswith(f"argument {name}: "), (name, value)
                tried += 1
    assert tried


@pytest.mark.parametrize(
    ("module", "arguments", "message"),
    [
        (
            "hw.build",
            ["--model", "m", "--clock", "nan"],
            "argument --clock: must be a number greater than 0 and at most 10000, not 'nan'",
        ),
        (
            "hw.build",
            ["--model", "m", "--columns", "1000000"],
            "argument --columns: must be a whole number from 1 to 256, not '1000000'",
        ),
        ("hw.build", ["--model", "PIPE"], "argument --model: must be a file, not a pipe: 'PIPE'"),
        (
            "train.__main__",
            ["convert", "--checkpoint", "c", "--out", "m.safetensors", "--bn-eps", "-1"],
            "argument --bn-eps: must be a number at least 0 and at most 1, not '-1'",
        ),
        (
            "train.__main__",
            ["fit", "--config", "c", "--out", ""],
            "argument --out: must name a path, not be empty",
        ),
        (
            "sim.verify",
            [".", "m", "--count", "0"],
            "argument --count: must be a whole number from 1 to 2147483647, not '0'",
        ),
        ("sim.demo", ["--device", "ice40"], "argument --device: invalid choice: 'ice40'"),
    ],
)
def test_messages_name_option_rule_and_value(
    module, arguments, message, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    os.mkfifo("PIPE")
    with pytest.raises(SystemExit) as caught:
        importlib.import_module(module).main(arguments)
    assert caught.value.code == 2
    assert message in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["PIPE"]


def test_sensible_values_pass(tmp_path):
    file = tmp_path / "file"
    file.touch()
    assert types.whole(1, 3)("3") == 3
    assert types.number(above=0, most=1)("1e-5") == 1e-5
    assert types.input_file(str(file)) == file
    assert types.input_path("digits") == types.Path("digits")
    assert types.input_file("missing") == types.Path("missing")
    for kind in (types.output_file, types.output_folder):
        assert kind(str(tmp_path / "new" / "deep")) == tmp_path / "new" / "deep"
        assert not (tmp_path / "new").exists()


@pytest.mark.skipif(os.getuid() == 0, reason="nothing is closed to root")
def test_a_folder_that_cannot_be_written_is_refused(tmp_path):
    tmp_path.chmod(0o500)
    for kind in (types.output_file, types.output_folder):
        with pytest.raises(argparse.ArgumentTypeError, match="that you may write to"):
            kind(str(tmp_path / "x"))


def test_values_of_a_list_are_distinct():
    types.distinct("--seeds", [0, 1])
    with pytest.raises(ValueError, match="--seeds must hold each value once, not 1 again"):
        types.distinct("--seeds", [1, 0, 1])


@pytest.mark.parametrize(
    ("module", "command", "option"),
    [
        ("golden.__main__", "run", "--code"),
        ("train.__main__", "report", "--code"),
    ],
)
@pytest.mark.parametrize(
    ("given", "value"),
    [("bitplane", "bit-serial"), ("graded", "2-bit-serial"), ("thermometer", "thermometer")],
)
def test_spike_codes_have_aliases(module, command, option, given, value, monkeypatch):
    parser = parsers(module, monkeypatch)[command]
    (action,) = (one for one in valued(parser) if option in one.option_strings)
    assert parser._get_values(action, [given]) == value
    assert "graded: alias of 2-bit-serial" in action.help


@pytest.mark.parametrize("module", ["hw.build", "sim.demo"])
def test_hardware_has_two_spike_codes(module, monkeypatch):
    parser = parsers(module, monkeypatch)[""]
    (action,) = (one for one in valued(parser) if "--spike-code" in one.option_strings)
    assert parser._get_values(action, ["bitplane"]) == "bit-serial"
    assert action.default == "split"
    assert "bitplane: alias of bit-serial" in action.help
    for given in ("graded", "2-bit-serial", "thermometer"):
        with pytest.raises(argparse.ArgumentError, match="golden's alone: use split"):
            parser._get_values(action, [given])

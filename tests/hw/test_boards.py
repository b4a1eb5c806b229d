"""Boards: pins against those of amaranth-boards, settings of the PLL, and what does not fit."""

import random
import re
from dataclasses import replace
from fractions import Fraction

import pytest

import golden
from golden import SpikeCode
from hw import build
from hw.boards.board import BAUD, BOARDS, find_board
from hw.boards.pll import cycles_per_bit, highest_setting
from hw.boards.top import board_verilog
from hw.boards.usage import link_pictures
from hw.compiler import compile_model
from hw.fpga.pins import require_pins
from hw.isa.core_config import SPIKE_CODES
from hw.isa.identity import identity
from tests.board_files import assert_same_pins


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.name)
def test_pins_are_those_of_amaranth_boards(board):
    assert_same_pins(board)


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.name)
def test_a_wrong_pin_is_noticed(board):
    """Each pin by itself: another site, or another level for on."""
    for number, pin in enumerate(board.pins):
        for wrong in (
            replace(pin, sites=("A1", *pin.sites[1:])),
            replace(pin, inverted=not pin.inverted),
        ):
            pins = (*board.pins[:number], wrong, *board.pins[number + 1 :])
            with pytest.raises(AssertionError):
                assert_same_pins(replace(board, pins=pins))


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.name)
def test_constraints_name_every_pin_once(board):
    text = board.constraints()
    located = dict(re.findall(r'LOCATE COMP "([^"]+)" SITE "([A-Z]\d+)";', text))
    assert sorted(located.values()) == sorted(site for pin in board.pins for site in pin.sites)
    assert set(re.findall(r'IOBUF PORT "([^"]+)"', text)) == set(located)
    assert f'FREQUENCY PORT "clk" {board.clock_mhz} MHZ;' in text


@pytest.mark.parametrize("input_mhz", sorted({board.clock_mhz for board in BOARDS}))
def test_the_pll_has_the_highest_clock_there_is(input_mhz, seed):
    """Against a list of all clocks, made without the function's own limits in its loops."""
    clocks = {
        Fraction(input_mhz * feedback, divider)
        for divider in range(1, 129)
        for feedback in range(1, 81)
        if input_mhz / divider >= 3.125
        and any(
            400 * divider <= input_mhz * feedback << doubling <= 800 * divider
            for doubling in range(8)
        )
    }
    clocks = {
        clock
        for clock in clocks
        if clock >= 4 and abs(round(clock) / clock - 1) <= Fraction(1, 100)
    }
    rng = random.Random(seed)
    for _ in range(10):
        limit = rng.uniform(5, 200)
        setting = highest_setting(input_mhz, limit)
        assert setting.mhz == max(clock for clock in clocks if clock <= limit)
        assert Fraction(400) <= setting.oscillator_mhz <= 800
        assert cycles_per_bit(setting.mhz) == round(setting.mhz)
        parameters = setting.parameters()
        made = Fraction(input_mhz * parameters["CLKFB_DIV"], parameters["CLKI_DIV"])
        assert made == setting.mhz
    with pytest.raises(ValueError, match=r"none is at most 1.0 MHz"):
        highest_setting(input_mhz, 1)


def test_a_bit_lasts_a_microsecond():
    assert BAUD == 1_000_000
    assert [cycles_per_bit(mhz) for mhz in (25, Fraction(125, 2), 63)] == [25, 62, 63]


def test_the_line_carries_so_many_pictures():
    # 74 bytes there and 63 back, of ten bits each.
    assert link_pictures((8, 8, 1), 10) == 1_000_000 / (10 * (74 + 63))


def test_an_unknown_board_is_refused():
    with pytest.raises(ValueError, match=r"Board must be one of ulx3s_85f, orangecrab_r0_2_85f,"):
        find_board("ulx3s")


def test_the_identity_is_that_of_the_configuration(project_root):
    model = golden.load(project_root / "tests" / "data" / "digits.safetensors")
    found = {
        identity(compile_model(model, columns=columns, lanes=lanes, spike_code=code).required)
        for columns, lanes in ((1, 8), (1, 16), (2, 8))
        for code in SPIKE_CODES
    }
    assert len(found) == 3 * len(SPIKE_CODES)
    assert {len(name) for name in found} == {8}


def command(*arguments):
    return build.main([str(argument) for argument in arguments], prog="addend build")


def test_what_a_board_cannot_do_is_said_before_it_is_built(project_root, tmp_path, capsys):
    data = project_root / "tests" / "data"
    model = ("--model", data / "digits.safetensors", "--out", tmp_path / "out")
    ulx3s = ("--board", "ulx3s_85f")
    assert command(*model, *ulx3s, "--bus-width", 64) == 2
    assert capsys.readouterr().err == (
        "addend build: A board needs a memory controller for weights outside, on a bus of 64 "
        "bits, and Addend has none: build without --bus-width, or with a smaller model.\n"
    )
    assert command(*model, *ulx3s, "--target", "sim") == 2
    assert capsys.readouterr().err == (
        "addend build: --board must come with --target fpga, not sim.\n"
    )
    assert command(*model, *ulx3s, "--device", "ecp5-25k") == 2
    assert capsys.readouterr().err == (
        "addend build: --device must be ecp5-85k for ulx3s_85f, not ecp5-25k.\n"
    )
    large = ("--model", data / "cifar10-nano.safetensors", "--out", tmp_path / "out")
    assert command(*large, *ulx3s, "--columns", 64, "--lanes-per-column", 64) == 2
    said = capsys.readouterr().err
    assert said.startswith("addend build: The accelerator does not fit ulx3s_85f: it needs ")
    assert "digits-tiny fits" in said
    assert said.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.name)
def test_the_same_board_gives_the_same_verilog(board, project_root):
    model = golden.load(project_root / "tests" / "data" / "digits.safetensors")
    config = compile_model(model, columns=1, lanes=8, spike_code=SpikeCode.SPLIT).required
    setting = highest_setting(board.clock_mhz, 70)
    text = board_verilog(board, config, setting)
    assert text == board_verilog(board, config, setting)
    assert text.count(f"module {board.top}(") == 1
    assert text.count("EHXPLLL #(") == 1


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.name)
def test_the_pins_of_a_board_are_pins_of_its_ports(board):
    require_pins(board.constraints(), board.ports, whole=True)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda text: text.replace('LOCATE COMP "rx"', '# LOCATE COMP "rx"'),
            "--pins must have a LOCATE line for each port, and has none for rx",
        ),
        (
            lambda text: text + 'LOCATE COMP "nosuch" SITE "A1";\n',
            (
                "--pins must name ports of the design, clk, button, rx, tx, busy, error, "
                "status[0], status[1] and so on, not 'nosuch'"
            ),
        ),
        (
            lambda text: text.replace('"L4"', '"M1"'),
            "--pins must give pin M1 to one port, not to rx and tx",
        ),
    ],
)
def test_pins_that_are_not_those_of_the_board_are_refused(tmp_path, capsys, change, message):
    """Before anything is built."""
    board = BOARDS[0]
    path = tmp_path / "mine.lpf"
    path.write_text(change(board.constraints()))
    folder = tmp_path / "built"
    arguments = ["--model", "tests/data/digits-tiny.safetensors", "--board", board.name]
    arguments += ["--columns", "1", "--lanes-per-column", "8", "--pins", path, "--out", folder]
    assert build.main([str(argument) for argument in arguments]) == 2
    assert capsys.readouterr().err.endswith(f"{message}.\n")
    assert not folder.exists()

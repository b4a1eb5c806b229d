"""Replies that come late, ports that go and come back: a driver before a board of a few lines."""

import contextlib
import os
import pty
import struct
import threading
import time
import tty

import numpy as np
import pytest

from addend import Accelerator, BoardError, connection, host
from golden import SpikeCode
from hw.build import build
from hw.compiler import compile_model
from hw.emit.build_directory import VERILOG, read_description
from hw.isa.core_config import CoreConfig
from hw.isa.frames import HEAD, TAIL, RequestType, reply_frame
from hw.isa.identity import identity
from tests.engines import small_model


pytestmark = pytest.mark.sim

SHAPE = (4, 4, 2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("small")
    build(compile_model(small_model(), columns=1, lanes=8, spike_code=SpikeCode.SPLIT), made)
    return made


class Board:
    """A pseudo-terminal behind which requests are answered in their order, each after a while.

    The logits of a picture are its first byte.
    """

    def __init__(self, folder):
        description = read_description(folder)
        self.identity = identity(CoreConfig.from_dict(description["config"]))
        self.classes = description["classes"]
        #: Seconds that the next pictures take; then none.
        self.delays = []
        self.pictures = 0
        self.master, self.slave = pty.openpty()
        tty.setraw(self.slave)
        self.path = os.ttyname(self.slave)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        came = b""
        while True:
            try:
                came += os.read(self.master, 4096)
            except OSError:
                return
            while len(came) >= HEAD.size:
                _, kind, length = HEAD.unpack_from(came)
                size = HEAD.size + length + TAIL.size
                if len(came) < size:
                    break
                self._answer(kind, came[HEAD.size : size])
                came = came[size:]

    def _answer(self, kind, content):
        payload = self.identity
        if kind == RequestType.PICTURE:
            self.pictures += 1
            time.sleep(self.delays.pop(0) if self.delays else 0)
            logits = [content[0]] * self.classes
            payload = struct.pack(f"<{self.classes}iIQ", *logits, 1, 1)
        with contextlib.suppress(OSError):
            os.write(self.master, reply_frame(kind, 0, payload))

    def close(self):
        os.close(self.slave)


@pytest.fixture
def board(folder):
    made = Board(folder)
    yield made
    made.close()


def picture(value):
    return np.full((1, *SHAPE), value, np.uint8)


def answered(accelerator, value):
    """Whether the reply to a picture is its own."""
    return set(accelerator.run(picture(value)).logits.ravel().tolist()) == {value}


def test_a_late_reply_is_not_that_of_the_next_picture(board, folder):
    with Accelerator(board.path, folder, timeout=0.2) as accelerator:
        assert answered(accelerator, 1)
        board.delays = [1.0]
        with pytest.raises(BoardError, match="did not answer 3 requests within 0.2 s each"):
            accelerator.run(picture(2))
        accelerator.timeout = 5.0
        assert answered(accelerator, 3)
        assert board.pictures == 5


def test_a_picture_that_is_answered_twice_is_taken_once(board, folder):
    with Accelerator(board.path, folder, timeout=0.5) as accelerator:
        board.delays = [0.7, 0.4]
        assert answered(accelerator, 1)
        assert answered(accelerator, 2)
        assert answered(accelerator, 3)


def test_a_port_that_is_gone_for_long_may_come_back(board, folder, tmp_path, monkeypatch):
    monkeypatch.setattr(connection, "PATIENCE", 0.2)
    link = tmp_path / "port"
    link.symlink_to(board.path)
    with Accelerator(link, folder, timeout=0.2) as accelerator:
        assert answered(accelerator, 1)
        link.unlink()
        board.delays = [1.0]
        for _ in range(2):
            with pytest.raises(BoardError):
                accelerator.run(picture(2))
        second = Board(folder)
        link.symlink_to(second.path)
        assert answered(accelerator, 3)
        second.close()


def test_another_core_behind_a_port_is_not_kept_open(board, folder):
    with Accelerator(board.path, folder, timeout=0.2) as accelerator:
        board.delays, right = [1.0], board.identity
        with pytest.raises(BoardError):
            accelerator.run(picture(1))
        accelerator.timeout, board.identity = 5.0, bytes(8)
        for _ in range(2):
            with pytest.raises(BoardError, match="runs core 0000000000000000, and"):
                accelerator.run(picture(2))
        board.identity = right
        # Nobody has the port.
        with Accelerator(board.path, folder, timeout=5.0) as second:
            assert answered(second, 4)
        assert answered(accelerator, 5)


def test_what_was_closed_says_so(board, folder):
    accelerator = Accelerator(board.path, folder, timeout=5.0)
    accelerator.close()
    for used in (accelerator.counters, lambda: accelerator.run(picture(1))):
        with pytest.raises(BoardError, match="was closed: make a new Accelerator"):
            used()


def test_a_core_of_an_asic_is_no_board_s(board, folder, tmp_path):
    for name in (VERILOG, "accelerator.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    with (tmp_path / VERILOG).open("a") as file:
        file.write("\nmodule addend_sram ();\nendmodule\n")
    for port in (board.path, f"sim:{tmp_path}"):
        with pytest.raises(ValueError, match="must hold a core of --target fpga or sim, not of as"):
            Accelerator(port, tmp_path)


def test_a_simulated_board_that_does_not_start_says_why_once(folder, capfd):
    image = min((folder / "rom").glob("weights*"))
    right = image.read_text()
    image.write_text("0\n")
    try:
        status = host.main(["--port", f"sim:{folder}", "status"], prog="addend host")
    finally:
        image.write_text(right)
    said = capfd.readouterr().err
    assert status == 3
    assert said.count("\n") == 1
    assert said.startswith("addend host: Memory image ")


def test_a_result_that_cannot_be_written_is_told_first(board, folder, tmp_path, capsys):
    np.save(tmp_path / "pictures.npy", picture(1))
    arguments = ["--port", board.path, "--folder", str(folder), "classify"]
    arguments += [str(tmp_path / "pictures.npy"), "--out", str(tmp_path / ("r" * 250))]
    assert host.main(arguments, prog="addend host") == 2
    assert capsys.readouterr().err.endswith("File name too long.\n")
    assert board.pictures == 0

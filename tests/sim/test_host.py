"""The driver of boards, as a user runs it, on simulated boards behind pseudo-terminals."""

import os
import pty
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import golden
from addend import Accelerator, BoardError, host
from golden import SpikeCode
from golden.data.digits import load_digits
from hw.boards.board import BAUD
from hw.build import build
from hw.compiler import compile_model
from hw.driver.exchange import find_reply
from hw.driver.port import Port
from hw.isa.frames import LinkStatus, RequestType, reply_frame, request_frame
from tests.boards import expected_counters
from tests.engines import small_model


pytestmark = pytest.mark.sim


ARRAY = {"columns": 1, "lanes": 8, "spike_code": SpikeCode.SPLIT}
#: Pictures that are classified, and those of which the cycle model is asked.
N_PICTURES, N_PREDICTED = 50, 3
#: Seconds to wait for a reply: a simulated board needs some for what a frame is dropped after.
TIMEOUT = 90


@pytest.fixture(scope="module")
def model(project_root):
    return golden.load(project_root / "tests" / "data" / "digits.safetensors")


@pytest.fixture(scope="module")
def other(project_root):
    """File of another model that the same core runs."""
    return project_root / "tests" / "data" / "digits-half-even.safetensors"


@pytest.fixture(scope="module")
def pictures():
    *_, images, _ = load_digits()
    return images[:N_PICTURES]


@pytest.fixture(scope="module")
def folder(tmp_path_factory, project_root, model):
    """Build directory of the digits core; simulators of all tests lie in one place."""
    made = tmp_path_factory.mktemp("digits")
    build(compile_model(model, **ARRAY), made)
    cache = project_root / "build" / "sim"
    cache.mkdir(parents=True, exist_ok=True)
    (made / "sim").symlink_to(cache)
    return made


def start_board(folder):
    """Process of a simulated board, and the path of its terminal."""
    process = subprocess.Popen(
        [sys.executable, "-m", "sim.board", str(folder), "--with-parent"],
        stdout=subprocess.PIPE,
        text=True,
    )
    return process, process.stdout.readline().strip()


def end_board(process):
    process.terminate()
    process.wait()
    process.stdout.close()


@pytest.fixture
def board(folder):
    """A running board: its process and its port."""
    process, path = start_board(folder)
    yield process, path
    end_board(process)


def command(*arguments):
    """Exit status of ``addend host``."""
    return host.main([str(argument) for argument in arguments], prog="addend host")


def assert_right(found, model, pictures):
    assert found.logits.tolist() == golden.run(model, pictures).logits.tolist()


def until_idle(process):
    """Waits until nothing is left of what was sent to a board, and it waits for a byte."""
    until = time.monotonic() + TIMEOUT
    while Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] != "S":
        assert time.monotonic() < until
        time.sleep(0.1)


def test_fifty_digits_are_classified_as_golden_does(folder, model, pictures, tmp_path, capsys):
    out = tmp_path / "r.npz"
    status = command(
        *("--port", f"sim:{folder}", "--timeout", TIMEOUT),
        *("classify", "digits", "--count", N_PICTURES, "--out", out),
    )
    assert status == 0
    printed = capsys.readouterr().out.splitlines()
    found = np.load(out)
    logits = golden.run(model, pictures).logits
    assert found["logits"].tolist() == logits.tolist()
    assert printed == [f"digits {index}\t{row.argmax()}" for index, row in enumerate(logits)]
    plan = compile_model(model, **ARRAY)
    tensors = golden.run(model, pictures, trace=True).tensors
    added = plan.additions(tensors).values()
    assert found["additions"].tolist() == sum(added).tolist()
    counters = expected_counters(plan, pictures[:N_PREDICTED])
    assert found["cycles"][:N_PREDICTED].tolist() == [cycles for cycles, _ in counters]


def test_another_model_is_loaded_on_a_running_board(board, folder, model, other, pictures, capsys):
    _, path = board
    port = ("--port", path, "--folder", folder, "--timeout", TIMEOUT)
    three = pictures[:3]
    with Accelerator(path, folder, timeout=TIMEOUT) as accelerator:
        assert_right(accelerator.run(three), model, three)
        assert accelerator.counters().pictures == 3
    assert command(*port, "load", other) == 0
    assert command(*port, "classify", "digits", "--count", 3, "--model", other) == 0
    assert command(*port, "counters") == 0
    assert command(*port, "status") == 0
    loaded = golden.load(other)
    classes = golden.run(loaded, three).logits.argmax(axis=1)
    printed = capsys.readouterr().out.splitlines()
    assert printed[1:4] == [f"digits {index}\t{found}" for index, found in enumerate(classes)]
    assert printed[6] == "pictures\t3"
    assert printed[8] == "model\tyes"
    with Accelerator(path, folder, timeout=TIMEOUT) as accelerator:
        assert_right(accelerator.run(three), loaded, three)
        accelerator.load(model)
        assert_right(accelerator.run(three), model, three)


def test_what_is_no_request_has_no_effect(board, folder, model, pictures):
    process, path = board
    frame = request_frame(RequestType.PICTURE, pictures[1].tobytes())
    spoilt = bytearray(frame)
    spoilt[20] ^= 1
    for content in (b"noise" * 30, frame[:40], b"\xa5\x02\xff\xff\xff\xff", bytes(spoilt)):
        port = Port(path, BAUD)
        assert port.write(content, until=time.monotonic() + TIMEOUT)
        until_idle(process)
        answer = port.read(until=time.monotonic() + 0.1)
        port.close()
        if content == spoilt:
            assert answer == reply_frame(RequestType.PICTURE, LinkStatus.CHECKSUM)
        else:
            assert answer == b""
        with Accelerator(path, folder, timeout=TIMEOUT) as accelerator:
            assert_right(accelerator.run(pictures[:1]), model, pictures[:1])


def test_the_driver_waits_until_a_cut_frame_is_dropped(board, folder, model, pictures):
    _, path = board
    port = Port(path, BAUD)
    assert port.write(b"\xa5\x02\xff\xff\xff\xff", until=time.monotonic() + TIMEOUT)
    port.close()
    with Accelerator(path, folder, timeout=40) as accelerator:
        assert_right(accelerator.run(pictures[:1]), model, pictures[:1])


def test_a_second_client_is_told_that_the_port_is_taken(board, folder, model, pictures, capsys):
    _, path = board
    with Accelerator(path, folder, timeout=TIMEOUT) as accelerator:
        assert command("--port", path, "--folder", folder, "counters") == 3
        said = capsys.readouterr()
        assert said.err == (
            f"addend host: Port {path} is taken by another process, so wait for its end.\n"
        )
        assert_right(accelerator.run(pictures[:1]), model, pictures[:1])
    assert command("--port", path, "--folder", folder, "counters") == 0


def test_a_board_that_comes_back_is_found_again(folder, model, pictures, tmp_path):
    link = tmp_path / "port"
    first, path = start_board(folder)
    link.symlink_to(path)
    try:
        with Accelerator(link, folder, timeout=TIMEOUT) as accelerator:
            assert_right(accelerator.run(pictures[:1]), model, pictures[:1])
            end_board(first)
            link.unlink()
            first, path = start_board(folder)
            link.symlink_to(path)
            assert_right(accelerator.run(pictures[:2]), model, pictures[:2])
            assert accelerator.counters().pictures == 2
    finally:
        end_board(first)


def test_a_board_with_another_core_is_refused(board, tmp_path, capsys):
    _, path = board
    build(compile_model(small_model(), **ARRAY), tmp_path)
    assert command("--port", path, "--folder", tmp_path, "--timeout", TIMEOUT, "status") == 3
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert f"{tmp_path} holds core" in said


def test_a_dead_port_is_told_in_a_sentence(folder, tmp_path, capsys):
    master, slave = pty.openpty()
    path = os.ttyname(slave)
    assert command("--port", path, "--folder", folder, "--timeout", 0.1, "status") == 3
    assert capsys.readouterr().err == (
        f"addend host: The board at {path} did not answer 3 requests within 0.1 s each, and no "
        "byte came: check power, bitstream and cable.\n"
    )
    os.close(master)
    os.close(slave)
    missing = tmp_path / "missing"
    assert command("--port", missing, "--folder", folder, "status") == 3
    assert capsys.readouterr().err == (
        f"addend host: Port {missing} cannot be opened: No such file or directory.\n"
    )
    missing.write_text("no terminal")
    assert command("--port", missing, "--folder", folder, "status") == 3
    assert capsys.readouterr().err == (
        f"addend host: Port {missing} must be a serial port, and is none.\n"
    )
    assert command("--port", missing, "status") == 2
    assert capsys.readouterr().err == (
        f"addend host: A board at {missing} needs the build directory of its core: pass "
        "--folder DIR.\n"
    )


def test_an_answer_that_is_garbled_is_no_answer():
    right = reply_frame(RequestType.COUNTERS, 0, bytes(16))
    assert find_reply(b"\x5a\x5a" + right, RequestType.COUNTERS).payload == bytes(16)
    for place in range(len(right)):
        spoilt = bytearray(right)
        spoilt[place] ^= 0x10
        assert find_reply(bytes(spoilt), RequestType.COUNTERS) is None
        assert find_reply(bytes(spoilt) + right, RequestType.COUNTERS) is not None


def test_pictures_of_another_shape_are_refused(board, folder):
    _, path = board
    with Accelerator(path, folder, timeout=TIMEOUT) as accelerator:
        with pytest.raises(
            ValueError, match=r"Pictures must be uint8 of shape \(pictures, 8, 8, 1"
        ):
            accelerator.run(np.zeros((1, 8, 8, 3), np.uint8))
        accelerator.image_shape = (4, 4, 1)
        with pytest.raises(BoardError, match="takes pictures of another size"):
            accelerator.run(np.zeros((1, 4, 4, 1), np.uint8))

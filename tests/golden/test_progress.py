"""What long commands say meanwhile."""

import io

import pytest

from golden.cli import progress
from golden.cli.progress import image_progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def clock(monkeypatch):
    """Seconds that have passed, as a list of one."""
    passed = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: passed[0])
    return passed


def test_a_terminal_shows_the_time_that_is_left(clock):
    terminal = Terminal()
    with image_progress(terminal) as show:
        for done, seconds in ((10, 5), (20, 10), (100, 50)):
            clock[0] = seconds
            show(done, 100)
    assert terminal.getvalue().split("\r\x1b[K") == [
        "",
        "10 of 100 images, about 45 s left",
        "20 of 100 images, about 40 s left",
        "",
    ]


def test_a_log_gets_a_line_a_minute(clock):
    log = io.StringIO()
    with image_progress(log) as show:
        for done in range(1, 101):
            clock[0] = 10.0 * done
            show(done, 100)
    lines = log.getvalue().splitlines()
    assert lines[0] == "7 of 100 images, about 16 min left"
    assert len(lines) == 14
    assert "\r" not in log.getvalue()


def test_a_short_run_leaves_nothing_in_a_log(clock):
    log = io.StringIO()
    with image_progress(log) as show:
        show(4, 5)
        show(5, 5)
    assert log.getvalue() == ""


def test_an_error_stands_on_a_line_of_its_own(clock):
    terminal = Terminal()

    def fail():
        with image_progress(terminal) as show:
            show(1, 5)
            raise ValueError("damaged")

    with pytest.raises(ValueError, match="damaged"):
        fail()
    assert terminal.getvalue().endswith(" left\r\x1b[K")

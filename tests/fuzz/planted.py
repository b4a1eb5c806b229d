"""Readers with a fault each, which the fuzz tests have to find."""

import sys
import time

import numpy as np

from tests.fuzz.reader import Reader


GOOD = bytes(range(100))


def _write(folder):
    (folder / "a.bin").write_bytes(GOOD)
    return [folder / "a.bin"]


def _check(path, value):
    assert value == path.read_bytes()


def _reader(name, fault):
    def read(path):
        data = path.read_bytes()
        return data if data == GOOD else fault(path, data)

    return Reader(name, _write, read, _check)


def _raises(path, data):
    raise KeyError(data[0])


def _talks(path, data):
    raise ValueError(f"{path}: two\nlines")


def _is_vague(path, data):
    raise ValueError("it is damaged")


def _grows(path, data):
    return np.ones(600_000_000, np.uint8)[:0].tobytes() + data


def _prints(path, data):
    print("a remark", file=sys.stderr)
    return data


READERS = (
    _reader("planted-exception", _raises),
    _reader("planted-lines", _talks),
    _reader("planted-no-name", _is_vague),
    _reader("planted-result", lambda path, data: data + b"!"),
    _reader("planted-hang", lambda path, data: time.sleep(60)),
    _reader("planted-memory", _grows),
    _reader("planted-noise", _prints),
)

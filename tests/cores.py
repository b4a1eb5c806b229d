"""Verilog of cores of every code, on usual and on odd arrays, emitted once in a process."""

import json
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest

import golden
from golden import SpikeCode
from hw.compiler import compile_model
from hw.emit.memory_images import slice_names
from hw.emit.verilog import emit
from tests.engines import sizes


__all__ = ["CORES", "config_of", "emitted_once", "image_paths", "verilog_of"]


DIGITS = Path(__file__).parent / "data" / "digits.safetensors"

#: Columns, lanes, code and bus; a D for what runs no digits.
CORES = {
    "demonstration": (2, 16, SpikeCode.SPLIT, 0, None),
    "digits-3x5": (3, 5, SpikeCode.BIT_SERIAL, 64, None),
    "digits-2x7": (2, 7, SpikeCode.SPLIT, 0, None),
    "1x33": (1, 33, SpikeCode.SPLIT, 256, 4),
    "1x2-d1": (1, 2, SpikeCode.SPLIT, 0, 1),
    "2x3-d15": (2, 3, SpikeCode.SPLIT, 128, 15),
}


def image_paths(config):
    """Images of a core, as ``emit`` wants them."""
    return None if config.external else slice_names(config)


def config_of(name):
    """Core configuration of one of ``CORES``."""
    columns, lanes, code, bus_width, max_count = CORES[name]
    if max_count is None:
        return compile_model(
            golden.load(DIGITS),
            columns=columns,
            lanes=lanes,
            spike_code=code,
            bus_width=bus_width,
        ).required
    return sizes(
        columns=columns,
        lanes=lanes,
        code=code,
        bus_width=bus_width,
        max_count=max_count,
        pixel_channels=min(3, lanes),
    )


@cache
def verilog_of(name):
    """Text of one of ``CORES``."""
    config = config_of(name)
    return emit(config, images=image_paths(config))[0]


@contextmanager
def emitted_once():
    """Builds within it emit each core once: its Verilog takes seconds.

    That it is the same every time is what ``tests/sim/test_accelerator.py`` holds.
    """
    known = {}

    def once(config, **options):
        key = json.dumps([config.as_dict(), options])
        if key not in known:
            known[key] = emit(config, **options)
        return known[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hw.emit.contents.emit", once)
        yield

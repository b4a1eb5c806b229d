"""Spike words on their way to the event encoder, and the queue in which they wait."""

from amaranth.lib import data, enum


__all__ = ["End", "QUEUE_DEPTH", "closes_layout", "word_layout"]


#: Words of a bank's queue, a power of two.
QUEUE_DEPTH = 128


class End(enum.Enum, shape=2):
    """What ends with the last word of a pass, beside the pass."""

    PASS = 0
    JOB = 1
    #: The job, and the line.
    LINE = 2
    #: The job, the line and the tile.
    TILE = 3


def closes_layout():
    """Layout of what ends with a job: the line, and the tile, of this column."""
    return data.StructLayout({"line": 1, "tile": 1})


def word_layout(config):
    """Layout of a spike word on its way to the event encoder.

    ``silent`` are the lanes without a spike, ``row`` is the row of the word's first spike, and
    ``lanes`` the number of additions that each spike counts as. A word that ``ends`` is the last
    one of a pass, behind which banks wait for each other; ``end`` says what ends besides.
    """
    return data.StructLayout({
        "silent": config.lanes,
        "row": config.row_address,
        "lanes": range(config.lanes + 1),
        "ends": 1,
        "end": End,
    })

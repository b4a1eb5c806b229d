"""Spike words on their way to the event encoder, and the queue in which they wait."""

from amaranth.lib import data


__all__ = ["QUEUE_DEPTH", "closes_layout", "word_layout"]


#: Words of a column's queue, a power of two.
QUEUE_DEPTH = 128


def closes_layout():
    """Layout of what ends with a job: the line, and the tile, of this column."""
    return data.StructLayout({"line": 1, "tile": 1})


def word_layout(config):
    """Layout of a spike word on its way to the event encoder.

    ``row`` is the row of the word's first spike, ``lanes`` the number of additions that each spike
    counts as. A word marked ``double`` doubles the sums before it adds; the one marked ``last``
    closes the job, and what ``closes`` says. In the 2-bit-serial code, a spike whose ``once`` is
    low adds the double of its row, and one whose ``again`` is high adds the double (once more)
    after that.
    """
    lanes = config.lanes
    return data.StructLayout({
        "spikes": lanes,
        **({"once": lanes, "again": lanes} if config.two_bit_serial else {}),
        "row": config.row_address,
        "lanes": range(lanes + 1),
        "double": 1,
        "last": 1,
        "closes": closes_layout(),
    })

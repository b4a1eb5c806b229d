"""Steps: the words that columns read, and the rows of taps that these belong to."""

from amaranth import *
from amaranth.lib import data


__all__ = ["place_layout", "step_layout", "taps_layout"]


def step_layout(config):
    """Layout of a step: one word that all columns read, each at an address of its own.

    ``offset`` is added to what each column has; ``row`` is the row of the word's first spike. The
    word lies inside the map for ``columns``; ``jobs`` are the columns that have a job at all. Of
    its spikes those under ``mask`` are used; where a layer gathers, the mask is rotated by the
    column's number. The last word of a pass ``ends`` it, and that of a job is the ``last`` one,
    which where ``line_ends`` closes the line, and for ``closing`` columns then the tile. ``lanes``
    is the number of additions that each spike counts as. Of counts, the planes of the ``chosen``
    pass are taken, of pixels those of number ``pixel_pass``.
    """
    return data.StructLayout({
        "valid": 1,
        "offset": config.source_address,
        "row": config.row_address,
        "columns": config.columns,
        "jobs": config.columns,
        "closing": config.columns,
        "mask": config.lanes,
        "lanes": range(config.lanes + 1),
        "ends": 1,
        "last": 1,
        "line_ends": 1,
        "pixels": 1,
        "chosen": len(config.passes),
        "pixel_pass": range(len(config.pixel_passes)),
    })


def place_layout(config):
    """Where a row of taps stands in its tile: what begins and what ends with it."""
    return data.StructLayout({
        "valid": 1,
        "begins_tile": 1,
        "begins_batch": 1,
        "begins_job": 1,
        "begins_digit": 1,
        "ends_pass": 1,
        "ends_job": 1,
        "ends_line": 1,
        "last_digit": 1,
        "number": unsigned(4),
        "jobs": config.columns,
        "closing": config.columns,
    })


def taps_layout(config):
    """A row of taps whose address is known but for one addition, and what its words need."""
    return data.StructLayout({
        "place": place_layout(config),
        "base": config.source_address,
        "offset": config.source_address,
        "row_base": config.row_address,
        "row": config.row_address,
        "columns": config.columns,
        "words": unsigned(10),
        "first_mask": config.lanes,
        "last_mask": config.lanes,
        "lanes": range(config.lanes + 1),
    })

"""Why the latest image or packet had no effect."""

from amaranth.lib import enum


__all__ = ["Status"]


class Status(enum.Enum, shape=3):
    """What the core's ``status`` port says; ``error`` is high while it is not ``OK``."""

    #: Nothing went wrong.
    OK = 0
    #: ``tlast`` of the pixels did not come with the last pixel.
    PIXELS = 1
    #: A load packet was malformed.
    PACKET = 2
    #: The external image was made for another core, or is no image at all.
    IMAGE = 3
    #: A tile of the external image does not have the checksum that stands behind it.
    CHECKSUM = 4
    #: The external memory answered with an error, or a burst had the wrong length.
    BUS = 5
    #: The external memory did not answer for ``hw.burst_reader.PATIENCE`` cycles.
    STALLED = 6

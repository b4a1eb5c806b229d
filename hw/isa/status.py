"""Why the latest image or packet had no effect, and whether there is a model at all."""

from amaranth.lib import enum


__all__ = ["Status"]


class Status(enum.Enum, shape=4):
    """What the core's ``status`` port says; ``error`` is high while it is not ``OK``."""

    #: Nothing went wrong.
    OK = 0
    #: ``tlast`` of the pixels did not come with the last pixel.
    PIXELS = 1
    #: A load packet was malformed; nothing was written from its first wrong word on.
    PACKET = 2
    #: The weight image was made for another core, or is no image at all.
    IMAGE = 3
    #: A tile of the weight image does not have the checksum that stands behind it.
    CHECKSUM = 4
    #: The external memory answered with an error, or a burst had the wrong length.
    BUS = 5
    #: The external memory did not answer for ``hw.rtl.burst_reader.PATIENCE`` cycles.
    STALLED = 6
    #: A load packet ended, since no beat came for ``hw.rtl.load_port.PATIENCE`` cycles.
    TIMEOUT = 7
    #: Memories on chip hold no model that was loaded without error, and images have no logits.
    MODEL = 8

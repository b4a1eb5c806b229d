"""Packets that fill a core's memories through its load port."""

from ..isa.checksum import checksum
from ..rtl.load_port import ACCOUNT
from ..rtl.loader import BEAT_WIDTH
from .memory_images import beats, memory_words


__all__ = ["LAST", "closing_packet", "load_lines", "packets", "packets_of"]


#: Bit of a beat that stands for ``tlast``, above its 32 data bits.
LAST = 1 << 32


def packets(plan, config):
    """Packets for the load port of a core with weights on chip: one per memory, and the last one.

    Parameters
    ----------
    plan : Plan
        From ``lay_out``.
    config : CoreConfig
        Of the core.

    Returns
    -------
    list of list of int
        Beats of 32 bits, and ``LAST`` in the last one of each packet.
    """
    return packets_of(memory_words(plan, config), config)


def packets_of(words, config):
    """As ``packets``, of what the memories are to hold.

    Parameters
    ----------
    words : dict of str to list of int
        Of every memory.
    config : CoreConfig
        Of the core.

    Returns
    -------
    list of list of int
    """
    result = []
    for number, (name, (width, _)) in enumerate(config.memories.items()):
        *packet, last = beats(number, words[name], width)
        result.append([*packet, last | LAST])
    return [*result, closing_packet(result, config)]


def closing_packet(loaded, config):
    """Packet that ends a load: what was loaded becomes a model if its signature is right.

    Parameters
    ----------
    loaded : list of list of int
        All packets since the one before of this kind, as ``packets`` lists them.
    config : CoreConfig
        Of the core.

    Returns
    -------
    list of int
        Header and signature, see ``hw.rtl.load_port.LoadPort``.
    """
    beats = (beat for packet in loaded for beat in packet)
    signature = checksum(beats, BEAT_WIDTH + 1, start=config.fingerprint)
    return [ACCOUNT << 28, signature | LAST]


def load_lines(loaded):
    """Text of packets: a beat a line, 33 bits in hexadecimal, of which bit 32 is ``tlast``."""
    return "".join(f"{beat:09x}\n" for packet in loaded for beat in packet)

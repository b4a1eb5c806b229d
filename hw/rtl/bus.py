"""The bus: what columns store in memories that all of them read, and add to the token sums."""

from amaranth import signed
from amaranth.lib import wiring
from amaranth.lib.wiring import Out
from amaranth.utils import bits_for

from ..isa.pairs import PAIR


__all__ = ["stored_signature", "sums_signature"]


def stored_signature(config):
    """A word that is stored: in the ``spikes`` memories, in the ``attention`` ones, or in none.

    ``data`` has bit 0 of all lanes lowest: planes, or bits of a row of attention.
    """
    return wiring.Signature({
        "spikes": Out(1),
        "attention": Out(1),
        "address": Out(config.out_address),
        "data": Out(config.word_width),
    })


def sums_signature(config):
    """Stream values for the token sums: those of a pair of lanes, where they are ``valid``.

    The pairs of a tile stand behind those of the one before.
    """
    return wiring.Signature({
        "valid": Out(1),
        "pair": Out(bits_for(config.sum_depth - 1)),
        "values": Out(signed(config.residual_width)).array(PAIR),
    })

"""The load port of a core whose weights lie on chip: fills its memories, and answers for them."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .checksum import Checksum
from .loader import BEAT_WIDTH, Loader
from .pixels import beat_layout
from .signals import signals


__all__ = ["ACCOUNT", "PATIENCE", "LoadPort"]


#: Memory number of the packet that closes an account.
ACCOUNT = 15
#: Cycles after which a packet of which no beat comes is ended.
PATIENCE = 2**24


class LoadPort(wiring.Component):
    """Takes packets for ``Loader``, and says whether what the memories hold is a model.

    From the first word that a packet writes, it is none, until an account is right. An account is
    all packets since the one before was closed, or since reset. A packet of memory 15, a header
    and one beat, closes it, right or not, and does not belong to it. An account is right if that
    beat is the signature of the account's beats, headers and ``last`` included; if the first word
    of every memory was written; and if no packet was refused or ended by ``patience``.

    Parameters
    ----------
    memories : dict of str to (int, int)
        As ``Loader`` has them, at most 15.
    fingerprint : int
        Of the core: what signatures start from, so that what was made for another core is not
        taken.
    filled : bool
        Whether the memories hold a model from the beginning. Reset then leaves ``intact`` as it
        is; else it clears it.
    patience : int
        Cycles without a beat after which a packet is ended.

    Members
    -------
    beats : In(stream.Signature(beat_layout(32)))
    enable : In(1)
        A packet may begin.
    write, address, data : Out
        As ``Loader`` has them.
    active : Out(1)
        A packet is under way, or its last word is still to be written.
    begins : Out(1)
        A packet begins in this cycle.
    refused : Out(1)
        High for one cycle after a packet turned out to be malformed.
    expired : Out(1)
        High for one cycle when a packet is ended; the next beat is a header.
    intact : Out(1)
        The memories hold a model. Falls in the cycle after the first word is written.
    """

    def __init__(self, memories, *, fingerprint, filled, patience=PATIENCE):
        if patience < 1:
            raise ValueError(f"Patience must be at least 1 cycle, not {patience!r}")
        self.fingerprint = fingerprint
        self.filled = filled
        self.patience = patience
        self.loader = Loader(memories)
        super().__init__({
            "beats": In(stream.Signature(beat_layout(BEAT_WIDTH))),
            "enable": In(1),
            "write": Out(len(memories)),
            "address": Out(self.loader.address.shape()),
            "data": Out(self.loader.data.shape()),
            "active": Out(1),
            "begins": Out(1),
            "refused": Out(1),
            "expired": Out(1),
            "intact": Out(1, init=filled),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.loader = loader = self.loader
        m.submodules.signature = signature = Checksum(BEAT_WIDTH + 1, start=self.fingerprint)
        beat = self.beats.p

        # A packet of memory 15 is under way; and it is longer than it may be.
        closing, too_long = signals("closing too_long")
        under_way, taken, closes, malformed = signals("under_way taken closes malformed")
        to_loader = ~closing & (loader.active | (beat.data[28:] != ACCOUNT))
        m.d.comb += [
            under_way.eq(loader.active | closing),
            self.beats.ready.eq((self.enable | under_way) & ~self.expired),
            taken.eq(self.beats.valid & self.beats.ready),
            self.begins.eq(taken & ~under_way),
            self.active.eq(under_way | loader.complete),
            loader.enable.eq(1),
            loader.clear.eq(self.expired),
            loader.beats.valid.eq(taken & to_loader),
            loader.beats.p.eq(beat),
            self.write.eq(loader.write),
            self.address.eq(loader.address),
            self.data.eq(loader.data),
            closes.eq(taken & closing & ~too_long & beat.last),
            self.refused.eq(loader.failed | malformed),
        ]
        m.d.sync += malformed.eq(0)
        with m.If(taken & ~to_loader):
            m.d.sync += [
                closing.eq(~beat.last),
                too_long.eq(closing),
                malformed.eq(Mux(closing, ~beat.last & ~too_long, beat.last)),
            ]
        with m.If(self.expired):
            m.d.sync += closing.eq(0)
        self._watch(m, under_way, taken)
        self._settle(m, signature, closes, taken & to_loader)
        return m

    def _watch(self, m, under_way, taken):
        """Ends a packet of which no beat comes."""
        # Reaches zero after ``patience`` cycles, so that its sign is all there is to look at.
        waited = Signal(range(-self.patience, 1), init=-self.patience)
        m.d.comb += self.expired.eq(waited >= 0)
        m.d.sync += waited.eq(waited + 1)
        with m.If(~under_way | taken | self.expired):
            m.d.sync += waited.eq(waited.init)

    def _settle(self, m, signature, closes, counts):
        """Keeps the account, and draws the conclusion when it is closed."""
        loader, beat = self.loader, self.beats.p
        begun = Signal(len(loader.write))
        spoilt = Signal()
        intact = Signal(init=self.filled, reset_less=self.filled)
        m.d.comb += [
            self.intact.eq(intact),
            signature.valid.eq(counts),
            signature.beat.eq(Cat(beat.data, beat.last)),
            signature.clear.eq(closes),
        ]
        # A malformed packet may become known in the cycle that closes the account.
        right = begun.all() & ~spoilt & ~self.refused & (signature.value == beat.data)
        with m.If(loader.address == 0):
            m.d.sync += begun.eq(begun | loader.write)
        with m.If(self.refused | self.expired):
            m.d.sync += spoilt.eq(1)
        with m.If(closes):
            m.d.sync += [begun.eq(0), spoilt.eq(0)]
            with m.If(right):
                m.d.sync += intact.eq(1)
        with m.If(loader.write.any()):
            m.d.sync += intact.eq(0)

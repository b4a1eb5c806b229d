"""The loader: packets become words of the on-chip memories."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .choose_add import load_add
from .pixels import beat_layout
from .signals import signals


__all__ = ["Loader", "BEAT_WIDTH"]


#: Bits of a beat of the load port.
BEAT_WIDTH = 32


class Loader(wiring.Component):
    """Writes packets of words to memories.

    A packet is a header beat, memory number in bits 31 to 28 and first address in bits 23 to 0,
    then for each word as many beats as it takes, least significant first; ``last`` closes it. A
    packet for an unknown memory, beyond its depth, or ended inside a word raises ``failed``; it
    writes nothing from its first wrong word on.

    Parameters
    ----------
    memories : dict of str to (int, int)
        Width and depth of each memory, in the order of their numbers.
    beat_width : int
        Bits of a beat, at least 32.

    Members
    -------
    beats : In(stream.Signature(beat_layout(beat_width)))
    enable : In(1)
        A packet may begin.
    clear : In(1)
        Forgets the packet under way.
    complete : Out(1)
        A word is complete. It is written in this cycle if it has a place.
    write : Out(number of memories)
        One-hot.
    address : Out(24)
    data : Out(widest memory)
        A memory's word lies in the lowest bits.
    failed : Out(1)
        High for one cycle.
    active : Out(1)
        A packet is under way.
    """

    def __init__(self, memories, *, beat_width=BEAT_WIDTH):
        self.memories = list(memories.values())
        self.beat_width = beat_width
        super().__init__({
            "beats": In(stream.Signature(beat_layout(beat_width))),
            "enable": In(1),
            "clear": In(1),
            "complete": Out(1),
            "write": Out(len(self.memories)),
            "address": Out(24),
            "data": Out(max(width for width, _ in self.memories)),
            "failed": Out(1),
            "active": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        beats_of = [-(-width // self.beat_width) for width, _ in self.memories]
        n_beats = max(beats_of)

        memory = Signal(4)
        address = Signal(24)
        parts = [Signal(self.beat_width, name=f"part_{index}") for index in range(n_beats)]
        # Number of the beat that comes next in its word, and of a word's last one.
        place, final = signals("place final", range(max(2, n_beats)))
        header_final = Signal.like(final)
        depth = Signal(25)
        skipping = Signal()
        # Whether a word has a place is looked at a cycle after its last beat, when the next one may
        # be complete, too.
        beyond = Signal()
        header_memory, header_address = self.beats.p.data[28:32], self.beats.p.data[:24]

        with m.Switch(header_memory):
            for index, beats in enumerate(beats_of):
                with m.Case(index):
                    m.d.comb += header_final.eq(beats - 1)
        with m.Switch(memory):
            for index, (_, words) in enumerate(self.memories):
                with m.Case(index):
                    m.d.comb += depth.eq(words)
        m.d.comb += [
            beyond.eq(self.complete & ~skipping & (self.address >= depth)),
            self.write.eq(Mux(self.complete & ~skipping & ~beyond, 1 << memory, 0)),
            self.data.eq(Cat(parts)),
            self.beats.ready.eq(self.enable | self.active),
        ]

        next_address = Signal.like(address)
        m.submodules.next_address = load_add(
            load=~self.active,
            value=header_address,
            base=address,
            addend=C(1, len(address)),
            total=next_address,
        )
        # The part whose turn it is takes whatever comes, so that nothing waits for the handshake.
        with m.Switch(place):
            for index, part in enumerate(parts):
                with m.Case(index):
                    m.d.sync += part.eq(self.beats.p.data)
        m.d.sync += [self.complete.eq(0), self.failed.eq(beyond)]
        with m.If(beyond):
            m.d.sync += skipping.eq(1)
        with m.If(self.beats.valid & self.beats.ready):
            m.d.sync += self.active.eq(~self.beats.p.last)
            with m.If(~self.active):
                m.d.sync += [
                    memory.eq(header_memory),
                    address.eq(next_address),
                    final.eq(header_final),
                    place.eq(0),
                    skipping.eq(0),
                    self.failed.eq(beyond | self.beats.p.last),
                ]
            with m.Elif(~skipping):
                m.d.sync += place.eq(place + 1)
                with m.If(place == final):
                    m.d.sync += [
                        place.eq(0),
                        self.complete.eq(1),
                        self.address.eq(address),
                        address.eq(next_address),
                    ]
                with m.Elif(self.beats.p.last):
                    m.d.sync += self.failed.eq(1)
        with m.If(self.clear):
            m.d.sync += self.active.eq(0)

        return m

"""The load port: fills the on-chip memories from outside."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .pixels import beat_layout
from .signals import signals


__all__ = ["Loader", "BEAT_WIDTH"]


#: Bits of a beat of the load port.
BEAT_WIDTH = 32


class Loader(wiring.Component):
    """Writes packets of words to memories.

    A packet is a header beat, memory number in bits 31 to 28 and first address in bits 23 to 0,
    then for each word as many beats as it takes, least significant first; ``last`` closes it. A
    packet for an unknown memory, beyond its depth, or ended inside a word raises ``failed``; no
    wrong word is written.

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
    write : Out(number of memories)
        One-hot.
    address : Out(24)
    data : Out(widest memory)
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
        word = Signal(n_beats * self.beat_width)
        next_word = Signal(n_beats * self.beat_width)
        # Beats of a word behind its first, and those that this word still lacks behind the next.
        further, left = signals("further left", range(max(2, n_beats)))
        header_further = Signal.like(further)
        depth = Signal(25)
        skipping = Signal()
        # A word is complete; whether it has a place is looked at a cycle after that.
        complete, beyond = signals("complete beyond")
        header_memory, header_address = self.beats.p.data[28:32], self.beats.p.data[:24]

        with m.Switch(header_memory):
            for index, beats in enumerate(beats_of):
                with m.Case(index):
                    m.d.comb += header_further.eq(beats - 1)
        with m.Switch(memory):
            for index, (_, words) in enumerate(self.memories):
                with m.Case(index):
                    m.d.comb += depth.eq(words)
        m.d.comb += [
            beyond.eq(complete & (self.address >= depth)),
            self.write.eq(Mux(complete & ~beyond, 1 << memory, 0)),
            self.beats.ready.eq(self.enable | self.active),
            next_word.eq(Cat(word[self.beat_width:], self.beats.p.data)),
        ]

        m.d.sync += [complete.eq(0), self.failed.eq(0)]
        with m.If(beyond):
            m.d.sync += skipping.eq(1)
        with m.If(self.beats.valid & self.beats.ready):
            m.d.sync += self.active.eq(~self.beats.p.last)
            with m.If(~self.active):
                m.d.sync += [
                    memory.eq(header_memory),
                    address.eq(header_address),
                    further.eq(header_further),
                    left.eq(header_further),
                    skipping.eq(0),
                    self.failed.eq(self.beats.p.last),
                ]
            with m.Elif(~skipping):
                m.d.sync += [word.eq(next_word), left.eq(left - 1)]
                with m.If(left == 0):
                    m.d.sync += [left.eq(further), complete.eq(1),
                                 self.address.eq(address), address.eq(address + 1)]
                with m.Elif(self.beats.p.last):
                    m.d.sync += self.failed.eq(1)
        with m.If(beyond & ~skipping):
            m.d.sync += self.failed.eq(1)
        with m.If(self.clear):
            m.d.sync += self.active.eq(0)

        # A short word ends at the top of the register that collects it.
        with m.Switch(memory):
            for index, (width, _) in enumerate(self.memories):
                with m.Case(index):
                    start = (n_beats - beats_of[index]) * self.beat_width
                    m.d.comb += self.data.eq(word[start:start + width])

        return m

"""Records of the program: words that are read in turn, and the registers that keep them."""

from amaranth import *

from ..isa.program_word import PROGRAM_WIDTH, words_of


__all__ = ["Records"]


class Records:
    """Reads as many words of the program as are asked for, and shifts them into registers.

    Like `Loops` it is no component of its own: the states of its user ask and keep.

    Parameters
    ----------
    config : CoreConfig
    address : Signal
        Of the program memory.
    word : Signal
        What stands there, one cycle later.

    Attributes
    ----------
    arriving, arrived : Value
        A word that was asked for is there; it is the last one.
    """

    def __init__(self, config, *, address, word):
        self._layouts = {
            "header": config.filled(config.header),
            "layer": config.layer,
            "tile": config.filled(config.tile),
        }
        self._address, self._word = address, word
        most = max(*map(words_of, self._layouts.values()), config.max_count)
        self._shifts = {}
        self._pointer = Signal.like(address, name="pointer")
        self._awaited = Signal(range(most + 1), name="awaited")
        self.arriving = Signal(name="arriving")
        self.arrived = self.arriving & (self._awaited == 0)

    def read(self, m):
        """Adds what reads words, and one register for each kind of record.

        Returns
        -------
        dict of str to View
            What stands in the registers, by the kind of record.
        """
        m.d.comb += self._address.eq(self._pointer)
        m.d.sync += self.arriving.eq(self._awaited != 0)
        with m.If(self._awaited != 0):
            m.d.sync += [self._pointer.eq(self._pointer + 1), self._awaited.eq(self._awaited - 1)]
        records = {}
        for name, layout in self._layouts.items():
            # They shift in from the top.
            words = Signal(words_of(layout) * PROGRAM_WIDTH, name=f"{name}_words")
            self._shifts[name] = Signal(name=f"{name}_shift")
            with m.If(self._shifts[name]):
                m.d.sync += words.eq(Cat(words[PROGRAM_WIDTH:], self._word))
            records[name] = layout(words[: layout.size])
        return records

    def rewind(self):
        """Statement after which the program is read from its first word."""
        return self._pointer.eq(0)

    def ask(self, name):
        """Statement that asks for a record."""
        return self.ask_words(words_of(self._layouts[name]))

    def ask_words(self, number):
        """Statement that asks for so many words which no record keeps."""
        return self._awaited.eq(number)

    def keep(self, name):
        """Statement that shifts a word into a record's register if one is arriving."""
        return self._shifts[name].eq(self.arriving)

"""The dense engine: the baseline that multiplies every count by every weight, zero or not."""

from dataclasses import dataclass

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..rtl.signals import signals


__all__ = ["DenseEngine", "DenseSize"]


@dataclass(frozen=True, kw_only=True)
class DenseSize:
    """Size of a dense engine.

    Parameters
    ----------
    outputs : int
        Dot products at a time.
    inputs : int
        Terms of each in a cycle, a power of two.
    count_width, weight_width, accumulator_width : int
        Bits of an (unsigned) count, and of a weight and a sum in two's complement.
    """

    outputs: int
    inputs: int
    count_width: int = 3
    weight_width: int = 8
    accumulator_width: int = 20

    def __post_init__(self):
        if self.inputs < 1 or self.inputs & (self.inputs - 1):
            raise ValueError(f"Inputs must be a power of two, not {self.inputs!r}")

    @property
    def operations(self):
        """Products in a cycle."""
        return self.outputs * self.inputs

    @classmethod
    def beside(cls, config, *, inputs):
        """The engine that a core is compared with: its products per cycle, counts and weights.

        Parameters
        ----------
        config : CoreConfig
            Of the core.
        inputs : int
            Most terms of a dot product in a cycle.
        """
        lanes = config.columns * config.lanes
        # The largest power of two that divides the lanes.
        inputs = min(inputs, lanes & -lanes)
        return cls(
            outputs=lanes // inputs,
            inputs=inputs,
            weight_width=config.weight_width,
            count_width=config.max_count.bit_length(),
        )

    @property
    def bits(self):
        """Bits of all masks and adders."""
        levels = self.inputs.bit_length() - 1
        masks = self.inputs * self.weight_width
        trees = sum(
            (self.inputs >> level) * (self.weight_width + level) for level in range(1, levels + 1)
        )
        joined = sum(self.weight_width + levels + bit + 1 for bit in range(1, self.count_width))
        return self.outputs * (self.count_width * (masks + trees) + joined + self.accumulator_width)

    @property
    def adders(self):
        """How many adders there are: those of a tree per bit of the counts, and those behind."""
        return self.outputs * (self.count_width * (self.inputs - 1) + self.count_width)

    @property
    def latency(self):
        """Cycles of a word: a register, the levels of the trees, the bits, and the sum."""
        return 1 + (self.inputs.bit_length() - 1) + (self.count_width - 1) + 1


class DenseEngine(wiring.Component):
    """Dot products of counts with weights: ``outputs`` of them at a time, ``inputs`` terms a cycle.

    A product is shift-and-add: per bit of the counts a tree adds up the weights whose bit is set,
    and the trees' sums are added as their bits weigh. It takes one word (``inputs`` counts and the
    weights of all outputs) in each cycle and never waits, so a layer takes as many cycles as it has
    words. Memories, addresses and neurons are left out: what is compared with it is complete, and
    the difference is in its favour.

    Each output has counts of its own, which a depthwise layer needs; a dense one repeats them.

    Parameters
    ----------
    size : DenseSize

    Members
    -------
    valid : In(1)
        A word is there.
    counts : In(outputs * inputs * count_width)
    weights : In(outputs * inputs * weight_width)
    last : In(1)
        It is the last word of its dot products.
    sums : Out(outputs * accumulator_width)
    done : Out(1)
        ``sums`` are those of the word marked ``last``, ``latency`` cycles before.

    References
    ----------
    Umuroglu et al., FINN, FPGA 2017, doi:10.1145/3020078.3021744 (matrix-vector unit of PE and
    SIMD).
    """

    def __init__(self, size):
        self.size = size
        super().__init__({
            "valid": In(1),
            "counts": In(size.operations * size.count_width),
            "weights": In(size.operations * size.weight_width),
            "last": In(1),
            "sums": Out(size.outputs * size.accumulator_width),
            "done": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        size = self.size
        counts = Signal.like(self.counts)
        weights = Signal.like(self.weights)
        valid, last = signals("valid last", size.latency - 1)
        m.d.sync += [
            counts.eq(self.counts),
            weights.eq(self.weights),
            valid.eq(Cat(self.valid, valid)),
            last.eq(Cat(self.last, last)),
        ]
        closes = valid[-1] & last[-1]
        m.d.sync += self.done.eq(closes)

        for output in range(size.outputs):
            terms = [
                (
                    counts.word_select(number, size.count_width),
                    weights.word_select(number, size.weight_width).as_signed(),
                )
                for number in range(output * size.inputs, (output + 1) * size.inputs)
            ]
            by_bit = [
                self._sum(m, [Mux(count[bit], weight, 0) for count, weight in terms])
                for bit in range(size.count_width)
            ]
            word = by_bit[0]
            for bit in range(1, size.count_width):
                # The sums of later bits wait until it is their turn.
                word = _register(m, word + (by_bit[bit] << bit))
                by_bit[bit + 1 :] = [_register(m, waiting) for waiting in by_bit[bit + 1 :]]

            accumulator = Signal(signed(size.accumulator_width))
            finished, total = signals("finished total", accumulator.shape())
            m.d.comb += [
                total.eq(accumulator + word),
                self.sums.word_select(output, size.accumulator_width).eq(finished),
            ]
            with m.If(valid[-1]):
                m.d.sync += accumulator.eq(total)
            with m.If(closes):
                m.d.sync += [finished.eq(total), accumulator.eq(0)]
        return m

    def _sum(self, m, terms):
        """Sum of the terms, by a tree whose levels are registered."""
        # Terms are masked weights, whose zero must not widen them.
        terms = [term[: self.size.weight_width].as_signed() for term in terms]
        while len(terms) > 1:
            terms = [
                _register(m, one + other)
                for one, other in zip(terms[::2], terms[1::2], strict=True)
            ]
        return terms[0]


def _register(m, value):
    """What a value was in the cycle before."""
    register = Signal(value.shape())
    m.d.sync += register.eq(value)
    return register

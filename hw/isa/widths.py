"""Widths in bits that follow from the sizes of a core."""

from amaranth.utils import bits_for

from golden.spike import SpikeCode


__all__ = ["Widths", "element_width"]


class Widths:
    """Widths of words and numbers that follow from the fields of ``CoreConfig``."""

    @property
    def spike_width(self):
        """Bits of a word of the spike memory: all planes of ``lanes`` channels, plane 0 lowest."""
        return self.planes * self.lanes

    @property
    def pixel_width(self):
        """Bits of a pixel as it is stored, without the constant channel."""
        return 8 * self.pixel_channels

    @property
    def word_width(self):
        """Bits of what a job stores at once: a word of spikes or of attention elements."""
        return max(self.spike_width, self.lanes * self.digit_width)

    @property
    def count_width(self):
        """Bits of a spike count."""
        return bits_for(self.max_count)

    @property
    def digit_width(self):
        """Bits of a digit of the attention memory's elements, so that a count is one digit."""
        return self.count_width

    @property
    def row_width(self):
        """Bits of what a lane adds, two's complement."""
        return element_width(self.weight_width, self.max_count, self.spike_code)

    @property
    def result_width(self):
        """Bits of a potential or stream value in the firing unit, two's complement."""
        return max(self.accumulator_width, self.residual_width)

    @property
    def threshold_width(self):
        """One bit more than a result, so that a spike which can never fire has a threshold."""
        return self.result_width + 1


def element_width(weight_width, max_count, spike_code):
    """Bits of what a lane adds, two's complement: a weight or a digit, or the double of it."""
    return max(weight_width, bits_for(max_count) + 1) + (spike_code is SpikeCode.TWO_BIT_SERIAL)

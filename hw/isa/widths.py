"""Widths in bits that follow from the sizes of a core."""

from amaranth.utils import bits_for


__all__ = ["LOGIT_WIDTH", "Widths", "element_width", "entry_width"]


#: Bits of a logit at the output port, two's complement.
LOGIT_WIDTH = 32


class Widths:
    """Widths of words and numbers that follow from the fields of ``CoreConfig``."""

    @property
    def attention(self):
        """Whether there are attention memories, and what reads and writes them."""
        return self.attention_depth > 0

    @property
    def spike_width(self):
        """Bits of a word of the spike memory: all planes of ``lanes`` channels, plane 0 lowest."""
        return self.planes * self.lanes

    @property
    def pixel_width(self):
        """Bits of a pixel as it is stored, without the constant channel."""
        return 8 * self.pixel_channels

    @property
    def weight_word(self):
        """Bits of a weight vector: one weight per lane."""
        return self.lanes * self.weight_width

    @property
    def digit_word(self):
        """Bits of a row of attention: one digit per lane."""
        return self.lanes * self.digit_width

    @property
    def word_width(self):
        """Bits of what a job stores at once: a word of spikes or of attention elements."""
        return max(self.spike_width, self.digit_word if self.attention else 0)

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
        """Bits of an element of a row that a bank fetches, two's complement."""
        return element_width(self.weight_width, self.max_count)

    @property
    def entry_width(self):
        """Bits of what a lane adds to its sum at once, two's complement."""
        return entry_width(self.row_width, self.bank_weights)

    @property
    def result_width(self):
        """Bits of a potential or stream value in the firing unit, two's complement."""
        return max(self.accumulator_width, self.residual_width)

    @property
    def logit_width(self):
        """Bits of a logit on its way to the output port."""
        return min(self.result_width, LOGIT_WIDTH)

    @property
    def threshold_width(self):
        """One bit more than a result, so that a spike which can never fire has a threshold."""
        return self.result_width + 1


def element_width(weight_width, max_count):
    """Bits of an element of a row, two's complement: a weight or a digit."""
    return max(weight_width, bits_for(max_count) + 1)


def entry_width(row_width, bank_weights):
    """Bits of the weighted sum of a row's elements from each bank, two's complement.

    >>> entry_width(4, (2, 1, 1)), entry_width(4, (1,))
    (6, 4)
    """
    return row_width + (sum(bank_weights) - 1).bit_length()

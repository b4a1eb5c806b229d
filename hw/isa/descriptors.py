"""Layouts of the records that the sequencer, the columns and the memories exchange."""

from amaranth import unsigned
from amaranth.lib import data, enum
from amaranth.utils import bits_for


__all__ = ["Drain", "Records"]


class Drain(enum.Enum, shape=3):
    """What becomes of the potentials of a job."""

    #: Counts, to the spike memory: words of one position and one tile of channels.
    SPIKES = 0
    #: Counts, to the attention memory: the rows that the first pass of attention adds.
    VALUES = 1
    #: Potentials, digit by digit, to the attention memory: the rows of the second pass.
    KEY_VALUES = 2
    #: Stream values, to the sum memory.
    SUMS = 3
    #: Potentials, to the output.
    LOGITS = 4


class Records:
    """Shapes and layouts that follow from the widths and depths of ``Capacities``."""

    @property
    def neuron(self):
        """Layout of a word of the neuron memory: what one output channel's drain needs.

        All numbers are equally wide, since each has its own slice of the memory.
        """
        return data.StructLayout({
            "bias": self.threshold_width,
            "thresholds": data.ArrayLayout(self.threshold_width, self.max_count),
        })

    @property
    def pixel_address(self):
        """Shape of an address of the pixel memory."""
        return unsigned(bits_for(self.pixel_depth - 1))

    @property
    def spike_address(self):
        """Shape of an address of the spike memory."""
        return unsigned(bits_for(self.spike_depth - 1))

    @property
    def source_address(self):
        """Shape of an address of what a job walks: pixels or spikes."""
        return unsigned(bits_for(max(self.pixel_depth, self.spike_depth) - 1))

    @property
    def row_address(self):
        """Shape of an address of a row: weights or attention entries."""
        return unsigned(bits_for(max(self.weight_depth, self.attention_depth) - 1))

    @property
    def attention_address(self):
        """Shape of an address of the attention memory."""
        return unsigned(bits_for(self.attention_depth - 1))

    @property
    def digit(self):
        """Shape of the number of a digit of an attention entry."""
        return unsigned(bits_for(self.digits - 1))

    @property
    def stream_address(self):
        """Shape of an address of a column's stream memory."""
        return unsigned(bits_for(self.stream_depth - 1))

    @property
    def neuron_address(self):
        """Shape of an address of the neuron memory."""
        return unsigned(bits_for(self.neuron_depth - 1))

    @property
    def out_address(self):
        """Shape of where a job's result goes: spike, attention or sum memory."""
        depth = max(self.spike_depth, self.attention_depth, self.sum_depth)
        return unsigned(bits_for(depth - 1))

    @property
    def window_address(self):
        """Shape of an address of the window memory."""
        return unsigned(bits_for(self.window_depth - 1))

    @property
    def header(self):
        """Layout of the program's first record."""
        # The last pixel's address, since the number of pixels may need one more bit.
        return data.StructLayout({"last_pixel": self.pixel_address, "layers": 12,
                                  "classes": 16})

    @property
    def layer(self):
        """Layout of a layer record: what stays the same for all jobs of a layer."""
        count = unsigned(bits_for(self.window_depth))
        return data.StructLayout({
            # A token sum fires from the sum memory and has thresholds in place of tile records.
            "token_sum": 1,
            "drain": Drain,
            "stream": 1,
            "first": 1,
            # From the version of the stream that is read to the one that is written.
            **({"stream_move": self.stream_address} if self.branches else {}),
            "shift": self.shift_width,
            "depthwise": 1,
            "attention_rows": 1,
            # Only one channel is read, the next one for each position: see ``Dealer``.
            "gather": 1,
            # Pixels are walked, not spikes; and no later layer walks them.
            "pixels": 1,
            "releases": 1,
            # Passes over a job's words, less one, whether sums double between them, and whether
            # the first of two takes the plane of fours, where D = 4.
            "passes": 4,
            "double": 1,
            "fours": 1,
            "line_stride": self.source_address,
            "word_stride": self.source_address,
            "row_step": bits_for(self.lanes),
            # Digits, less one, of the entries that are read and of those that are stored.
            "digits": self.digit,
            "digit_stride": self.row_address,
            "out_digits": self.digit,
            # From digit to digit of attention rows.
            "out_stride": self.attention_address,
            "out_step": self.out_address,
            "stream_step": self.stream_address,
            "restart": 1,
            "tiles": unsigned(12),
            "lines": count,
            "line_base": self.window_address,
            "positions": count,
            "position_base": self.window_address,
        })

    @property
    def tile(self):
        """Layout of a tile record: what stays the same for the jobs of one tile of a layer."""
        return data.StructLayout({
            "spike": self.source_address,
            "row": self.row_address,
            # Words of each line that are read beyond those of the window.
            "words": unsigned(10),
            # Spikes that are read of the first and of the last word; pixels all are.
            "first_mask": self.lanes,
            "last_mask": self.lanes,
            "out": self.out_address,
            "neuron": self.neuron_address,
            "stream": self.stream_address,
            "lanes": bits_for(self.lanes),
        })

    @property
    def window(self):
        """Layout of a window: the taps of one output line or position that are inside the map."""
        return data.StructLayout({
            "offset": self.source_address,
            "row": self.row_address,
            "jump": self.row_address,
            "steps": unsigned(10),
            "span": self.source_address,
        })

    @property
    def job(self):
        """Layout of a job: one output position of one tile, as a column receives it."""
        return data.StructLayout({
            "spike": self.source_address,
            "row": self.row_address,
            # From the last word of a line to the first of the next.
            "row_jump": self.row_address,
            "line_jump": self.source_address,
            "lines": unsigned(4),
            "words": unsigned(10),
            "first_mask": self.lanes,
            "last_mask": self.lanes,
            "lanes": bits_for(self.lanes),
            "result": self.result,
        })

    @property
    def result(self):
        """Layout of what the drain of a job needs to know."""
        return data.StructLayout({
            "out": self.out_address,
            "neuron": self.neuron_address,
            "stream": self.stream_address,
            "last_lane": bits_for(self.lanes - 1),
            # The half of the double buffer that the job's tile lies in.
            **({"half": 1} if self.external else {}),
        })

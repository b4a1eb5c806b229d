"""Layouts of the descriptors that the sequencer, the columns and the memories exchange."""

from amaranth import unsigned
from amaranth.lib import data, enum
from amaranth.utils import bits_for

from .pairs import PAIR, pairs_of
from .widths import Widths


__all__ = ["NEURON_TILES", "ROWS", "WEIGHT_TILES", "Destination", "Descriptors"]


#: Tiles that the buffers of columns hold side by side: one that computes and one that comes. The
#: neurons of the one before both may still be read.
WEIGHT_TILES, NEURON_TILES = 2, 4

#: Rows of weights that a buffer can take in a cycle: one through each port. Tiles have whole pairs.
ROWS = 2


class Destination(enum.Enum, shape=3):
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


class Descriptors(Widths):
    """Shapes and layouts that follow from the widths and depths of ``CoreConfig``."""

    @property
    def pairs(self):
        """Pairs of lanes of a column."""
        return pairs_of(self.lanes)

    @property
    def pair(self):
        """Shape of the number of a pair."""
        return unsigned(bits_for(self.pairs - 1))

    @property
    def neurons(self):
        """Layout of a word of neurons: those of a pair of lanes."""
        return data.ArrayLayout(self.neuron, PAIR)

    @property
    def neuron(self):
        """Layout of a neuron: what firing one output channel needs."""
        return data.StructLayout({
            "bias": self.threshold_width,
            "thresholds": data.ArrayLayout(self.threshold_width, self.max_count),
        })

    @property
    def weight_slices(self):
        """Parts of a word of weights: of each lane in each row."""
        return self.rows_at_once * self.lanes

    @property
    def tile_depths(self):
        """Weight vectors that the largest tile in each place has."""
        return self.tile_rows, self.second_tile_rows

    @property
    def buffered_rows(self):
        """Weight vectors up to the end of a buffer of them."""
        return (WEIGHT_TILES - 1) * self.tile_stride + self.tile_depths[-1]

    @property
    def buffer_depths(self):
        """Words up to the end of the columns' buffers of tiles, as they are written."""
        return {
            "weights": self.buffered_rows // self.rows_at_once,
            "neurons": NEURON_TILES * self.pairs,
        }

    @property
    def tile_address(self):
        """Shape of an address of a weight vector in its tile."""
        # At least a word of spikes, whose rows are aligned.
        return unsigned(bits_for(max(self.tile_rows, self.lanes) - 1))

    @property
    def tile_stride(self):
        """Distance of tiles in the buffers of weights: the bits above say which one it is."""
        return 1 << self.tile_address.width

    @property
    def fill(self):
        """Layout of what a tile is filled with: in which words its weights and neurons lie on chip.

        ``place`` is that of its weights in the buffers, ``again`` whether those of the tile before
        lie there.
        """
        return data.StructLayout({
            "row": bits_for(self.weight_depth // self.rows_at_once - 1),
            "rows": bits_for(self.tile_rows // self.rows_at_once),
            "neuron": bits_for(self.neuron_depth - 1),
            "place": bits_for(WEIGHT_TILES - 1),
            "again": 1,
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
        """Shape of an address of a row: of a buffer of weights, or of attention elements."""
        depth = max(self.buffered_rows, self.attention_depth)
        return unsigned(bits_for(depth - 1))

    @property
    def attention_address(self):
        """Shape of an address of the values, or of the key-values."""
        return unsigned(bits_for(max(self.attention_depth, 1) - 1))

    @property
    def digit(self):
        """Shape of the number of a digit of an attention element."""
        return unsigned(bits_for(self.digits - 1))

    @property
    def residual_address(self):
        """Shape of an address of a group's residual memory."""
        return unsigned(bits_for(self.residual_depth - 1))

    @property
    def neuron_address(self):
        """Shape of an address of a buffer of neurons."""
        return unsigned(bits_for(self.buffer_depths["neurons"] - 1))

    @property
    def out_address(self):
        """Shape of where a job's result goes: spike, attention or sum memory."""
        depth = max(self.spike_depth, self.attention_depth, self.sum_depth)
        return unsigned(bits_for(depth - 1))

    @property
    def window_address(self):
        """Shape of an address of the memory of tap windows."""
        return unsigned(bits_for(self.window_depth - 1))

    @property
    def header(self):
        """Layout of the program's first descriptor."""
        # The last pixel's address, since the number of pixels may need one more bit.
        return data.StructLayout({"last_pixel": self.pixel_address, "layers": 12, "classes": 16})

    @property
    def layer(self):
        """Layout of a layer descriptor: what stays the same for all jobs of a layer."""
        count = unsigned(bits_for(self.window_depth))
        return data.StructLayout({
            # A token sum fires from the sum memory and has thresholds in place of tile descriptors.
            "token_sum": 1,
            "destination": Destination,
            "stream": 1,
            "first": 1,
            # From the version of the stream that is read to the one that is written.
            **({"stream_move": self.residual_address} if self.branches else {}),
            # As many bits are set as sums double behind the last events of a job.
            "shift": self.shift_width,
            "depthwise": 1,
            "attention_rows": 1,
            # A job reads one channel, each column the next one: see `AddressGenerator`.
            "gather": 1,
            # Only the largest count of each lane in a job's words counts.
            **({"maximum": 1} if self.maximum else {}),
            # Pixels are walked, not spikes; and no later layer walks them.
            "pixels": 1,
            "releases": 1,
            # Passes over a job's words, less one.
            "passes": 4,
            # From what a column reads to what the next one does, and from word to word.
            "column_stride": self.source_address,
            "word_stride": self.source_address,
            "row_step": bits_for(self.lanes),
            # Digits, less one, of the elements that are read and of those that are stored.
            "digits": self.digit,
            "digit_stride": self.row_address,
            "out_digits": self.digit,
            # From digit to digit of attention rows.
            "out_stride": self.attention_address,
            # Where results go: from position to position, from the last one of a line to a column's
            # next line, and from column to column.
            "out_step": self.out_address,
            "out_jump": self.out_address,
            "out_column": self.out_address,
            "stream_step": self.residual_address,
            "tiles": unsigned(12),
            # Less one: batches of lines, and positions of a line.
            "batches": count,
            "positions": count,
            "position_base": self.window_address,
            # Columns that have a line in the last batch.
            "last_columns": self.columns,
        })

    @property
    def tile(self):
        """Layout of a tile descriptor: what stays the same for the jobs of one tile of a layer."""
        return data.StructLayout({
            "spike": self.source_address,
            "row": self.row_address,
            # Words of each line that are read beyond those of the tap window.
            "words": unsigned(10),
            # Spikes that are read of the first and of the last word; pixels all are.
            "first_mask": self.lanes,
            "last_mask": self.lanes,
            # Rows of taps of a position, less one, and where those of all batches lie.
            "tap_rows": unsigned(4),
            "tap_row_base": self.window_address,
            "out": self.out_address,
            "neuron": self.neuron_address,
            "stream": self.residual_address,
            "lanes": bits_for(self.lanes),
        })

    @property
    def tap_row(self):
        """Layout of a row of taps: what all columns read of it, and those that lie inside."""
        return data.StructLayout({
            "offset": self.source_address,
            "row": self.row_address,
            "columns": self.columns,
        })

    @property
    def tap_position(self):
        """Layout of an output position: taps of each row of taps that lie inside the map."""
        return data.StructLayout({
            "offset": self.source_address,
            "row": self.row_address,
            "steps": unsigned(10),
        })

    @property
    def result(self):
        """Layout of what the readout of a job needs to know."""
        return data.StructLayout({
            "out": self.out_address,
            "neuron": self.neuron_address,
            "stream": self.residual_address,
            "last_lane": bits_for(self.lanes - 1),
        })

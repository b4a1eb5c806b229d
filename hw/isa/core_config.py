"""What a built core can hold.

Every width and depth in the hardware comes from one ``CoreConfig`` object. The compiler derives it
from a model; another model that requires no more runs on the same netlist.
"""

import json
import zlib
from dataclasses import asdict, dataclass, fields

from amaranth.lib import data

from golden.spike import SpikeCode, plane_count

from .descriptors import ROWS, Descriptors
from .memory_parts import block_rams_scarce, image_slices
from .passes import bank_weights, count_passes, pixel_passes
from .program_word import PROGRAM_WIDTH


__all__ = [
    "BUS_WIDTHS",
    "CoreConfig",
    "MOST_COLUMNS",
    "MOST_LANES",
    "SPIKE_CODES",
    "check_array",
    "check_spike_code",
]


#: Data widths of the bus to an external memory, in bits.
BUS_WIDTHS = (64, 128, 256)

#: Largest array: columns, and lanes of each.
MOST_COLUMNS, MOST_LANES = 256, 128

#: Fields that must be the model's own; a larger number will not do.
EQUAL = (
    "columns",
    "lanes",
    "spike_code",
    "max_count",
    "pixel_channels",
    "pixel_constant",
    "bus_width",
)

#: Spike codes that hardware has.
SPIKE_CODES = (SpikeCode.SPLIT, SpikeCode.BIT_SERIAL)


@dataclass(frozen=True, kw_only=True)
class CoreConfig(Descriptors):
    """Sizes of a core.

    Parameters
    ----------
    columns, lanes : int
        Columns of the array, and lanes of each column.
    spike_code : SpikeCode
    max_count : int
        ``D``, most spikes that a neuron fires at once.
    pixel_channels : int
        Bytes of a pixel as it arrives.
    branches : int
        1 where a layer may leave the version of a stream that it adds to where it is.
    maximum : int
        1 where a layer may take the largest counts of windows.
    pixel_constant : int
        Value of one more channel, the same for all pixels; 0 for none.
    weight_width, accumulator_width, residual_width, sum_width : int
        Widths in bits: weights and accumulators (two's complement), residual stream, token sums.
    shift_width : int
        Most bits by which a layer's sums are shifted, in front of stream or logits; 1 at least.
    tile_rows, second_tile_rows : int
        Weight vectors of the largest tile, and of the largest one that may lie in the second of the
        two places of the columns' buffers. Like ``weight_depth``, they are multiples of ``ROWS``.
    weight_depth, neuron_depth : int
        Weight vectors, and words of neurons, of all tiles; 0 where they lie outside.
    program_depth, window_depth, pixel_depth, spike_depth, residual_depth, attention_depth,
    sum_depth : int
        Words of each memory (per column where a column has its own), of attention those of values,
        and as many of key-values, 0 where there is no attention. A word of neurons, of the residual
        and of sums is that of a pair.
    digits : int
        Most digits of an element of the attention memory.
    bus_width : int
        Data bits of the bus to an external memory that holds weights, neurons and descriptors; 0
        where they lie on chip.
    """

    columns: int
    lanes: int
    spike_code: SpikeCode
    max_count: int
    pixel_channels: int
    weight_width: int
    accumulator_width: int
    residual_width: int
    sum_width: int
    shift_width: int
    tile_rows: int
    second_tile_rows: int
    weight_depth: int
    neuron_depth: int
    program_depth: int
    window_depth: int
    pixel_depth: int
    spike_depth: int
    residual_depth: int
    attention_depth: int
    sum_depth: int
    digits: int
    branches: int = 0
    maximum: int = 0
    pixel_constant: int = 0
    bus_width: int = 0

    def __post_init__(self):
        check_array(
            self.columns,
            self.lanes,
            self.pixel_channels + (self.pixel_constant > 0),
        )
        check_spike_code(self.spike_code)
        for rows in (self.tile_rows, self.second_tile_rows, self.weight_depth):
            if rows % ROWS:
                raise ValueError(f"Rows of weights must come in pairs, not be {rows}")
        if self.second_tile_rows > self.tile_rows:
            raise ValueError(
                f"Rows of a tile in the second place must be at most the {self.tile_rows} of the "
                f"first one, not {self.second_tile_rows}"
            )
        if self.bus_width and self.bus_width not in BUS_WIDTHS:
            raise ValueError(f"Bus must be 64, 128 or 256 bits wide, not {self.bus_width!r}")

    @property
    def array(self):
        """Arguments of ``compile_model`` that lay out another model for the same array."""
        return {
            "columns": self.columns,
            "lanes": self.lanes,
            "spike_code": self.spike_code,
        }

    @property
    def external(self):
        """Whether weights come from an external memory."""
        return self.bus_width > 0

    @property
    def rows_at_once(self):
        """Rows of weights that are written to the buffers in a cycle, and lie in a word on chip."""
        return ROWS if not self.external or self.bus_width >= ROWS * self.weight_word else 1

    @property
    def fingerprint(self):
        """CRC-32 of all fields: a weight image carries that of the core it was made for."""
        return zlib.crc32(json.dumps(self.as_dict(), sort_keys=True).encode())

    @property
    def planes(self):
        """Planes of a spike map."""
        return plane_count(self.spike_code, self.max_count)

    @property
    def bank_weights(self):
        """What an event of each bank of a column weighs, the largest first."""
        return bank_weights(self.spike_code, self.max_count)

    @property
    def banks(self):
        """Banks of a column."""
        return len(self.bank_weights)

    @property
    def passes(self):
        """Planes of a spike map that the banks take at once, pass after pass."""
        return count_passes(self.spike_code, self.max_count)

    @property
    def pixel_passes(self):
        """Bits of pixels that the banks take at once, pass after pass."""
        return pixel_passes(self.spike_code, self.max_count)

    @property
    def pixel_doublings(self):
        """How often sums double between two passes of a layer that reads pixels."""
        return self.bank_weights[0].bit_length()

    @property
    def doublings(self):
        """The same of a layer that reads spikes: between two passes or digits.

        A digit weighs ``2**digit_width`` times the one behind it.
        """
        return self.digit_width - len(self.passes) + 1

    @property
    def memories(self):
        """Memories that are filled: name to (width, depth), in the order of the load port.

        Where weights are external, weights and neurons go to the buffers of tiles at once.
        """
        depths = self.buffer_depths
        if not self.external:
            depths = {
                "weights": self.weight_depth // self.rows_at_once,
                "neurons": self.neuron_depth,
            }
        return {
            "weights": (self.rows_at_once * self.weight_word, depths["weights"]),
            "neurons": (self.neurons.size, depths["neurons"]),
            "program": (PROGRAM_WIDTH, self.program_depth),
            "windows": (max(self.tap_row.size, self.tap_position.size), self.window_depth),
        }

    @property
    def slices(self):
        """Equal parts that each of ``memories`` is built of: of weights, one per lane and row.

        A block RAM that is as deep as the memory and one or two bits wide needs no multiplexer
        behind it; synthesis finds that shape for narrow memories only.
        """
        scarce = block_rams_scarce(self)
        parts = {name: image_slices(self, name, scarce=scarce) for name in ("neurons", "program")}
        return {"weights": self.weight_slices, **parts, "windows": 1}

    def filled(self, layout):
        """Layout of program words: a descriptor; at their end, what the next tile is filled with.

        So the tile can come before it is its turn. Where weights are external, only the descriptor
        is there.
        """
        size = layout.size + (0 if self.external else self.fill.size)
        size += -size % PROGRAM_WIDTH
        fields = {"descriptor": data.Field(layout, 0)}
        if not self.external:
            fields["fill"] = data.Field(self.fill, size - self.fill.size)
        return data.FlexibleLayout(size, fields)

    @property
    def image_files(self):
        """Files that hold a model: name to (width, slices)."""
        if self.external:
            return {"external": (self.bus_width, 1)}
        return {name: (width, self.slices[name]) for name, (width, _) in self.memories.items()}

    def require(self, required):
        """Raises ValueError if a model that requires another configuration does not run here."""
        for field in fields(self):
            there, wanted = getattr(self, field.name), getattr(required, field.name)
            words = field.name.replace("_", " ")
            if field.name in EQUAL and there != wanted:
                raise ValueError(
                    f"The core has {words} {there}, and the model needs {wanted}: "
                    "build a core for this model"
                )
            if field.name not in EQUAL and there < wanted:
                raise ValueError(
                    f"The core's {words} is {there}, and the model needs {wanted}: "
                    "build a core for the larger model and load the smaller one"
                )

    def as_dict(self):
        """Plain values, for ``accelerator.json``."""
        return asdict(self) | {"spike_code": self.spike_code.value}

    @classmethod
    def from_dict(cls, values):
        """Inverse of ``as_dict``."""
        known = {f.name for f in fields(cls)}
        values = {key: value for key, value in values.items() if key in known}
        return cls(**(values | {"spike_code": SpikeCode(values["spike_code"])}))


def check_spike_code(code):
    """Raises ValueError if no core has a spike code."""
    if code not in SPIKE_CODES:
        raise ValueError(
            f"Spike code {code.value} is golden's alone: use split, which takes the fewest cycles, "
            "or bit-serial, which takes the fewest additions and smaller columns"
        )


def check_array(columns, lanes, pixel_channels):
    """Raises ValueError if there is no array of this size for pixels of so many channels."""
    if not 1 <= columns <= MOST_COLUMNS:
        raise ValueError(f"Columns must be 1 to {MOST_COLUMNS}, not {columns!r}")
    if not 2 <= lanes <= MOST_LANES:
        raise ValueError(f"Lanes per column must be 2 to {MOST_LANES}, not {lanes!r}")
    if pixel_channels > lanes:
        raise ValueError(
            "Lanes per column must be at least the channels of a pixel, "
            f"{pixel_channels}, not {lanes!r}"
        )

"""What a built core can hold, and the record layouts that follow from it.

Every width and depth in the hardware comes from one ``Capacities`` object. The compiler derives it
from a model; another model of the same capacities runs on the same netlist.
"""

import json
import zlib
from dataclasses import asdict, dataclass, fields

from amaranth import unsigned
from amaranth.lib import data, enum
from amaranth.utils import bits_for

from golden.spike import SpikeCode


__all__ = ["BUS_WIDTHS", "Capacities", "Drain", "PIXEL_PLANES", "PROGRAM_WIDTH", "check_array",
           "words_of"]


#: Width of a word of the program memory, in bits.
PROGRAM_WIDTH = 32
#: Pixels are 8-bit integers, sent to the lanes as bit planes.
PIXEL_PLANES = 8


#: Data widths of the bus to an external memory, in bits.
BUS_WIDTHS = (64, 128, 256)

#: Capacities that must be the model's own; a larger one will not do.
EQUAL = ("columns", "lanes", "spike_code", "max_count", "pixel_channels", "pixel_constant",
         "bus_width")


class Drain(enum.Enum, shape=3):
    """What becomes of the potentials of a job."""

    #: Counts, to the spike memory: words of one position and one tile of channels.
    SPIKES = 0
    #: Counts, to the spike memory: words of one channel and a group of tokens (attention's keys).
    KEYS = 1
    #: Counts, to the attention memory: the rows that the first pass of attention adds.
    VALUES = 2
    #: Potentials, to the attention memory: the rows that the second pass of attention adds.
    KEY_VALUES = 3
    #: Stream values, to the sum memory.
    SUMS = 4
    #: Potentials, to the output.
    LOGITS = 5


@dataclass(frozen=True, kw_only=True)
class Capacities:
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
    pixel_constant : int
        Value of one more channel, the same for all pixels; 0 for none.
    weight_width, accumulator_width, stream_width, entry_width, sum_width : int
        Widths in bits: weights and accumulators (two's complement), residual stream, entries of the
        attention memory (unsigned), token sums.
    shift_width : int
        Bits of the shift behind the accumulator, in front of stream or logits.
    weight_depth, neuron_depth, program_depth, window_depth, spike_depth, stream_depth,
    attention_depth, sum_depth : int
        Words of each memory (per column where a column has its own).
    bus_width : int
        Data bits of the bus to an external memory that holds weights, neurons and tables; 0 where
        they lie on chip. The weight and neuron memories are double buffers then.
    """

    columns: int
    lanes: int
    spike_code: SpikeCode
    max_count: int
    pixel_channels: int
    weight_width: int
    accumulator_width: int
    stream_width: int
    entry_width: int
    sum_width: int
    shift_width: int
    weight_depth: int
    neuron_depth: int
    program_depth: int
    window_depth: int
    spike_depth: int
    stream_depth: int
    attention_depth: int
    sum_depth: int
    pixel_constant: int = 0
    bus_width: int = 0

    def __post_init__(self):
        check_array(self.columns, self.lanes, self.pixel_channels + (self.pixel_constant > 0))
        if self.bus_width and self.bus_width not in BUS_WIDTHS:
            raise ValueError(f"Bus must be 64, 128 or 256 bits wide, not {self.bus_width!r}")

    @property
    def external(self):
        """Whether weights come from an external memory."""
        return self.bus_width > 0

    @property
    def fingerprint(self):
        """CRC-32 of all capacities: an external image carries that of the core it was made for."""
        return zlib.crc32(json.dumps(self.as_dict(), sort_keys=True).encode())

    @property
    def planes(self):
        """Planes of a spike map: ``D`` in thermometer code, the bits of ``D`` in bit planes."""
        if self.spike_code is SpikeCode.THERMOMETER:
            return self.max_count
        return bits_for(self.max_count)

    @property
    def count_width(self):
        """Bits of a spike count."""
        return bits_for(self.max_count)

    @property
    def result_width(self):
        """Bits of a potential or stream value in the firing unit, two's complement."""
        return max(self.accumulator_width, self.stream_width)

    @property
    def threshold_width(self):
        """One bit more than a result, so that a spike which can never fire has a threshold."""
        return self.result_width + 1

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
    def spike_address(self):
        """Shape of an address of the spike memory."""
        return unsigned(bits_for(self.spike_depth - 1))

    @property
    def row_address(self):
        """Shape of an address of a row: weights or attention entries."""
        return unsigned(bits_for(max(self.weight_depth, self.attention_depth) - 1))

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
        return data.StructLayout({"pixels": self.spike_address, "layers": 12,
                                  "classes": 16})

    @property
    def layer(self):
        """Layout of a layer record: what stays the same for all jobs of a layer."""
        position = unsigned(16)
        return data.StructLayout({
            # A token sum fires from the sum memory and has thresholds in place of tile records.
            "token_sum": 1,
            "drain": Drain,
            "stream": 1,
            "first": 1,
            "shift": self.shift_width,
            "depthwise": 1,
            "attention_rows": 1,
            "double": 1,
            "planes": 4,
            "plane_stride": self.spike_address,
            "line_stride": self.spike_address,
            "word_stride": self.spike_address,
            "row_step": bits_for(self.lanes),
            "out_plane_stride": self.spike_address,
            "out_step": self.out_address,
            "stream_step": self.stream_address,
            "turn": position,
            "restart": 1,
            "tiles": position,
            "lines": position,
            "line_base": self.window_address,
            "positions": position,
            "position_base": self.window_address,
        })

    @property
    def tile(self):
        """Layout of a tile record: what stays the same for the jobs of one tile of a layer."""
        return data.StructLayout({
            "spike": self.spike_address,
            "row": self.row_address,
            "words": unsigned(10),
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
            "offset": self.spike_address,
            "row": self.row_address,
            "jump": self.row_address,
            "taps": unsigned(4),
        })

    @property
    def job(self):
        """Layout of a job: one output position of one tile, as a column receives it."""
        return data.StructLayout({
            "spike": self.spike_address,
            "row": self.row_address,
            "jump": self.row_address,
            "line_taps": unsigned(4),
            "position_taps": unsigned(4),
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
            "slot": bits_for(self.lanes - 1),
            "block_last": 1,
            # The half of the double buffer that the job's tile lies in.
            **({"half": 1} if self.external else {}),
        })

    @property
    def memories(self):
        """Memories that images fill: name to (width, depth), in the order of the load port."""
        return {
            "weights": (self.lanes * self.weight_width, self.weight_depth),
            "neurons": (self.neuron.size, self.neuron_depth),
            "program": (PROGRAM_WIDTH, self.program_depth),
            "windows": (self.window.size, self.window_depth),
        }

    @property
    def slices(self):
        """Equal parts that each of ``memories`` is built of: one per lane, one per number.

        A block RAM that is as deep as the memory and one or two bits wide needs no multiplexer
        behind it; synthesis finds that shape for narrow memories only.
        """
        return {"weights": self.lanes, "neurons": self.max_count + 1, "program": 1, "windows": 1}

    @property
    def images(self):
        """Files that hold a model: name to (width, slices)."""
        if self.external:
            return {"external": (self.bus_width, 1)}
        return {name: (width, self.slices[name]) for name, (width, _) in self.memories.items()}

    def require(self, needed):
        """Raises ValueError if a model that needs the capacities ``needed`` does not run here."""
        for field in fields(self):
            there, wanted = getattr(self, field.name), getattr(needed, field.name)
            words = field.name.replace("_", " ")
            if field.name in EQUAL and there != wanted:
                raise ValueError(f"The core has {words} {there}, and the model needs {wanted}: "
                                 "build a core for this model")
            if field.name not in EQUAL and there < wanted:
                raise ValueError(f"The core's {words} is {there}, and the model needs {wanted}: "
                                 "build a core for the larger model and load the smaller one")

    def as_dict(self):
        """Plain values, for ``accelerator.json``."""
        return asdict(self) | {"spike_code": self.spike_code.value}

    @classmethod
    def from_dict(cls, values):
        """Inverse of ``as_dict``."""
        known = {f.name for f in fields(cls)}
        values = {key: value for key, value in values.items() if key in known}
        return cls(**(values | {"spike_code": SpikeCode(values["spike_code"])}))


def check_array(columns, lanes, pixel_channels):
    """Raises ValueError if there is no array of this size for pixels of so many channels."""
    if columns < 1:
        raise ValueError(f"Columns must be at least 1, not {columns!r}")
    if not 2 <= lanes <= 64:
        raise ValueError(f"Lanes per column must be 2 to 64, not {lanes!r}")
    if pixel_channels > lanes:
        raise ValueError("Lanes per column must be at least the channels of a pixel, "
                         f"{pixel_channels}, not {lanes!r}")


def words_of(layout):
    """Number of program words that a record of ``layout`` takes."""
    return -(-layout.size // PROGRAM_WIDTH)

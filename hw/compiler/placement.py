"""Placement: where a layer's results go, in memories that tensors share by their lifetimes."""

from dataclasses import dataclass, replace

from golden import LOGITS
from golden.model.shapes import last_readers
from golden.names import counts_name, stream_name
from golden.spike import plane_count

from ..isa.descriptors import Destination
from ..isa.pairs import pairs_of
from ..isa.plan import SpikeMap
from .allocate import Allocator
from .residual import ResidualMemory, Version


__all__ = ["ResultLocation", "Placement"]


@dataclass(frozen=True)
class ResultLocation:
    """Where the results of a layer go.

    Parameters
    ----------
    stores : str
        Trace key of what is stored, see `LayerPlan`.
    descriptor : dict
        Fields of the layer descriptor that say where.
    out : tuple of int
        Address of each tile's first result.
    target : SpikeMap or None
        The map in the spike memory.
    stream : str or None
        Trace key of the stream that is written as well.
    residual : Version or None
        The version of the stream that is read.
    """

    stores: str
    descriptor: dict
    out: tuple
    target: SpikeMap | None = None
    stream: str | None = None
    residual: Version | None = None


class Placement:
    """The memories of a core, filled layer by layer.

    A step is the number of a layer of the model.

    Parameters
    ----------
    model : IntegerModel
    lanes, columns : int
    code : SpikeCode
    fused : dict of str to str
        What `fused_sums` says.

    Attributes
    ----------
    maps : dict of str to SpikeMap
        Of count tensors, and of copies by the name of their layer.
    spikes, values, key_values : Allocator
    residual : ResidualMemory
    value_rows : dict of str to int
        Address of the first row of counts that lie there as values.
    sum_depth : int
        Words of the sum memory; at least two, so that an address has a bit.
    """

    def __init__(self, model, *, lanes, columns, code, fused, spike_bases):
        self.lanes = lanes
        self.planes = plane_count(code, model.max_count)
        self.fused = fused
        self.maps, self.value_rows = {}, {}
        self.spikes = Allocator(spike_bases)
        self.values, self.key_values = Allocator(), Allocator()
        self.sum_depth = 2
        self._last = last_readers(model)
        # A stream that is summed while it is written need not stay for that.
        self.residual = ResidualMemory(
            columns,
            lanes,
            {
                name: step
                for step, layer in enumerate(model.layers)
                if layer.name not in self.fused
                for name in layer.reads
            },
        )

    def last(self, tensor, step):
        """Step at which a tensor is read last; ``step``, at which it is made, if it never is."""
        return self._last.get(tensor, step)

    def in_spikes(self, tensor, channels, positions, *, step, last, copy=None):
        """A map in the spike memory; ``copy`` is the name of the layer that copies the tensor."""
        base = self.spikes.place(len(channels) * positions, step=step, last=last)
        placed = SpikeMap(
            base, self.planes, len(channels), positions, channels, tensor, pitch=len(channels)
        )
        self.maps[copy or tensor] = placed
        return ResultLocation(
            tensor,
            {"destination": Destination.SPIKES, "out_step": len(channels)},
            tuple(base + tile for tile in range(len(channels))),
            placed,
        )

    def in_part(self, whole, first, tensor, channels):
        """Words of each position of a map, from number ``first`` on, which hold a tensor."""
        placed = replace(
            whole, base=whole.base + first, words=len(channels), channels=channels, tensor=tensor
        )
        return ResultLocation(
            tensor,
            {"destination": Destination.SPIKES, "out_step": whole.pitch},
            tuple(placed.base + tile for tile in range(len(channels))),
            placed,
        )

    def in_values(self, tensor, channels, positions, *, step, last):
        """Rows of values, which are added where keys spike."""
        base = self.values.place(len(channels) * positions, step=step, last=last)
        self.value_rows[tensor] = base
        return ResultLocation(
            tensor,
            {"destination": Destination.VALUES},
            tuple(base + tile * positions for tile in range(len(channels))),
        )

    def in_sums(self, stream, channels):
        """The sum memory, for a stream that is summed over its tokens."""
        pairs = pairs_of(self.lanes)
        self.sum_depth = max(self.sum_depth, len(channels) * pairs)
        return ResultLocation(
            stream,
            {"destination": Destination.SUMS, "out_step": 0},
            tuple(tile * pairs for tile in range(len(channels))),
        )

    def in_logits(self, channels):
        """The output port."""
        return ResultLocation(
            LOGITS, {"destination": Destination.LOGITS, "out_step": 0}, (0,) * len(channels)
        )

    def in_stream(self, layer, channels, size, *, step):
        """A version of a residual stream, and its counts or what it adds to the token sums."""
        name, stream = counts_name(layer), stream_name(layer)
        read, written = self.residual.write(layer, step=step, size=size, tiles=len(channels))
        descriptor = {
            "stream": 1,
            "first": int(layer.epilogue.previous is None),
            "stream_step": written.step,
        }
        if written.base != read.base:
            descriptor["stream_move"] = written.base - read.base
        if stream in self.fused.values():
            where = self.in_sums(stream, channels)
        else:
            where = self.in_spikes(
                name, channels, size[0] * size[1], step=step, last=self.last(name, step)
            )
        return replace(
            where, descriptor=where.descriptor | descriptor, stream=stream, residual=read
        )

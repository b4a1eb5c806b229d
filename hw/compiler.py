"""The compiler: lays a model out for an array of columns and lanes.

It decides where tensors, weights and thresholds lie, and writes the table of layers, tiles and
windows that the sequencer runs. Everything irregular about a network ends here.
"""

from dataclasses import dataclass, replace

import numpy as np
from amaranth.utils import bits_for

from golden import LOGITS, PIXELS, Conv, KeyValue, Logits, Query, SpikeCode, TokenSum, Write
from golden.ranges import analyse, kv_width, saturate
from golden.shapes import counts_name, last_readers, shapes, sources, stream_name
from golden.spike import passes, plane_count

from .allocate import Allocator
from .attention_rows import LINE, AttentionRows
from .capacities import check_array
from .copies import copy_of
from .external_image import stream_weights
from .layouts import by_head, contiguous, in_class_order
from .limits import check_fields, check_model
from .needs import needed_capacities
from .passes import PIXEL_PLANES, fours_pay, pixel_passes
from .plan import LayerPlan, Plan, SpikeMap, Window
from .readers import direct_values, fused_sums
from .records import Drain
from .residual import ResidualMemory
from .tables import NeuronTable, WindowTable
from .windows import conv_windows


__all__ = ["compile_model"]


def compile_model(model, *, columns, lanes, spike_code, shared=1, weight_width=None, bus_width=0,
                  tile_rows=None):
    """Lays out ``model`` for ``columns`` columns of ``lanes`` lanes.

    Parameters
    ----------
    model : IntegerModel
    columns, lanes : int
    spike_code : SpikeCode
    shared : int
        Columns that share one firing unit, a divisor of ``columns``.
    weight_width : int or None
        Bits of a weight in memory; what the model needs, if not given.
    bus_width : int
        Data bits of the bus to an external memory that holds the weights; 0 for weights on chip.
    tile_rows : int or None
        Rows of half the double buffer of external weights; what the model needs, if not given.

    Returns
    -------
    Plan

    Raises
    ------
    ValueError
        If no core runs the model, or the array or the table cannot hold it, in a sentence that
        says which layer, and what helps.
    """
    check_model(model, weight_width)
    plan = _Compiler(model, columns, lanes, shared, spike_code, weight_width).plan()
    if bus_width:
        plan = stream_weights(plan, bus_width=bus_width, half=tile_rows)
    check_fields(plan)
    return plan


@dataclass(frozen=True)
class _Destination:
    """Where a layer's results go.

    ``record`` holds the fields that say so, ``out`` the address of each tile's first result,
    ``target`` the map in the spike memory, ``stream`` the name of the stream that is written, whose
    first channel is read at ``residual``.
    """

    stores: str
    record: dict
    out: tuple
    target: SpikeMap | None = None
    stream: str | None = None
    residual: int = 0


class _Compiler:
    """Layer by layer; each method places what one kind of layer needs."""

    def __init__(self, model, columns, lanes, shared, spike_code, weight_width):
        check_array(columns, lanes, shared, model.image_shape[2] + (model.pixel_constant > 0))
        self.model, self.columns, self.lanes, self.code = model, columns, lanes, spike_code
        self.shared, self.groups = shared, columns // shared
        self.weight_width = weight_width or max(
            layer.weight_bits for layer in model.layers if isinstance(layer, Conv))
        self.planes = plane_count(spike_code, model.max_count)
        self.passes = passes(spike_code, model.max_count)
        self.pixel_passes = pixel_passes(spike_code)
        self.shapes, self.ranges = shapes(model), analyse(model)
        self.last = last_readers(model)
        self.values, self.fused = direct_values(model), fused_sums(model)
        self.spikes, self.attention = Allocator(), Allocator()
        # A stream that is summed while it is written need not stay for that.
        self.residual = ResidualMemory(self.groups, {
            name: step for step, layer in enumerate(model.layers) if layer.name not in self.fused
            for name in sources(layer)})
        self.maps, self.value_rows, self.attention_rows = {}, {}, {}
        self.rows, self.n_rows = [], 0
        self.neurons, self.windows = NeuronTable(model.max_count), WindowTable()
        # Two, so that an address has a bit.
        self.sum_depth = 2
        self.last_of_pixels = [layer for layer in model.layers
                               if getattr(layer, "source", None) == PIXELS][-1]
        self.planned = []

    def plan(self):
        channels, height, width = self.shapes[PIXELS]
        self.maps[PIXELS] = SpikeMap(0, PIXEL_PLANES, 1, height * width,
                                     contiguous(channels, self.lanes), PIXELS)
        for step, layer in enumerate(self.model.layers):
            match layer:
                case Conv():
                    self._conv(step, layer)
                case KeyValue():
                    self._key_value(step, layer)
                case Query():
                    self._query(step, layer)
                case TokenSum():
                    self._token_sum(step, layer)
        rows = np.concatenate(self.rows).astype(np.int8)
        needed = needed_capacities(
            self.model, self.planned, columns=self.columns, lanes=self.lanes, shared=self.shared,
            spike_code=self.code, weight_width=self.weight_width, weight_depth=self.n_rows,
            neuron_depth=len(self.neurons.records), window_depth=len(self.windows.records),
            pixel_depth=self.maps[PIXELS].size, spike_depth=max(1, self.spikes.depth),
            stream_depth=self.residual.depth, branches=int(self.residual.branches),
            attention_depth=max(1, self.attention.depth), sum_depth=self.sum_depth,
            digits=max([rows.digits for rows in self.attention_rows.values()], default=1))
        return Plan(self.model, needed, tuple(self.planned), self.maps, rows, self.neurons.records,
                    self.windows.records, self.windows.bases)

    def _add(self, planned):
        self.planned.append(planned)
        self.windows.place(planned.lines)
        self.windows.place(planned.positions)

    def _conv(self, step, layer):
        """Plans a convolution of the model."""
        channels = self._layout(layer)
        source = self.maps[layer.source]
        # A lane of a depthwise layer reads the channel that it computes.
        if layer.depthwise and not np.array_equal(source.channels, channels):
            source = self._copied(step, layer, layer.source, "source", channels)
        _, *size = self.shapes.get(counts_name(layer), (0, 1, 1))
        self._convolve(layer, source, channels, size,
                       self._destination(step, layer, channels, int(np.prod(size))))

    def _layout(self, layer):
        """Channels of the words that a convolution stores."""
        n_channels = len(layer.weight)
        match layer.drain:
            case Logits():
                return in_class_order(n_channels, self.lanes)
            case Write():
                # As all versions of a stream.
                return contiguous(n_channels, self.lanes)
        heads = self.values.get(counts_name(layer))
        if heads:
            return by_head(n_channels, heads, self.lanes)
        return (self.maps[layer.source].channels if layer.depthwise
                else contiguous(n_channels, self.lanes))

    def _destination(self, step, layer, channels, positions):
        """Where a convolution's results go."""
        name, stream = counts_name(layer), stream_name(layer)
        match layer.drain:
            case Logits():
                return _Destination(LOGITS, {"drain": Drain.LOGITS, "restart": 1, "out_step": 0},
                                    (0,) * len(channels))
            case Write(previous=previous):
                read, written = self.residual.write(layer, step=step, positions=positions,
                                                    words=channels.size)
                record = {"stream": 1, "first": int(previous is None), "restart": 1,
                          "stream_step": written.step}
                if written.base != read.base:
                    record["stream_move"] = written.base - read.base
                if stream in self.fused.values():
                    where = self._sums(stream, channels)
                else:
                    where = self._spikes(name, name, channels, positions, step=step)
                return replace(where, record=where.record | record, stream=stream,
                               residual=read.base)
        if name in self.values:
            return self._values(name, channels, positions, step=step, last=self.last[name])
        return self._spikes(name, name, channels, positions, step=step)

    def _spikes(self, key, tensor, channels, positions, *, step, last=None):
        """A place in the spike memory."""
        last = self.last.get(tensor, step) if last is None else last
        base = self.spikes.place(len(channels) * positions, step=step, last=last)
        self.maps[key] = SpikeMap(base, self.planes, len(channels), positions, channels, tensor)
        return _Destination(tensor, {"drain": Drain.SPIKES, "out_step": len(channels)},
                            tuple(base + tile for tile in range(len(channels))), self.maps[key])

    def _values(self, tensor, channels, positions, *, step, last):
        """A place in the attention memory, for rows that are added where keys spike."""
        base = self.attention.place(len(channels) * positions, step=step, last=last)
        self.value_rows[tensor] = base
        return _Destination(tensor, {"drain": Drain.VALUES},
                            tuple(base + tile * positions for tile in range(len(channels))))

    def _sums(self, stream, channels):
        """The sum memory."""
        self.sum_depth = max(self.sum_depth, channels.size)
        return _Destination(stream, {"drain": Drain.SUMS, "out_step": 0},
                            tuple(tile * self.lanes for tile in range(len(channels))))

    def _copied(self, step, reader, tensor, role, channels, *, values=False):
        """A copy of counts in another layout, or as rows of values, for one layer that reads them.

        Returns the map; None of values.
        """
        source = self.maps[tensor]
        if tensor == PIXELS:
            raise ValueError(f"Layer {reader.name}: a depthwise head must read counts, not pixels: "
                             "put a layer that fires in front of it")
        n_channels, *size = self.shapes[tensor]
        layer = copy_of(tensor, n_channels, self.model.max_count, name=f"{reader.name} ({role})")
        if values:
            where = self._values(tensor, channels, source.positions, step=step, last=step)
        else:
            where = self._spikes(layer.name, tensor, channels, source.positions, step=step,
                                 last=step)
        self._convolve(layer, source, channels, size, where)
        return where.target

    def _convolve(self, layer, source, channels, out_size, where):
        """Adds what computes a convolution or a copy."""
        kernel = layer.weight.shape[2]
        _, *size = self.shapes[layer.source]
        weight = np.zeros((len(layer.weight) + 1, layer.weight.shape[1] + 1, kernel, kernel),
                          np.int8)
        weight[:-1, :-1] = layer.weight
        if layer.depthwise:
            rows = weight[channels, 0].transpose(0, 2, 3, 1)
        else:
            rows = weight[channels][:, :, source.channels].transpose(0, 4, 5, 2, 3, 1)
        rows = rows.reshape(len(channels), -1, self.lanes)
        row_step = 1 if layer.depthwise else self.lanes
        # Of a depthwise layer, the next word of a line is the next position's.
        words, word_stride = (1, source.words) if layer.depthwise else (source.words, 1)
        lines, positions = conv_windows(
            layer, size=size, out_size=out_size, words=words, stride=source.words,
            word_stride=word_stride, row_step=row_step, tap_rows=rows.shape[1] // kernel**2)

        record = self._record(source, layer, row_step=row_step, word_stride=word_stride,
                              line_stride=size[1] * source.words) | where.record
        neurons = self.neurons.place(layer, channels)
        tiles = tuple(self._tile(
            channels[tile], spike=source.base + (tile if layer.depthwise else 0),
            row=self.n_rows + tile * rows.shape[1], words=0, out=where.out[tile],
            neuron=neurons[tile],
            stream=where.residual + tile * self.lanes if where.stream else 0)
            for tile in range(len(channels)))
        self.rows.append(rows.reshape(-1, self.lanes))
        self.n_rows += rows.shape[0] * rows.shape[1]
        self._add(LayerPlan(layer, record, tiles, lines, positions, (), channels, source,
                            where.stores, where.target, where.stream,
                            rows_per_tile=rows.shape[1]))

    def _record(self, source, layer, *, word_stride, line_stride, row_step):
        """Fields that follow from what a layer reads."""
        pixels = source is self.maps[PIXELS]
        fours = not pixels and self._fours_first(layer, source)
        n_passes = len(self.pixel_passes if pixels else self.passes) + fours
        return {
            "token_sum": 0,
            "stream": 0,
            "first": 0,
            "shift": getattr(getattr(layer, "drain", None), "shift", 0),
            "depthwise": int(isinstance(layer, Conv) and layer.depthwise),
            "attention_rows": int(isinstance(layer, KeyValue | Query)),
            "gather": int(isinstance(layer, KeyValue)),
            "double": int(n_passes > 1 and (pixels or self.code is not SpikeCode.THERMOMETER)),
            "pixels": int(pixels),
            "releases": int(pixels and layer is self.last_of_pixels),
            "passes": n_passes - 1,
            "fours": int(fours),
            "line_stride": line_stride,
            "word_stride": word_stride,
            "row_step": row_step,
            "digits": 0,
            "digit_stride": 0,
            "out_digits": 0,
            "out_stride": 0,
            "out_step": 1,
            "stream_step": 0,
            "restart": 0,
        }

    def _fours_first(self, layer, source):
        """Whether a layer takes the plane of fours in a pass of its own."""
        if not isinstance(layer, Conv) or layer.depthwise:
            return False
        return fours_pay(self.code, self.model.max_count, self.model.mean_count(layer.source),
                         layer.weight.shape[1] / source.words)

    def _tile(self, channels, *, first_mask=None, last_mask=None, **fields):
        ones = (1 << self.lanes) - 1
        return fields | {
            "first_mask": ones if first_mask is None else first_mask,
            "last_mask": ones if last_mask is None else last_mask,
            "lanes": int((channels >= 0).sum()),
        }

    def _in_order(self, step, layer, tensor, role):
        """The map of counts whose channels lie in order, as attention reads them."""
        channels = contiguous(self.shapes[tensor][0], self.lanes)
        if tensor in self.maps and np.array_equal(self.maps[tensor].channels, channels):
            return self.maps[tensor]
        return self._copied(step, layer, tensor, role, channels)

    def _key_value(self, step, layer):
        heads, dk, dv = self.shapes[layer.name]
        source = self._in_order(step, layer, layer.keys, "keys")
        channels = by_head(heads * dv, heads, self.lanes)
        if layer.values not in self.values:
            self._copied(step, layer, layer.values, "values", channels, values=True)
        width = kv_width(self.ranges.kv[layer.name][1])
        digits = -(-width // bits_for(self.model.max_count))
        base = self.attention.place(digits * len(channels) * dk, step=step,
                                    last=self.last.get(layer.name, step))
        rows = AttentionRows(
            lanes=self.lanes, tiles=len(channels), heads=heads, dk=dk, tokens=source.positions,
            digits=digits, values=self.value_rows[layer.values], base=base)
        self.attention_rows[layer.name] = rows

        record = self._record(source, layer, word_stride=source.words, line_stride=0, row_step=1)
        record |= {"drain": Drain.KEY_VALUES, "out_digits": rows.digits - 1,
                   "out_stride": rows.rows}
        # Attention rows have no bias; one tile of neurons serves all.
        neuron, = self.neurons.place(layer, np.full((1, self.lanes), -1))
        tiles = tuple(self._tile(channels[tile], neuron=neuron, stream=0,
                                 **rows.gather_tile(tile, source.base))
                      for tile in range(len(channels)))
        self._add(LayerPlan(layer, record, tiles, LINE, rows.gather(source.words), (), channels,
                            source, layer.name))

    def _query(self, step, layer):
        source, rows = (self._in_order(step, layer, layer.queries, "queries"),
                        self.attention_rows[layer.key_values])
        heads, _, dv = self.shapes[layer.key_values]
        channels = by_head(heads * dv, heads, self.lanes)
        name = counts_name(layer)
        where = self._spikes(name, name, channels, source.positions, step=step)

        record = self._record(source, layer, word_stride=1, line_stride=0, row_step=self.lanes)
        record |= where.record | {"digits": rows.digits - 1, "digit_stride": -rows.rows}
        neurons = self.neurons.place(layer, channels)
        tiles = tuple(self._tile(channels[tile], out=where.out[tile], neuron=neurons[tile],
                                 stream=0, **rows.query_tile(tile, source.base))
                      for tile in range(len(channels)))
        self._add(LayerPlan(layer, record, tiles, LINE, rows.query(source.words, source.positions),
                            (), channels, source, name, where.target))

    def _token_sum(self, step, layer):
        n_channels, *size = self.shapes[layer.source]
        channels = contiguous(n_channels, self.lanes)
        if layer.name not in self.fused:
            self._sum(layer, channels, size)
        low, high = self.ranges.potential[layer.name]
        thresholds = saturate(layer.drain.neuron.thresholds, low.min(keepdims=True),
                              high.max(keepdims=True))
        name = counts_name(layer)
        where = self._spikes(name, name, channels, 1, step=step)
        record = {"token_sum": 1, "drain": Drain.SPIKES, "tiles": len(channels),
                  "out_step": where.out[0]}
        self._add(LayerPlan(layer, record, (), (), (), tuple(map(int, thresholds[0])), channels,
                            None, name, where.target))

    def _sum(self, layer, channels, size):
        """Adds what sums a stream that was written before: jobs without spikes, which write back
        what they read.
        """
        version = self.residual.versions[layer.source]
        where = self._sums(layer.source, channels)
        # Any word will do, since the masks are empty.
        source = self.maps[layer.source.removesuffix(".stream") + ".counts"]
        record = self._record(source, layer, word_stride=0, line_stride=0, row_step=0)
        record |= where.record | {"stream": 1, "restart": 1, "stream_step": version.step,
                                  "passes": 0, "double": 0}
        neuron, = self.neurons.place(layer, np.full((1, self.lanes), -1))
        tiles = tuple(self._tile(channels[tile], first_mask=0, last_mask=0, spike=source.base,
                                 row=0, words=0, out=where.out[tile], neuron=neuron,
                                 stream=version.base + tile * self.lanes)
                      for tile in range(len(channels)))
        lines, positions = ((Window(0, 0, 0, 0, 0),) * length for length in size)
        self._add(LayerPlan(replace(layer, name=f"{layer.name} (tokens)"), record, tiles, lines,
                            positions, (), channels, source, layer.source,
                            stream=layer.source))

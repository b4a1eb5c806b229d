"""The compiler: lays a model out for an array of columns and lanes.

It decides where tensors, weights and thresholds lie, and writes the table of layers, tiles and
windows that the sequencer runs. Everything irregular about a network ends here.
"""

from dataclasses import replace

import numpy as np
from amaranth.utils import bits_for

from golden import PIXELS, Conv, KeyValue, Logits, Query, TokenSum, Write
from golden.ranges import analyse, kv_width, saturate
from golden.shapes import counts_name, shapes

from .attention_rows import LINE, AttentionRows
from .capacities import check_array
from .copies import copy_of
from .external_image import stream_weights
from .layer_record import layer_record, tile_record
from .layouts import by_head, contiguous, in_class_order
from .limits import check_fields, check_model
from .needs import needed_capacities
from .passes import PIXEL_PLANES
from .placement import Placement
from .plan import LayerPlan, Plan, SpikeMap, Window
from .readers import direct_values
from .records import Drain
from .tables import NeuronTable, WindowTable
from .token_sums import sum_ends
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


class _Compiler:
    """Layer by layer; each method plans one kind of layer."""

    def __init__(self, model, columns, lanes, shared, spike_code, weight_width):
        check_array(columns, lanes, shared, model.image_shape[2] + (model.pixel_constant > 0))
        self.model, self.columns, self.lanes, self.code = model, columns, lanes, spike_code
        self.shared = shared
        self.weight_width = weight_width or max(
            layer.weight_bits for layer in model.layers if isinstance(layer, Conv))
        self.shapes, self.ranges = shapes(model), analyse(model)
        self.values = direct_values(model)
        self.places = Placement(model, lanes=lanes, groups=columns // shared, code=spike_code)
        self.maps, self.attention_rows = self.places.maps, {}
        self.rows, self.n_rows = [], 0
        self.neurons, self.windows = NeuronTable(model.max_count), WindowTable()
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
        rows, places = np.concatenate(self.rows).astype(np.int8), self.places
        needed = needed_capacities(
            self.model, self.planned, columns=self.columns, lanes=self.lanes, shared=self.shared,
            spike_code=self.code, weight_width=self.weight_width, weight_depth=self.n_rows,
            neuron_depth=len(self.neurons.records), window_depth=len(self.windows.records),
            pixel_depth=self.maps[PIXELS].size, spike_depth=max(1, places.spikes.depth),
            stream_depth=places.residual.depth, branches=int(places.residual.branches),
            attention_depth=max(1, places.attention.depth), sum_depth=places.sum_depth,
            digits=max([rows.digits for rows in self.attention_rows.values()], default=1))
        return Plan(self.model, needed, tuple(self.planned), self.maps, rows, self.neurons.records,
                    self.windows.records, self.windows.bases)

    def _add(self, planned):
        self.planned.append(planned)
        self.windows.place(planned.lines)
        self.windows.place(planned.positions)

    def _conv(self, step, layer):
        """Plans a convolution of the model."""
        name, places = counts_name(layer), self.places
        channels, source = self._layout(layer), self.maps[layer.source]
        # A lane of a depthwise layer reads the channel that it computes.
        if layer.depthwise and not np.array_equal(source.channels, channels):
            source = self._copied(step, layer, "source", layer.source, channels)
        _, *size = self.shapes.get(name, (0, 1, 1))
        positions = int(np.prod(size))
        match layer.drain:
            case Logits():
                where = places.in_logits(channels)
            case Write():
                where = places.in_stream(layer, channels, positions, step=step)
            case _:
                place = places.in_values if name in self.values else places.in_spikes
                where = place(name, channels, positions, step=step, last=places.last(name, step))
        self._convolve(layer, source, channels, size, where)

    def _layout(self, layer):
        """Channels of the words that a convolution stores."""
        n_channels = len(layer.weight)
        match layer.drain:
            case Logits():
                return in_class_order(n_channels, self.lanes)
            case Write():
                # As all versions of a stream.
                return contiguous(n_channels, self.lanes)
        if counts_name(layer) in self.values:
            return by_head(n_channels, self.values[counts_name(layer)], self.lanes)
        return (self.maps[layer.source].channels if layer.depthwise
                else contiguous(n_channels, self.lanes))

    def _copied(self, step, reader, role, tensor, channels, *, values=False):
        """A copy of counts in another layout, or as rows of values, for one layer that reads them.

        Returns the map; None of values.
        """
        if tensor == PIXELS:
            raise ValueError(f"Layer {reader.name}: a depthwise head must read counts, not pixels: "
                             "put a layer that fires in front of it")
        source, (n_channels, *size) = self.maps[tensor], self.shapes[tensor]
        layer = copy_of(tensor, n_channels, self.model.max_count, name=f"{reader.name} ({role})")
        # It is read at this step alone.
        if values:
            where = self.places.in_values(tensor, channels, source.positions, step=step, last=step)
        else:
            where = self.places.in_spikes(tensor, channels, source.positions, step=step, last=step,
                                          copy=layer.name)
        self._convolve(layer, source, channels, size, where)
        return where.target

    def _convolve(self, layer, source, channels, out_size, where):
        """Adds what computes a convolution or a copy."""
        kernel = layer.weight.shape[2]
        _, *size = self.shapes[layer.source]
        rows = self._weight_rows(layer, source, channels)
        row_step = 1 if layer.depthwise else self.lanes
        # Of a depthwise layer, the next word of a line is the next position's.
        words, word_stride = (1, source.words) if layer.depthwise else (source.words, 1)
        lines, positions = conv_windows(
            layer, size=size, out_size=out_size, words=words, stride=source.words,
            word_stride=word_stride, row_step=row_step, tap_rows=rows.shape[1] // kernel**2)
        record = self._record(source, layer, row_step=row_step, word_stride=word_stride,
                              line_stride=size[1] * source.words)
        neurons = self.neurons.place(layer, channels)
        tiles = tuple(tile_record(
            channels[tile], spike=source.base + (tile if layer.depthwise else 0),
            row=self.n_rows + tile * rows.shape[1], words=0, out=where.out[tile],
            neuron=neurons[tile],
            stream=where.residual + tile * self.lanes if where.stream else 0)
            for tile in range(len(channels)))
        self.rows.append(rows.reshape(-1, self.lanes))
        self.n_rows += rows.shape[0] * rows.shape[1]
        self._add(LayerPlan(layer, record | where.record, tiles, lines, positions, (), channels,
                            source, where.stores, where.target, where.stream,
                            rows_per_tile=rows.shape[1]))

    def _weight_rows(self, layer, source, channels):
        """Rows of the weight memory, tap by tap; shape (tiles, rows, lanes)."""
        outputs, inputs, *kernel = layer.weight.shape
        # One more channel on both sides, which is 0, serves lanes that have none.
        weight = np.zeros((outputs + 1, inputs + 1, *kernel), np.int8)
        weight[:-1, :-1] = layer.weight
        if layer.depthwise:
            rows = weight[channels, 0].transpose(0, 2, 3, 1)
        else:
            rows = weight[channels][:, :, source.channels].transpose(0, 4, 5, 2, 3, 1)
        return rows.reshape(len(channels), -1, self.lanes)

    def _record(self, source, layer, **strides):
        return layer_record(self.model, self.code, source, layer, **strides)

    def _in_order(self, step, layer, role, tensor):
        """The map of counts whose channels lie in order, as attention reads them."""
        channels = contiguous(self.shapes[tensor][0], self.lanes)
        if tensor in self.maps and np.array_equal(self.maps[tensor].channels, channels):
            return self.maps[tensor]
        return self._copied(step, layer, role, tensor, channels)

    def _key_value(self, step, layer):
        heads, dk, dv = self.shapes[layer.name]
        source = self._in_order(step, layer, "keys", layer.keys)
        channels = by_head(heads * dv, heads, self.lanes)
        if layer.values not in self.values:
            self._copied(step, layer, "values", layer.values, channels, values=True)
        width = kv_width(self.ranges.kv[layer.name][1])
        digits = -(-width // bits_for(self.model.max_count))
        base = self.places.attention.place(digits * len(channels) * dk, step=step,
                                           last=self.places.last(layer.name, step))
        rows = AttentionRows(
            lanes=self.lanes, tiles=len(channels), heads=heads, dk=dk, tokens=source.positions,
            digits=digits, values=self.places.value_rows[layer.values], base=base)
        self.attention_rows[layer.name] = rows

        record = self._record(source, layer, word_stride=source.words, line_stride=0, row_step=1)
        record |= {"drain": Drain.KEY_VALUES, "out_digits": rows.digits - 1,
                   "out_stride": rows.rows}
        neuron = self._silent_neurons(layer)
        tiles = tuple(tile_record(channels[tile], neuron=neuron, stream=0,
                                  **rows.gather_tile(tile, source.base))
                      for tile in range(len(channels)))
        self._add(LayerPlan(layer, record, tiles, LINE, rows.gather(source.words), (), channels,
                            source, layer.name))

    def _silent_neurons(self, layer):
        """Address of one tile of neurons without a bias, which serves all tiles."""
        neuron, = self.neurons.place(layer, np.full((1, self.lanes), -1))
        return neuron

    def _query(self, step, layer):
        source = self._in_order(step, layer, "queries", layer.queries)
        rows, name = self.attention_rows[layer.key_values], counts_name(layer)
        heads, _, dv = self.shapes[layer.key_values]
        channels = by_head(heads * dv, heads, self.lanes)
        where = self.places.in_spikes(name, channels, source.positions, step=step,
                                      last=self.places.last(name, step))

        record = self._record(source, layer, word_stride=1, line_stride=0, row_step=self.lanes)
        record |= where.record | {"digits": rows.digits - 1, "digit_stride": -rows.rows}
        neurons = self.neurons.place(layer, channels)
        tiles = tuple(tile_record(channels[tile], out=where.out[tile], neuron=neurons[tile],
                                  stream=0, **rows.query_tile(tile, source.base))
                      for tile in range(len(channels)))
        self._add(LayerPlan(layer, record, tiles, LINE, rows.query(source.words, source.positions),
                            (), channels, source, name, where.target))

    def _token_sum(self, step, layer):
        n_channels, *size = self.shapes[layer.source]
        channels, name = contiguous(n_channels, self.lanes), counts_name(layer)
        if layer.name not in self.places.fused:
            self._sum(layer, channels, size)
        thresholds = saturate(layer.drain.neuron.thresholds,
                              *sum_ends(self.ranges.potential[layer.name]))
        where = self.places.in_spikes(name, channels, 1, step=step,
                                      last=self.places.last(name, step))
        record = {"token_sum": 1, "drain": Drain.SPIKES, "tiles": len(channels),
                  "out_step": where.out[0]}
        self._add(LayerPlan(layer, record, (), (), (), tuple(map(int, thresholds[0])), channels,
                            None, name, where.target))

    def _sum(self, layer, channels, size):
        """Adds jobs without spikes, which sum a stream and write back what they read of it."""
        version = self.places.residual.versions[layer.source]
        where = self.places.in_sums(layer.source, channels)
        # Any word will do, since the masks are empty.
        source = self.maps[layer.source.removesuffix(".stream") + ".counts"]
        record = self._record(source, layer, word_stride=0, line_stride=0, row_step=0)
        record |= where.record | {"stream": 1, "restart": 1, "stream_step": version.step,
                                  "passes": 0, "double": 0}
        neuron = self._silent_neurons(layer)
        tiles = tuple(tile_record(channels[tile], first_mask=0, last_mask=0, spike=source.base,
                                  row=0, words=0, out=where.out[tile], neuron=neuron,
                                  stream=version.base + tile * self.lanes)
                      for tile in range(len(channels)))
        lines, positions = ((Window(0, 0, 0, 0, 0),) * length for length in size)
        self._add(LayerPlan(replace(layer, name=f"{layer.name} (tokens)"), record, tiles, lines,
                            positions, (), channels, source, layer.source, stream=layer.source))

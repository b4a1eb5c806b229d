"""The compiler: lays a model out for an array of columns and lanes.

It decides where tensors, weights and thresholds lie, and writes the table of layers, tiles and
windows that the sequencer runs. Everything irregular about a network ends here.
"""

import numpy as np
from amaranth.utils import bits_for

from golden import PIXELS, AnalogHead, Conv, KeyValue, Logits, Query, SpikeCode, TokenSum, Write
from golden.ranges import analyse, kv_width
from golden.shapes import counts_name, last_readers, shapes, stream_name
from golden.spike import passes, plane_count

from .allocate import Allocator
from .attention_rows import LINE, AttentionRows
from .capacities import check_array
from .external_image import stream_weights
from .needs import needed_capacities
from .passes import PIXEL_PLANES, fours_pay, pixel_passes
from .plan import LayerPlan, Plan, SpikeMap
from .records import Drain
from .tables import NeuronTable, WindowTable, check_fields
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
        If the array or the table cannot hold the model, in a sentence that says which.
    """
    plan = _Compiler(model, columns, lanes, shared, spike_code, weight_width).plan()
    return stream_weights(plan, bus_width=bus_width, half=tile_rows) if bus_width else plan


class _Compiler:
    """Layer by layer; each method places what one kind of layer needs."""

    def __init__(self, model, columns, lanes, shared, spike_code, weight_width):
        check_array(columns, lanes, shared, model.image_shape[2] + (model.pixel_constant > 0))
        analog = [layer.name for layer in model.layers if isinstance(layer, AnalogHead)]
        if analog:
            raise ValueError(f"Hardware runs heads that read spikes, and {analog[0]} reads a "
                             "stream: export with --head spike")
        needed = max(layer.weight_bits for layer in model.layers if isinstance(layer, Conv))
        if weight_width is not None and weight_width < needed:
            raise ValueError(f"Weight width must be at least the model's {needed} bits, "
                             f"not {weight_width!r}")
        self.model, self.columns, self.lanes, self.code = model, columns, lanes, spike_code
        self.shared, self.groups = shared, columns // shared
        self.weight_width = weight_width or needed
        self.planes = plane_count(spike_code, model.max_count)
        self.passes = passes(spike_code, model.max_count)
        self.pixel_passes = pixel_passes(spike_code)
        self.shapes = shapes(model)
        self.values = {layer.values: layer.heads for layer in model.layers
                       if isinstance(layer, KeyValue)}
        self.summed = {layer.source for layer in model.layers if isinstance(layer, TokenSum)}
        self.allocator = Allocator(last_readers(model))
        self.maps = {}
        self.rows, self.n_rows = [], 0
        self.neurons, self.windows = NeuronTable(model.max_count), WindowTable()
        self.stream_depth, self.sum_depth = 1, 1
        self.attention = {}
        self.kv_ranges = analyse(model).kv
        self.last_of_pixels = [layer for layer in model.layers
                               if getattr(layer, "source", None) == PIXELS][-1]

    def plan(self):
        self._place_pixels()
        planned = []
        for step, layer in enumerate(self.model.layers):
            match layer:
                case Conv():
                    planned.append(self._conv(step, layer))
                case KeyValue():
                    planned.append(self._key_value(layer))
                case Query():
                    planned.append(self._query(step, layer))
                case TokenSum():
                    planned.append(self._token_sum(step, layer))
            self.windows.place(planned[-1].lines)
            self.windows.place(planned[-1].positions)
        rows = np.concatenate(self.rows).astype(np.int8)
        needed = needed_capacities(
            self.model, planned, columns=self.columns, lanes=self.lanes, shared=self.shared,
            spike_code=self.code, weight_width=self.weight_width, weight_depth=self.n_rows,
            neuron_depth=len(self.neurons.records), window_depth=len(self.windows.records),
            pixel_depth=self.maps[PIXELS].size, spike_depth=max(1, self.allocator.depth),
            stream_depth=self.stream_depth,
            attention_depth=max([rows.depth for rows in self.attention.values()], default=1),
            sum_depth=self.sum_depth,
            digits=max([rows.digits for rows in self.attention.values()], default=1))
        plan = Plan(self.model, needed, tuple(planned), self.maps, rows, self.neurons.records,
                    self.windows.records, self.windows.bases)
        check_fields(plan)
        return plan

    def _place_pixels(self):
        channels, height, width = self.shapes[PIXELS]
        self.maps[PIXELS] = SpikeMap(0, PIXEL_PLANES, 1, height * width,
                                     self._contiguous(channels))

    def _contiguous(self, n_channels):
        """Channels in order, ``lanes`` to a word."""
        n_words = -(-n_channels // self.lanes)
        channels = np.arange(n_words * self.lanes).reshape(n_words, self.lanes)
        return np.where(channels < n_channels, channels, -1)

    def _by_head(self, n_channels, heads):
        """Channels in order, every head beginning a new word."""
        per_head = self._contiguous(n_channels // heads)
        return np.concatenate([np.where(per_head < 0, -1, per_head + head * n_channels // heads)
                               for head in range(heads)])

    def _conv(self, step, layer):
        source = self.maps[layer.source]
        _, *size = self.shapes[layer.source]
        out_channels, _, kernel, _ = layer.weight.shape
        name = counts_name(layer)
        if isinstance(layer.drain, Logits):
            out_size = (1, 1)
            channels = self._contiguous(out_channels)
            # Neurons leave in descending lane order, and logits shall leave in class order.
            channels = np.array([np.roll(row[::-1], -(row < 0).sum()) for row in channels])
        else:
            _, *out_size = self.shapes[name]
            heads = self.values.get(name)
            channels = self._by_head(out_channels, heads) if heads else self._contiguous(
                out_channels)

        weight = np.zeros((out_channels + 1, layer.weight.shape[1] + 1, kernel, kernel), np.int8)
        weight[:-1, :-1] = layer.weight
        if layer.depthwise:
            rows = weight[channels, 0].transpose(0, 2, 3, 1)
        else:
            rows = weight[channels][:, :, source.channels].transpose(0, 4, 5, 2, 3, 1)
        rows = rows.reshape(len(channels), -1, self.lanes)
        row_step = 1 if layer.depthwise else self.lanes
        tap_rows = rows.shape[1] // kernel**2
        # Of a depthwise layer, the next word of a line is the next position's.
        words, word_stride = (1, source.words) if layer.depthwise else (source.words, 1)
        lines, positions = conv_windows(
            layer, size=size, out_size=out_size, words=words, stride=source.words,
            word_stride=word_stride, row_step=row_step, tap_rows=tap_rows)

        record = self._record(source, layer, row_step=row_step, word_stride=word_stride,
                              line_stride=size[1] * source.words)
        record |= self._destination(step, layer, channels, int(np.prod(out_size)))
        out = record.pop("out")
        neurons = self.neurons.place(layer, channels)
        tiles = []
        for tile in range(len(channels)):
            tiles.append(self._tile(
                channels[tile],
                spike=source.base + (tile if layer.depthwise else 0),
                row=self.n_rows + tile * rows.shape[1], words=0, out=out(tile),
                neuron=neurons[tile], stream=tile * self.lanes))
        self.rows.append(rows.reshape(-1, self.lanes))
        self.n_rows += rows.shape[0] * rows.shape[1]
        return LayerPlan(layer.name, record, tuple(tiles), lines, positions, (), channels, source,
                         rows_per_tile=rows.shape[1])

    def _record(self, source, layer, *, word_stride, line_stride, row_step):
        """Fields that follow from what a layer reads."""
        is_write = isinstance(layer, Conv) and isinstance(layer.drain, Write)
        pixels = source is self.maps[PIXELS]
        fours = not pixels and self._fours_first(layer, source)
        n_passes = len(self.pixel_passes if pixels else self.passes) + fours
        return {
            "token_sum": 0,
            "stream": int(is_write),
            "first": int(is_write and layer.drain.previous is None),
            "shift": getattr(getattr(layer, "drain", None), "shift", 0),
            "depthwise": int(isinstance(layer, Conv) and layer.depthwise),
            "attention_rows": int(not isinstance(layer, Conv)),
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
            "restart": int(is_write),
        }

    def _fours_first(self, layer, source):
        """Whether a layer takes the plane of fours in a pass of its own."""
        if not isinstance(layer, Conv) or layer.depthwise:
            return False
        return fours_pay(self.code, self.model.max_count, self.model.mean_count(layer.source),
                         layer.weight.shape[1] / source.words)

    def _destination(self, step, layer, channels, n_positions):
        """Fields that follow from what a convolution stores, and ``out`` per tile."""
        name = counts_name(layer)
        n_words = len(channels)
        fields = {}
        if isinstance(layer.drain, Write):
            fields["stream_step"] = n_words * self.lanes
            depth = -(-n_positions // self.groups) * n_words * self.lanes
            self.stream_depth = max(self.stream_depth, depth)
        if isinstance(layer.drain, Logits):
            return fields | {"drain": Drain.LOGITS, "restart": 1, "out_step": 0,
                             "out": lambda tile: 0}
        if stream_name(layer) in self.summed:
            self._refuse_readers(name, "be summed over tokens and also be read as counts")
            self.sum_depth = max(self.sum_depth, n_words * self.lanes)
            return fields | {"drain": Drain.SUMS, "out_step": 0,
                             "out": lambda tile: tile * self.lanes}
        if name in self.values:
            return fields | {"drain": Drain.VALUES, "out": lambda tile: tile * n_positions}
        placed = self._place(step, name, n_words, n_positions, channels)
        return fields | {"drain": Drain.SPIKES, "out_step": placed.words,
                         "out": lambda tile: placed.base + tile}

    def _refuse_readers(self, name, what):
        for layer in self.model.layers:
            if getattr(layer, "source", None) == name:
                raise ValueError(f"Layer {layer.name}: {name} must not {what}")

    def _place(self, step, name, n_words, n_positions, channels):
        base = self.allocator.place(name, n_words * n_positions, step)
        self.maps[name] = SpikeMap(base, self.planes, n_words, n_positions, channels)
        return self.maps[name]

    def _tile(self, channels, *, first_mask=None, last_mask=None, **fields):
        ones = (1 << self.lanes) - 1
        return fields | {
            "first_mask": ones if first_mask is None else first_mask,
            "last_mask": ones if last_mask is None else last_mask,
            "lanes": int((channels >= 0).sum()),
        }

    def _key_value(self, layer):
        source = self.maps[layer.keys]
        heads, dk, dv = self.shapes[layer.name]
        channels = self._by_head(heads * dv, heads)
        width = kv_width(self.kv_ranges[layer.name][1])
        rows = AttentionRows(
            lanes=self.lanes, tiles=len(channels), heads=heads, dk=dk, tokens=source.positions,
            digits=-(-width // bits_for(self.model.max_count)))
        self.attention[layer.name] = rows

        record = self._record(source, layer, word_stride=source.words, line_stride=0, row_step=1)
        record |= {"drain": Drain.KEY_VALUES, "out_digits": rows.digits - 1,
                   "out_stride": rows.rows}
        # Attention rows have no bias; one tile of neurons serves all.
        neuron, = self.neurons.place(layer, np.full((1, self.lanes), -1))
        tiles = [self._tile(channels[tile], neuron=neuron, stream=0,
                            **rows.gather_tile(tile, source.base))
                 for tile in range(len(channels))]
        return LayerPlan(layer.name, record, tuple(tiles), LINE, rows.gather(source.words), (),
                         channels, source)

    def _query(self, step, layer):
        source, rows = self.maps[layer.queries], self.attention[layer.key_values]
        heads, _, dv = self.shapes[layer.key_values]
        channels = self._by_head(heads * dv, heads)
        placed = self._place(step, counts_name(layer), len(channels), rows.tokens, channels)

        record = self._record(source, layer, word_stride=1, line_stride=0, row_step=self.lanes)
        record |= {"drain": Drain.SPIKES, "out_step": placed.words, "digits": rows.digits - 1,
                   "digit_stride": -rows.rows}
        neurons = self.neurons.place(layer, channels)
        tiles = [self._tile(channels[tile], out=placed.base + tile, neuron=neurons[tile], stream=0,
                            **rows.query_tile(tile, source.base))
                 for tile in range(len(channels))]
        return LayerPlan(layer.name, record, tuple(tiles), LINE, rows.query(source.words), (),
                         channels, source)

    def _token_sum(self, step, layer):
        thresholds = layer.drain.neuron.thresholds
        if len(thresholds) > 1:
            raise ValueError(f"Layer {layer.name}: thresholds of a token sum must serve all "
                             "channels")
        channels = self._contiguous(self.shapes[counts_name(layer)][0])
        placed = self._place(step, counts_name(layer), len(channels), 1, channels)
        record = {"token_sum": 1, "drain": Drain.SPIKES, "tiles": placed.words,
                  "out_step": placed.base}
        return LayerPlan(layer.name, record, (), (), (), tuple(map(int, thresholds[0])),
                         channels, None)

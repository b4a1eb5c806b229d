"""What the layouts of a model's layers share: where everything lies so far."""

from dataclasses import replace

import numpy as np

from golden import PIXELS
from golden.model.ranges import analyse
from golden.model.shapes import shapes

from ..isa.core_config import check_array, check_spike_code
from ..isa.descriptors import ROWS
from ..isa.passes import PIXEL_PLANES
from ..isa.plan import Plan, SpikeMap
from .layer_descriptor import batch_fields, layer_descriptor
from .layouts.readers import direct_values, fused_sums
from .orders import contiguous
from .placement import Placement
from .required_config import required_config
from .tables import NeuronTable, TapWindowTable


__all__ = ["Context"]


class Context:
    """A model on its way to a plan, layer by layer.

    Parameters
    ----------
    model : IntegerModel
    columns, lanes : int
    code : SpikeCode
    weight_width : int
    spike_bases : sequence of int
        Where the maps of the spike memory lie, if that is known.

    Attributes
    ----------
    shapes : dict of str to tuple of int
        Of all tensors.
    ranges : Ranges
    values : dict of str to int
        What `direct_values` says.
    places : Placement
    maps : dict of str to SpikeMap
    attention_rows : dict of str to AttentionRows
        By the name of the memory.
    neurons : NeuronTable
    """

    def __init__(self, model, *, columns, lanes, code, weight_width, spike_bases=()):
        check_array(columns, lanes, model.image_shape[2] + (model.pixel_constant > 0))
        check_spike_code(code)
        self.model, self.columns, self.lanes, self.code = model, columns, lanes, code
        self._array = {
            "columns": columns,
            "lanes": lanes,
            "spike_code": code,
            "weight_width": weight_width,
        }
        self.shapes, self.ranges = shapes(model), analyse(model)
        self.values = direct_values(model)
        self.places = Placement(
            model,
            lanes=lanes,
            columns=columns,
            code=code,
            fused=fused_sums(model),
            spike_bases=spike_bases,
        )
        self.maps, self.attention_rows = self.places.maps, {}
        self.neurons, self._windows = NeuronTable(model.max_count), TapWindowTable()
        self._rows, self._planned, self._formed = [], [], {}
        self.n_rows = 0
        channels, height, width = self.shapes[PIXELS]
        self.maps[PIXELS] = SpikeMap(
            0, PIXEL_PLANES, 1, height * width, contiguous(channels, lanes), PIXELS, pitch=1
        )

    def add(self, planned, rows=(), positions=()):
        """Adds what the array does for one layer.

        Parameters
        ----------
        planned : LayerPlan
            Without what follows from its tap windows.
        rows : tuple of TapRow, or list of them
            Of all tiles, or of each.
        positions : tuple of TapPosition
        """
        if planned.tiles:
            runs = rows if isinstance(rows, list) else [rows] * len(planned.tiles)
            descriptor = planned.descriptor | batch_fields(
                planned.descriptor["out_step"], planned.size, self.columns
            )
            descriptor["position_base"] = self._windows.place(positions)
            batches = descriptor["batches"] + 1
            tiles = tuple(
                tile
                | {
                    "tap_rows": len(run) // batches - 1,
                    "tap_row_base": self._windows.place(run),
                }
                for tile, run in zip(planned.tiles, runs, strict=True)
            )
            planned = replace(planned, descriptor=descriptor, tiles=tiles)
        self._planned.append(planned)

    def form(self, name, made):
        """Adds a map that the model does not have, a `FormedMap`."""
        self.shapes = self.shapes | {name: made.shape}
        self._formed[name] = made

    def add_rows(self, rows):
        """Adds rows of weights, shape (rows, lanes); returns the address of the first one."""
        first = self.n_rows
        self._rows.append(rows)
        self.n_rows += len(rows)
        return first

    def descriptor(self, source, **fields):
        """Descriptor of a layer that reads a map, see `layer_descriptor`."""
        return layer_descriptor(self.model, self.code, source, **fields)

    def silent_neurons(self, layer):
        """Address of one tile of neurons without a bias, which serves all tiles."""
        (neuron,) = self.neurons.place(layer, np.full((1, self.lanes), -1))
        return neuron

    def plan(self):
        """The plan of all layers that were added."""
        places = self.places
        required = required_config(
            self.model,
            self._planned,
            **self._array,
            # Tiles are placed in the end.
            tile_rows=ROWS,
            second_tile_rows=ROWS,
            weight_depth=self.n_rows,
            neuron_depth=self.neurons.depth,
            window_depth=len(self._windows.words),
            pixel_depth=self.maps[PIXELS].size,
            spike_depth=max(1, places.spikes.depth),
            residual_depth=places.residual.depth,
            branches=int(places.residual.branches),
            attention_depth=max(places.values.depth, places.key_values.depth),
            sum_depth=places.sum_depth,
            digits=max([rows.digits for rows in self.attention_rows.values()], default=1),
        )
        return Plan(
            self.model,
            required,
            tuple(self._planned),
            self.maps,
            np.concatenate(self._rows),
            self.neurons.neurons,
            self._windows.words,
            self._formed,
        )

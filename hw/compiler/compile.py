"""The compiler: lays a model out for an array of columns and lanes.

It decides where tensors, weights and thresholds lie, and writes the table of layers, tiles and
tap windows that the sequencer runs. Everything irregular about a network ends here.
"""

import golden

from .context import Context
from .layouts import LAYOUTS
from .limits import check_fields, check_model
from .place_tiles import place_tiles


__all__ = ["compile_model"]


def compile_model(
    model,
    *,
    columns,
    lanes,
    spike_code,
    weight_width=None,
    bus_width=0,
    tile_depths=None,
):
    """Lays out ``model`` for ``columns`` columns of ``lanes`` lanes.

    Parameters
    ----------
    model : IntegerModel
    columns, lanes : int
    spike_code : SpikeCode or str
    weight_width : int or None
        Bits of a weight in memory; what the model needs, if not given.
    bus_width : int
        Data bits of the bus to an external memory that holds the weights; 0 for weights on chip.
    tile_depths : (int, int) or None
        Rows of a tile in each place of the columns' buffers; what the model needs, if not given.

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
    array = {
        "columns": columns,
        "lanes": lanes,
        "code": golden.SpikeCode(spike_code),
        "weight_width": weight_width
        or max(layer.weight_bits for layer in model.layers if hasattr(layer, "weight_bits")),
    }
    context = _lay_out(model, **array)
    # Where the maps of the spike memory had best lie is known when all of them are.
    if bases := context.places.spikes.arranged():
        context = _lay_out(model, **array, spike_bases=bases)
    plan = place_tiles(context.plan(), bus_width=bus_width, tile_depths=tile_depths)
    check_fields(plan)
    return plan


def _lay_out(model, **options):
    """Lays out layer after layer."""
    context = Context(model, **options)
    for step, layer in enumerate(model.layers):
        LAYOUTS[type(layer)].lay_out(context, step, layer)
    return context

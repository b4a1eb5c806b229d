"""Tiles in buffers: where each tile's weights and neurons lie while columns read them."""

from dataclasses import replace

from ..isa.core_config import CoreConfig
from ..isa.descriptors import NEURON_TILES, WEIGHT_TILES
from ..isa.plan import Fill
from .required_config import with_program


__all__ = ["place_tiles"]


def place_tiles(plan, *, bus_width, tile_rows=None):
    """The plan whose columns read tiles from buffers, which are filled in the tiles' order.

    Parameters
    ----------
    plan : Plan
        Its tile descriptors say where weights and neurons lie in ``rows`` and ``neurons``.
    bus_width : int
        Data bits of the bus to an external memory that holds these; 0 where they lie on chip.
    tile_rows : int, optional
        Rows of a tile in the buffers; what the largest tile needs, if not given.

    Returns
    -------
    Plan

    Raises
    ------
    ValueError
        If a tile has more than ``tile_rows`` rows.
    """
    lanes = plan.required.lanes
    largest = max(planned.rows_per_tile for planned in plan.layers)
    tile_rows = tile_rows or largest
    if largest > tile_rows:
        raise ValueError(
            f"The core's weight buffer has {tile_rows} rows per tile, and the model needs "
            f"{largest}: build a core for the larger model"
        )
    sizes = vars(plan.required) | {"bus_width": bus_width, "tile_rows": tile_rows}
    stride = CoreConfig(**sizes).tile_stride
    layers, number = [], 0
    for planned in plan.layers:
        rows, tiles, fills = planned.rows_per_tile, [], []
        for tile in planned.tiles:
            # Rows of attention lie elsewhere.
            fills.append(Fill(tile["row"] if rows else 0, rows, tile["neuron"]))
            place = {"neuron": number % NEURON_TILES * lanes}
            if rows:
                place["row"] = number % WEIGHT_TILES * stride
            tiles.append(tile | place)
            number += 1
        layers.append(replace(planned, tiles=tuple(tiles), fills=tuple(fills)))
    if bus_width:
        sizes |= {"weight_depth": 0, "neuron_depth": 0}
    return replace(plan, layers=tuple(layers), required=with_program(sizes, layers))

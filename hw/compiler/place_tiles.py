"""Tiles in buffers: where each tile's weights and neurons lie while columns read them."""

from dataclasses import replace
from math import inf
from operator import itemgetter

from ..isa.blocks import DEVICE_BLOCKS
from ..isa.descriptors import NEURON_TILES
from ..isa.memory_parts import smallest_device
from ..isa.plan import Fill
from .required_config import with_program


__all__ = ["place_tiles"]


def place_tiles(plan, *, bus_width, tile_depths=None):
    """The plan whose columns read tiles from buffers, which are filled in the tiles' order.

    Parameters
    ----------
    plan : Plan
        Its tile descriptors say where weights and neurons lie in ``rows`` and ``neurons``.
    bus_width : int
        Data bits of the bus to an external memory that holds these; 0 where they lie on chip.
    tile_depths : (int, int), optional
        Rows of a tile in each place of the buffers, the first one's not fewer; what the model
        needs, if not given.

    Returns
    -------
    Plan

    Raises
    ------
    ValueError
        If a tile has more rows than that.
    """
    rows = [planned.rows_per_tile for planned in plan.layers for _ in planned.tiles]
    sizes = vars(plan.required) | {"bus_width": bus_width}
    if bus_width:
        sizes |= {"weight_depth": 0, "neuron_depth": 0}
    depths = tile_depths or _depths(plan, sizes, rows)
    if max(rows) > depths[0]:
        raise ValueError(
            f"The core's weight buffer has {depths[0]} rows per tile, and the model needs "
            f"{max(rows)}: build a core for the larger model"
        )
    sizes |= {"tile_rows": depths[0], "second_tile_rows": depths[1]}
    config = with_program(sizes, plan.layers)
    places = _places(rows, depths)
    layers, number = [], 0
    for planned in plan.layers:
        tiles, fills = [], []
        for tile in planned.tiles:
            place, again = places[number]
            # Rows of attention lie elsewhere.
            row = tile["row"] if rows[number] else 0
            fills.append(Fill(row, rows[number], tile["neuron"], place, again))
            buffered = {"neuron": number % NEURON_TILES * config.pairs}
            if rows[number]:
                buffered["row"] = place * config.tile_stride
            tiles.append(tile | buffered)
            number += 1
        layers.append(replace(planned, tiles=tuple(tiles), fills=tuple(fills)))
    return replace(plan, layers=tuple(layers), required=config)


def _depths(plan, sizes, rows):
    """Rows of a tile in each place: as many, unless a device holds the core only with fewer.

    Tiles that have but one place wait for each other.
    """
    largest = max(rows)

    def fits(second):
        """Whether a device holds the core where blocks are spared as far as they can be."""
        depths = {"tile_rows": largest, "second_tile_rows": second}
        config = with_program(sizes | depths, plan.layers)
        return smallest_device(config, scarce=True) < len(DEVICE_BLOCKS)

    fewer = sorted(set(rows) - {0}, reverse=True)
    return largest, next(filter(fits, fewer), largest)


def _places(rows, depths):
    """Place of each tile, and whether it waits for that of the tile before: for few rows in all."""
    # By the place of the latest tile: rows that waited, and what is known of it and those before.
    paths = [(0, None)] * len(depths)
    for number, count in enumerate(rows):
        # Tiles without rows neither wait nor are waited for.
        waits = bool(number and count and rows[number - 1])
        paths = [
            min(
                (
                    (
                        inf if count > depth else cost + again * count,
                        (place, again, path),
                    )
                    for before, (cost, path) in enumerate(paths)
                    for again in [waits and before == place]
                ),
                key=itemgetter(0),
            )
            for place, depth in enumerate(depths)
        ]
    _, path = min(paths, key=itemgetter(0))
    places = []
    while path:
        *found, path = path
        places.append(found)
    return places[::-1]

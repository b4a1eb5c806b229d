"""Weights outside: the plan of a core that reads them from an external memory, tile by tile."""

from dataclasses import replace

from .required_config import with_program


__all__ = ["externalise_weights"]


def externalise_weights(plan, *, bus_width, half=None):
    """The same plan for a core that reads its weights from an external memory.

    Parameters
    ----------
    plan : Plan
    bus_width : int
    half : int, optional
        Rows of half the double buffer; what the largest tile needs, if not given.

    Returns
    -------
    Plan

    Raises
    ------
    ValueError
        If a tile has more than ``half`` rows.
    """
    lanes = plan.required.lanes
    largest = max(planned.rows_per_tile for planned in plan.layers)
    # Halves begin at multiples of the lanes.
    half = half or -(-largest // lanes) * lanes
    if largest > half:
        raise ValueError(
            f"The core's weight buffer has {half} rows per tile, and the model needs "
            f"{largest}: build a core for the larger model"
        )
    layers, number = [], 0
    for planned in plan.layers:
        tiles = []
        for tile in planned.tiles:
            place = {"neuron": number % 2 * lanes}
            if planned.rows_per_tile:
                place["row"] = number % 2 * half
            tiles.append(tile | place)
            number += 1
        layers.append(replace(planned, tiles=tuple(tiles)))
    sizes = vars(plan.required) | {
        "bus_width": bus_width,
        "weight_depth": 2 * half,
        "neuron_depth": 2 * lanes,
    }
    return replace(plan, layers=tuple(layers), resident=plan, required=with_program(sizes, layers))

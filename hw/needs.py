"""The least capacities that hold a model."""

from amaranth.utils import bits_for

from golden import Conv, Logits, TokenSum, Write
from golden.ranges import analyse, width

from .capacities import Capacities, entry_width, words_of
from .token_sums import sum_width


__all__ = ["needed_capacities", "with_program"]


def needed_capacities(model, planned, *, weight_width, **sizes):
    """Capacities whose widths follow from the model's exact ranges.

    Parameters
    ----------
    model : IntegerModel
    planned : list of LayerPlan
    weight_width : int
    **sizes : int or SpikeCode
        Array and memory depths, as ``Capacities`` names them; the program's is computed here.

    Returns
    -------
    Capacities
    """
    ranges = analyse(model)
    sums = {layer.name for layer in model.layers if isinstance(layer, TokenSum)}
    potentials = [width(*bounds) for name, bounds in [*ranges.potential.items(), *ranges.kv.items()]
                  if name not in sums]
    summed = [sum_width(ranges.potential[name]) for name in sums]
    row_width = entry_width(weight_width, model.max_count, sizes["spike_code"])
    shifts = [layer.drain.shift for layer in model.layers
              if isinstance(layer, Conv) and isinstance(layer.drain, Write | Logits)]
    sizes |= {
        "max_count": model.max_count,
        "pixel_channels": model.image_shape[2],
        "pixel_constant": model.pixel_constant,
        "weight_width": weight_width,
        "accumulator_width": max([*potentials, width(*ranges.logits), row_width + 1]),
        "stream_width": max([width(*bounds) for bounds in ranges.stream.values()], default=2),
        "sum_width": max(summed, default=2),
        "shift_width": bits_for(max(shifts, default=0)),
    }
    return with_program(sizes, planned)


def with_program(sizes, planned):
    """Capacities whose program memory holds the records of a plan.

    Parameters
    ----------
    sizes : dict of str to int or SpikeCode
        All other capacities.
    planned : list of LayerPlan

    Returns
    -------
    Capacities
    """
    # Records are as wide as addresses, which do not depend on the program's length.
    records = Capacities(**sizes | {"program_depth": 1})
    words = words_of(records.header)
    for layer in planned:
        words += words_of(records.layer) + len(layer.thresholds)
        words += len(layer.tiles) * words_of(records.tile)
    return Capacities(**sizes | {"program_depth": words})

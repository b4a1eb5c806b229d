"""The smallest core configuration that holds a model."""

from golden.interval import width
from golden.model.ranges import analyse

from ..isa.core_config import CoreConfig
from ..isa.passes import bank_weights
from ..isa.program_word import words_of
from ..isa.widths import element_width, entry_width
from .ladders import potential_shift
from .token_sums import sum_width


__all__ = ["required_config", "with_program"]


def required_config(model, planned, *, weight_width, **sizes):
    """The configuration whose widths follow from the model's exact ranges.

    Parameters
    ----------
    model : IntegerModel
    planned : list of LayerPlan
    weight_width : int
    **sizes : int or SpikeCode
        Array and memory depths, as ``CoreConfig`` names them; the program's is computed here.

    Returns
    -------
    CoreConfig
    """
    ranges = analyse(model)
    sums = {layer.name for layer in model.layers if layer.KIND == "sum"}
    formed = [*ranges.potential.items(), *ranges.memory.items()]
    potentials = [width(*bounds) for name, bounds in formed if name not in sums]
    summed = [sum_width(ranges.potential[name]) for name in sums]
    entry = entry_width(
        element_width(weight_width, model.max_count),
        bank_weights(sizes["spike_code"], model.max_count),
    )
    shifts = {layer.name: potential_shift(layer.epilogue) for layer in model.layers}
    residual = max([width(*bounds) for bounds in ranges.stream.values()], default=2)
    # Sums that are shifted may wrap where what they are added to has no more bits.
    shifted = [
        min(residual, width(*(bound << shifts[name] for bound in ranges.potential[name])))
        for name in shifts
        if shifts[name]
    ]
    sizes |= {
        "max_count": model.max_count,
        "pixel_channels": model.image_shape[2],
        "pixel_constant": model.pixel_constant,
        "weight_width": weight_width,
        "accumulator_width": max([*potentials, *shifted, width(*ranges.logits), entry + 1]),
        "residual_width": residual,
        "sum_width": max(summed, default=2),
        "shift_width": max([*shifts.values(), 1]),
        "maximum": max(layer.descriptor.get("maximum", 0) for layer in planned),
    }
    return with_program(sizes, planned)


def with_program(sizes, planned):
    """The configuration whose program memory holds the descriptors of a plan.

    Parameters
    ----------
    sizes : dict of str to int or SpikeCode
        All other fields.
    planned : list of LayerPlan

    Returns
    -------
    CoreConfig
    """
    # Descriptors are as wide as addresses, which do not depend on the program's length.
    layouts = CoreConfig(**sizes | {"program_depth": 1})
    words = words_of(layouts.filled(layouts.header))
    for layer in planned:
        words += words_of(layouts.layer) + len(layer.thresholds)
        words += len(layer.tiles) * words_of(layouts.filled(layouts.tile))
    return CoreConfig(**sizes | {"program_depth": words})

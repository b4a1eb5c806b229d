"""The rules of an integer model beyond its graph: values of weights, thresholds, widths."""

import sys

import numpy as np

from golden.input import ModelInput
from golden.model import (
    AnalogHead,
    Conv,
    Fire,
    Logits,
    ModelError,
    Query,
    Rounding,
    TokenSum,
    Write,
)
from golden.ranges import MAX_WIDTH, analyse, widths
from golden.shapes import MAX_NAME, shapes
from golden.spike import stream_thresholds


__all__ = ["validate"]


def validate(model):
    """Check every rule of an integer model.

    Parameters
    ----------
    model : IntegerModel

    Raises
    ------
    ModelError
        One sentence that names the layer and the rule that it breaks.
    """
    if not (model.name.isprintable() and len(model.name) <= MAX_NAME):
        raise ModelError(f"The model's name must be at most {MAX_NAME} printable characters, not "
                         f"{model.name!r}")
    if not 1 <= model.max_count <= 15:
        raise ModelError(f"Largest count D must be 1 to 15, not {model.max_count!r}")
    if not 0 <= model.pixel_constant <= 255:
        raise ModelError(f"Pixel constant must be 0 to 255, not {model.pixel_constant!r}")
    known = shapes(model)
    for layer in model.layers:
        if isinstance(layer, Conv | AnalogHead):
            _weights(layer)
            _drain_fields(layer)
        if hasattr(layer, "drain") and hasattr(layer.drain, "neuron"):
            _neuron(layer, model.max_count)
    _channels(model, known)
    _ladders(model, known)
    _saturation(model)
    _widths(model)
    _mean_counts(model)
    ModelInput.of(model)


def _weights(layer):
    if layer.weight.dtype != np.int8:
        raise ModelError(f"Layer {layer.name}: weights must be int8, not {layer.weight.dtype}")
    if not 2 <= layer.weight_bits <= 8:
        raise ModelError(f"Layer {layer.name}: weight width must be 2 to 8 bits, "
                         f"not {layer.weight_bits!r}")
    limit = 2 ** (layer.weight_bits - 1) - 1
    wrong = layer.weight[np.abs(layer.weight.astype(np.int64)) > limit]
    if wrong.size:
        raise ModelError(f"Layer {layer.name}: weights of {layer.weight_bits} bits must be "
                         f"-{limit} to {limit}, not {wrong[0]}")


def _drain_fields(layer):
    drain = layer.drain
    if isinstance(drain, Write | Logits) and not 0 <= drain.shift <= 32:
        raise ModelError(f"Layer {layer.name}: the shift must be 0 to 32, not {drain.shift!r}")
    if isinstance(drain, Write) and not 1 <= drain.fraction_bits <= 32:
        raise ModelError(f"Layer {layer.name}: fraction bits F must be 1 to 32, "
                         f"not {drain.fraction_bits!r}")
    if isinstance(drain, Write | Logits):
        if drain.bias.dtype != np.int64 or drain.bias.shape != (len(layer.weight),):
            raise ModelError(f"Layer {layer.name}: the bias must be int64 of shape "
                             f"{(len(layer.weight),)}, not {drain.bias.dtype} of shape "
                             f"{drain.bias.shape}")
        if drain.bias.min() < -2**46 or drain.bias.max() >= 2**46:
            raise ModelError(f"Layer {layer.name}: the bias must fit 47 bits")
    # Compared with the largest float, since an integer may be larger.
    if isinstance(drain, Logits) and not 0 < drain.scale <= sys.float_info.max:
        raise ModelError(f"Layer {layer.name}: the scale of the logits must be positive and "
                         f"finite, not {drain.scale!r}")


def _neuron(layer, max_count):
    neuron = layer.drain.neuron
    thresholds = neuron.thresholds
    if thresholds.dtype != np.int64 or thresholds.ndim != 2 or thresholds.shape[1] != max_count:
        raise ModelError(f"Layer {layer.name}: thresholds must be int64 of shape (channels, "
                         f"{max_count}), not {thresholds.dtype} of shape {thresholds.shape}")
    falling = np.argwhere(thresholds[:, 1:] < thresholds[:, :-1])
    if len(falling):
        raise ModelError(f"Layer {layer.name}: thresholds must not decrease, as those of channel "
                         f"{falling[0][0]} do")
    if not isinstance(neuron.rounding, Rounding):
        raise ModelError(f"Layer {layer.name}: the rounding rule must be half-up or half-even, "
                         f"not {neuron.rounding!r}")


def _channels(model, known):
    """Thresholds serve every channel at once or each one by itself."""
    for layer in model.layers:
        if isinstance(layer, Conv | Query) and isinstance(layer.drain, Fire):
            rows, channels = len(layer.drain.neuron.thresholds), known[f"{layer.name}.counts"][0]
            if rows not in (1, channels):
                raise ModelError(f"Layer {layer.name}: thresholds must have 1 or {channels} rows, "
                                 f"not {rows}")


def _ladders(model, known):
    """Neurons on the stream follow from its fraction bits and the rounding rule alone."""
    fraction_bits = {}
    for layer in model.layers:
        match layer:
            case Conv(drain=Write() as drain):
                bits, tokens = drain.fraction_bits, 1
                before = fraction_bits.get(drain.previous, bits)
                if before != bits:
                    raise ModelError(f"Layer {layer.name}: fraction bits F must be {before} like "
                                     f"those of {drain.previous}, not {bits}")
                fraction_bits[f"{layer.name}.stream"] = bits
            case TokenSum(drain=drain):
                _, height, width = known[layer.source]
                bits, tokens = fraction_bits[layer.source], height * width
            case _:
                continue
        neuron = drain.neuron
        ladder = stream_thresholds(bits, model.max_count, neuron.rounding, tokens)
        if not np.array_equal(neuron.thresholds, ladder):
            raise ModelError(f"Layer {layer.name}: thresholds must be the {neuron.rounding.value} "
                             f"ladder {ladder.tolist()} of {bits} fraction bits, not "
                             f"{neuron.thresholds.tolist()}")


def _saturation(model):
    """Thresholds of a branch fit one bit more than the potential."""
    ranges = analyse(model)
    for layer in model.layers:
        if isinstance(layer, Conv | Query) and isinstance(layer.drain, Fire):
            low, high = ranges.potential[layer.name]
            thresholds = layer.drain.neuron.thresholds
            if len(thresholds) == 1:
                low, high = low.min(keepdims=True), high.max(keepdims=True)
            wrong = (thresholds < low[:, np.newaxis]) | (thresholds > high[:, np.newaxis] + 1)
            if wrong.any():
                channel, step = np.argwhere(wrong)[0]
                raise ModelError(
                    f"Layer {layer.name}: thresholds of channel {channel} must be {low[channel]} "
                    f"to {high[channel] + 1}, the range of its potential, not "
                    f"{thresholds[channel, step]}")


def _widths(model):
    """Stored widths hold whatever an image can cause."""
    if not model.widths:
        return
    for name, needed in widths(model).items():
        for noun, bits in needed.items():
            stored = model.widths.get(name, {}).get(noun)
            if not isinstance(stored, int) or stored < bits:
                raise ModelError(f"Layer {name}: the {noun} width must be at least {bits} bits, "
                                 f"which its exact range needs, not {stored}")
    for name, stored in model.widths.items():
        for noun, bits in stored.items():
            if type(bits) is not int or not 1 <= bits <= MAX_WIDTH:
                raise ModelError(f"Layer {name}: the {noun} width must be 1 to {MAX_WIDTH} bits, "
                                 f"not {bits!r}")


def _mean_counts(model):
    for name, mean in model.mean_counts.items():
        if not isinstance(mean, int | float) or not 0 <= mean <= sys.float_info.max:
            raise ModelError(f"The mean count of {name} must be a number of at least 0, "
                             f"not {mean!r}")

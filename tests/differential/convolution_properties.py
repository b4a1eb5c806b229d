"""Properties of convolutions: their windows, their groups and their weights."""

import numpy as np

from golden import Axis, Conv


__all__ = ["GOLDEN_ONLY", "NAMES", "find"]


GOLDEN_ONLY = ("pixels beside counts", "steps added up by a convolution")

NAMES = (
    *(f"weights of {bits} bits" for bits in range(2, 17)),
    "rectangular kernel",
    "rectangular stride",
    "1-D kernel",
    "uneven padding",
    "dilation",
    "dilations that differ",
    "upsampling",
    "transposed axis",
    "transposed and dilated axis",
    "1 < groups < channels",
    "groups of other numbers of outputs",
    "several outputs of each channel",
    "several sources",
    "a source that is read twice by a layer",
    "sources of other D",
    "kernel larger than the map",
    "even kernel",
    "stride larger than the kernel",
    "depthwise",
    "depthwise with a stride",
    "weights all zero",
    "weights all extreme",
    "weights shared by layers",
    *GOLDEN_ONLY,
)


def find(model, tensors, infos):
    """Yields names, and whether the model has that; see `properties.properties`."""
    seen = []
    for layer in model.layers:
        if not isinstance(layer, Conv):
            continue
        down, across = layer.axes
        yield "weights shared by layers", any(layer.weight is weight for weight in seen)
        seen.append(layer.weight)
        extreme = np.abs(layer.weight.astype(int)) == 2 ** (layer.weight_bits - 1) - 1
        yield f"weights of {layer.weight_bits} bits", True
        yield "weights all zero", not layer.weight.any()
        yield "weights all extreme", (extreme.all() and layer.weight_bits > 2 and extreme.size > 4)
        for axis, length in zip(layer.axes, infos[layer.sources[0]].size, strict=True):
            yield from _axis(layer, axis, length)
        yield "rectangular kernel", down.kernel != across.kernel
        yield "rectangular stride", down.stride != across.stride
        yield "dilations that differ", down.dilation != across.dilation
        yield "1-D kernel", 1 in (down.kernel, across.kernel) and down.kernel != across.kernel
        yield "steps added up by a convolution", layer.time == "sum"
        yield from _channels(layer, [infos[name] for name in layer.sources])


def _axis(layer, axis, length):
    yield "kernel larger than the map", axis.kernel > length
    yield "even kernel", axis.kernel % 2 == 0
    yield "stride larger than the kernel", axis.stride > axis.kernel and length > 1
    yield "depthwise", layer.depthwise
    yield "depthwise with a stride", layer.depthwise and axis.stride > 1
    yield "uneven padding", axis.before != axis.after
    yield "dilation", axis.dilation > 1 and axis.kernel > 1
    yield "upsampling", axis.upsample > 1
    yield "transposed axis", axis.transposed and axis.stride > 1 and length > 1
    yield (
        "transposed and dilated axis",
        (axis.transposed and axis.dilation > 1 and axis != Axis(1, transposed=True)),
    )


def _channels(layer, sources):
    inputs = layer.weight.shape[1]
    yield "1 < groups < channels", 1 < layer.groups < inputs * layer.groups
    yield (
        "groups of other numbers of outputs",
        (layer.groups > 1 and inputs != layer.channels // layer.groups > 1),
    )
    yield "several outputs of each channel", (inputs == 1 < layer.groups < layer.channels)
    yield "several sources", len(sources) > 1
    yield "a source that is read twice by a layer", len({*layer.sources}) < len(sources)
    yield "sources of other D", len({info.levels for info in sources if info.kind == "counts"}) > 1
    yield "pixels beside counts", len({info.kind for info in sources}) > 1

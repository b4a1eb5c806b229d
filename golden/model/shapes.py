"""Shapes of every tensor of a model, and the check that its graph fits together."""

import math

from golden.data.limits import MAX_LAYERS, MAX_MAP, MAX_PIXELS, MAX_SIDE
from golden.errors import ModelError
from golden.model.integer_model import IntegerModel
from golden.names import MAX_NAME, PIXELS
from golden.ops import Operator
from golden.tensor_info import TensorInfo


__all__ = ["last_readers", "shapes", "tensor_infos"]


#: Most time steps.
MAX_STEPS = 2**16


def last_readers(model: IntegerModel) -> dict[str, int]:
    """Per tensor that is read at all, the index of the last layer that reads it."""
    return {name: index for index, layer in enumerate(model.layers) for name in layer.reads}


def shapes(model: IntegerModel) -> dict[str, tuple[int, ...]]:
    """Shape of every tensor as `golden.run` returns it, samples aside.

    Parameters
    ----------
    model : IntegerModel

    Returns
    -------
    dict of str to tuple of int
        In execution order: ``pixels``, ``NAME.counts``, ``NAME.stream`` and ``NAME.state`` are
        (steps, channels, height, width), the memory of attention is (sets, heads, dk, dv), and so
        on. The axis of one step is left out, and an output of one step and one position is
        (channels,).

    Raises
    ------
    ModelError
        As for `tensor_infos`.
    """
    return {name: public_shape(info) for name, info in tensor_infos(model).items()}


def public_shape(info: TensorInfo) -> tuple[int, ...]:
    """Shape of a tensor outside of the executor, whose arrays all have five axes.

    The one place where the axis of one step is left out: readers of one step need not know of it.
    """
    if info.steps > 1:
        return (info.steps, *info.shape)
    return (info.channels,) if info.kind == "output" and info.positions == 1 else info.shape


def tensor_infos(model: IntegerModel) -> dict[str, TensorInfo]:
    """Info of every tensor that the executor stores.

    Parameters
    ----------
    model : IntegerModel

    Returns
    -------
    dict of str to TensorInfo
        In execution order.

    Raises
    ------
    ModelError
        If a layer reads a tensor that no earlier layer made, or one of the wrong kind or shape, or
        if a value of a layer breaks a rule by itself.
    """
    _check_sizes(model)
    height, width, channels = model.input.shape
    known = {
        PIXELS: TensorInfo(
            "pixels", channels + (model.input.constant > 0), (height, width), model.input.steps, 255
        )
    }
    names = set()
    for layer in model.layers:
        if not isinstance(layer, Operator):
            raise ModelError(f"A layer must be one of the known kinds, not {layer!r}")
        if layer.name in names:
            raise ModelError(f"Layer {layer.name}: a name must be given to only one layer")
        names.add(layer.name)
        if not (layer.name.isprintable() and 1 <= len(layer.name) <= MAX_NAME):
            raise ModelError(
                f"Layer {layer.name!r}: a name must have 1 to {MAX_NAME} printable characters"
            )
        for name, info in layer.outputs(known).items():
            if name in known:
                raise ModelError(f"Layer {layer.name}: tensor {name} must be made only once")
            if info.values > MAX_MAP:
                raise ModelError(
                    f"Layer {layer.name}: tensor {name} must have at most {MAX_MAP} "
                    f"values, not {public_shape(info)}"
                )
            known[name] = info
    if not model.outputs:
        raise ModelError("A model must have at least one layer with an output")
    _check_states(model, known)
    return known


def _check_sizes(model):
    height, width, _ = model.input.shape
    if min(model.input.shape) < 1:
        raise ModelError(f"Image shape must be positive, not {model.input.shape}")
    if type(model.input.steps) is not int or not 1 <= model.input.steps <= MAX_STEPS:
        raise ModelError(f"Steps of the input must be 1 to {MAX_STEPS}, not {model.input.steps!r}")
    if (
        max(model.input.shape) > MAX_SIDE
        or height * width > MAX_PIXELS
        or math.prod(model.input.shape) * model.input.steps > MAX_MAP
    ):
        raise ModelError(
            f"Image shape must be at most {MAX_SIDE} along every axis, with at most "
            f"{MAX_PIXELS} pixels and {MAX_MAP} values, not {model.input.shape}"
        )
    if len(model.layers) > MAX_LAYERS:
        raise ModelError(f"A model must have at most {MAX_LAYERS} layers, not {len(model.layers)}")


def _check_states(model, known):
    """Layers of the same state have states of the same shape, and treat it alike."""
    seen = {}
    for layer in model.layers:
        membrane = getattr(getattr(layer.epilogue, "neuron", None), "membrane", None)
        if membrane is None:
            continue
        name, shape = membrane.state or layer.name, known[f"{layer.name}.state"].shape
        kind = membrane.sticky, membrane.order
        first = seen.setdefault(name, (layer.name, shape, kind))
        if first[1:] != (shape, kind):
            raise ModelError(
                f"Layer {layer.name}: the state {name} must have shape {first[1]}, "
                f"order and sticky bit like that of layer {first[0]}, not {shape}"
            )

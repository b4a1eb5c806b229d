"""Translation between an integer model and the JSON graph and tensors of its file."""

import numpy as np

from golden.errors import ModelError
from golden.fields import take
from golden.model.integer_model import IntegerModel
from golden.model.ranges import widths
from golden.neuron import Neuron, Rounding
from golden.ops import EPILOGUES, OPERATORS


__all__ = ["from_graph", "to_graph"]


#: Fields of the graph, and those that files of older versions do not have.
FIELDS = {"name": str, "max_count": int, "image_shape": list, "classes": int, "layers": list,
          "mean_counts": dict, "notes": dict}
ADDED = {"pixel_constant": int}


def to_graph(model):
    """Graph and tensors of a model.

    Parameters
    ----------
    model : IntegerModel

    Returns
    -------
    graph : dict
        JSON values; weights, thresholds and biases are left out.
    tensors : dict of str to array
        ``NAME.weight``, ``NAME.thresholds`` and ``NAME.bias`` of every layer that has them.
    """
    tensors, layers = {}, []
    bits = model.widths or widths(model)
    for layer in model.layers:
        if type(layer) not in OPERATORS.values():
            raise ModelError(f"A layer must be one of the known kinds, not {layer!r}")
        entry = {"kind": layer.KIND, "name": layer.name, **_plain(layer),
                 "widths": bits[layer.name]}
        tensors |= _arrays(layer.name, layer)
        if layer.drain is not None:
            entry["drain"] = {"kind": layer.drain.KIND, **_plain(layer.drain)}
            if hasattr(layer.drain, "neuron"):
                entry["drain"]["rounding"] = layer.drain.neuron.rounding.value
            tensors |= _arrays(layer.name, layer.drain)
        layers.append(entry)
    graph = {
        "name": model.name, "max_count": model.max_count, "image_shape": list(model.image_shape),
        "classes": model.classes, "layers": layers, "mean_counts": model.mean_counts,
        "notes": model.notes,
    }
    if model.pixel_constant:
        graph["pixel_constant"] = model.pixel_constant
    return graph, tensors


def from_graph(graph, tensors):
    """Model of a graph and its tensors; the inverse of `to_graph`.

    Raises
    ------
    ModelError
        If a field or tensor is missing or of the wrong type.
    """
    fields = take(graph, "The graph", FIELDS)
    shape = fields["image_shape"]
    if len(shape) != 3 or not all(type(size) is int for size in shape):
        raise ModelError(f"The graph's image shape must be three integers, not {shape}")
    fields["image_shape"] = tuple(shape)
    fields |= take({"pixel_constant": 0} | graph, "The graph", ADDED)
    bits, layers = {}, []
    for entry in fields["layers"]:
        layer = _layer(entry, tensors)
        layers.append(layer)
        bits[layer.name] = take(entry, f"Layer {layer.name}", {"widths": dict})["widths"]
    fields["layers"] = tuple(layers)
    return IntegerModel(**fields, widths=bits)


def _layer(entry, tensors):
    where = f"Layer {entry.get('name')}" if isinstance(entry, dict) else "A layer"
    cls = _class(entry, where, OPERATORS)
    fields = take(entry, where, {"name": str} | cls.FIELDS)
    fields |= _tensors(tensors, fields["name"], cls, where)
    if "drain" in cls.__dataclass_fields__:
        fields["drain"] = _epilogue(take(entry, where, {"drain": dict})["drain"], where,
                                    fields["name"], tensors)
    return cls(**fields)


def _epilogue(entry, where, name, tensors):
    cls = _class(entry, where, EPILOGUES)
    fields = take(cls.DEFAULTS | entry, where, cls.FIELDS)
    fields |= _tensors(tensors, name, cls, where)
    if "thresholds" in fields:
        rounding = take(entry, where, {"rounding": str})["rounding"]
        if rounding not in [rule.value for rule in Rounding]:
            raise ModelError(f"{where}: the rounding rule must be half-up or half-even, "
                             f"not {rounding!r}")
        fields["neuron"] = Neuron(fields.pop("thresholds"), Rounding(rounding))
    return cls(**fields)


def _plain(part):
    """Fields of a layer or epilogue that the graph holds as they are, but for what is default."""
    found = {name: getattr(part, name) for name in part.FIELDS}
    defaults = getattr(part, "DEFAULTS", {})
    return {name: value for name, value in found.items()
            if name not in defaults or value != defaults[name]}


def _arrays(name, part):
    """Tensors of a layer or epilogue, by their names in the file."""
    return {f"{name}.{noun}": np.ascontiguousarray(
        part.neuron.thresholds if noun == "thresholds" else getattr(part, noun))
        for noun in part.TENSORS}


def _class(entry, where, kinds):
    """Class of a layer or epilogue."""
    kind = take(entry, where, {"kind": str})["kind"]
    if kind not in kinds:
        raise ModelError(f"{where}: the kind must be one of {', '.join(kinds)}, not {kind!r}")
    return kinds[kind]


def _tensors(tensors, name, cls, where):
    """Tensors of a layer or epilogue, by field."""
    for noun in cls.TENSORS:
        if f"{name}.{noun}" not in tensors:
            raise ModelError(f"{where}: the tensor {name}.{noun} must be in the file")
    return {noun: tensors[f"{name}.{noun}"] for noun in cls.TENSORS}

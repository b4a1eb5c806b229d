"""Translation between an integer model and the JSON graph and tensors of its file, format 2.0."""

from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any

import numpy as np

from golden.axis import Axis
from golden.errors import ModelError
from golden.fields import take, take_all
from golden.model.graph_neuron import neuron_entry, read_neuron
from golden.model.graph_tensors import Tensors, tensors_of
from golden.model.integer_model import Input, IntegerModel
from golden.model.ranges import widths
from golden.ops import EPILOGUES, OPERATORS


__all__ = ["from_graph", "to_graph"]


#: Fields of the graph, and of its parts.
FIELDS = {
    "name": str,
    "input": dict,
    "layers": list,
    "outputs": list,
    "mean_counts": dict,
    "notes": dict,
}
INPUT = {
    "shape": list,
    "steps": int,
    "constant": int,
    "encoder": dict,
    "pictures": (dict, type(None)),
}
OUTPUT = {"name": str, "layer": str, "classes": (list, type(None))}
#: Types of the fields of an axis; those with a default may be left out.
AXIS = {field.name: field.type for field in fields(Axis)}


def to_graph(model: IntegerModel) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Graph and tensors of a model.

    Parameters
    ----------
    model : IntegerModel

    Returns
    -------
    graph : dict
        JSON values, with the names of tensors in place of these.
    tensors : dict of str to array
        ``NAME.weight``, ``NAME.thresholds`` and ``NAME.bias`` of every layer that has them. Arrays
        that several layers share have the name that the first one gives them.
    """
    tensors, layers = Tensors(), []
    bits = model.widths or widths(model)
    for layer in model.layers:
        if type(layer) not in OPERATORS.values():
            raise ModelError(f"A layer must be one of the known kinds, not {layer!r}")
        entry = {
            "kind": layer.KIND,
            "name": layer.name,
            **_plain(layer),
            **tensors.named(layer.name, layer),
            "widths": bits[layer.name],
        }
        if "epilogue" in layer.__dataclass_fields__:
            entry["epilogue"] = _epilogue_entry(layer, tensors)
        layers.append(entry)
    taken = model.input
    return {
        "name": model.name,
        "input": {
            "shape": list(taken.shape),
            "steps": taken.steps,
            "constant": taken.constant,
            "encoder": taken.encoder,
            "pictures": taken.pictures,
        },
        "layers": layers,
        "outputs": [
            {"name": name, "layer": layer.name, "classes": _listed(model.class_names.get(name))}
            for name, layer in model.outputs.items()
        ],
        "mean_counts": model.mean_counts,
        "notes": model.notes,
    }, tensors.arrays


def from_graph(graph: Any, tensors: Mapping[str, np.ndarray]) -> IntegerModel:
    """Model of a graph and its tensors; the inverse of `to_graph`.

    Raises
    ------
    ModelError
        If a field or tensor is missing or of the wrong type.
    """
    found = take(graph, "The graph", FIELDS)
    taken = take(found.pop("input"), "The input", INPUT)
    shape = taken["shape"]
    if len(shape) != 3 or not all(type(size) is int for size in shape):
        raise ModelError(f"The input's shape must be three integers, not {shape}")
    taken["shape"] = tuple(shape)
    bits, layers = {}, []
    for entry in found.pop("layers"):
        layer = _layer(entry, tensors)
        layers.append(layer)
        bits[layer.name] = take(entry, f"Layer {layer.name}", {"widths": dict})["widths"]
    entries = [take(entry, "An output", OUTPUT) for entry in found.pop("outputs")]
    names = {
        entry["name"]: tuple(entry["classes"]) for entry in entries if entry["classes"] is not None
    }
    model = IntegerModel(
        **found, input=Input(**taken), layers=tuple(layers), class_names=names, widths=bits
    )
    made = [(name, layer.name) for name, layer in model.outputs.items()]
    if made != [(entry["name"], entry["layer"]) for entry in entries]:
        raise ModelError(f"The outputs must be those of the layers, {made}, in their order")
    return model


def _epilogue_entry(layer, tensors):
    part = layer.epilogue
    if part is None:
        return None
    entry = {"kind": part.KIND, **_plain(part), **tensors.named(layer.name, part)}
    if "neuron" in part.__dataclass_fields__:
        entry["neuron"] = part.neuron and neuron_entry(layer, part.neuron, tensors)
    return entry


def _layer(entry, tensors):
    where = f"Layer {entry.get('name')}" if isinstance(entry, dict) else "A layer"
    cls = _class(entry, where, OPERATORS)
    found = take(entry, where, {"name": str} | cls.FIELDS)
    found |= tensors_of(entry, cls, where, tensors)
    if "sources" in found:
        found["sources"] = tuple(take_all(found["sources"], where, "source", str))
    if "axes" in found:
        found["axes"] = tuple(
            _with_defaults(Axis, axis, f"{where}: an axis", AXIS) for axis in found["axes"]
        )
    if "epilogue" in cls.__dataclass_fields__:
        epilogue = take(entry, where, {"epilogue": (dict, type(None))})["epilogue"]
        found["epilogue"] = epilogue and _epilogue(epilogue, where, tensors)
    return cls(**found)


def _epilogue(entry, where, tensors):
    cls = _class(entry, where, EPILOGUES)
    found = take(entry, where, cls.FIELDS) | tensors_of(entry, cls, where, tensors)
    if "output" in found:
        found["name"] = found.pop("output")
    if "neuron" in cls.__dataclass_fields__:
        neuron = take(entry, where, {"neuron": (dict, type(None))})["neuron"]
        found["neuron"] = neuron and read_neuron(neuron, where, tensors)
    return cls(**found)


def _plain(part):
    """Fields of a layer or epilogue as JSON values."""
    found = {name: getattr(part, name) for name in part.FIELDS}
    if "sources" in found:
        found["sources"] = list(found["sources"])
    if "axes" in found:
        found["axes"] = [_without_defaults(axis) for axis in found["axes"]]
    return found


def _without_defaults(part):
    """Fields of an axis or leak, but for those that have their default."""
    return {
        field.name: getattr(part, field.name)
        for field in fields(part)
        if getattr(part, field.name) != field.default
    }


def _with_defaults(cls, entry, where, types):
    if not isinstance(entry, dict):
        raise ModelError(f"{where} must be an object, not {entry!r}")
    defaults = {field.name: field.default for field in fields(cls) if field.default is not MISSING}
    return cls(**take(defaults | entry, where, types))


def _class(entry, where, kinds):
    """Class of a layer or epilogue."""
    kind = take(entry, where, {"kind": str})["kind"]
    if kind not in kinds:
        raise ModelError(f"{where}: the kind must be one of {', '.join(kinds)}, not {kind!r}")
    return kinds[kind]


def _listed(names):
    return None if names is None else list(names)

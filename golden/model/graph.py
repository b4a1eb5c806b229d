"""Translation between an integer model and the JSON graph and tensors of its file, format 2.0."""

from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any

import numpy as np

from golden.axis import Axis
from golden.errors import ModelError
from golden.fields import take, take_all
from golden.membrane import Leak, LeakKind, Membrane, Order, Reset
from golden.model.integer_model import Input, IntegerModel
from golden.model.ranges import widths
from golden.neuron import Neuron, Rounding, Rule
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
NEURON = {"levels": int, "rule": str, "rounding": str, "membrane": (dict, type(None))}
MEMBRANE = {
    "leak": list,
    "reset": str,
    "unit": int,
    "order": str,
    "sticky": bool,
    "state": (str, type(None)),
}

#: Types of the fields of an axis and of a leak; those with a default may be left out.
AXIS = {field.name: field.type for field in fields(Axis)}
LEAK = {"kind": str, "shift": int}


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
    tensors, layers = _Tensors(), []
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


class _Tensors:
    """Arrays of the file by name; an array that is met again keeps its name."""

    def __init__(self):
        self.arrays, self._names, self._kept = {}, {}, []

    def name(self, name, array):
        if array is None:
            return None
        if id(array) not in self._names:
            self._names[id(array)] = name
            # Kept alive, so that no other array gets the same identity.
            self._kept.append(array)
            self.arrays[name] = np.ascontiguousarray(array)
        return self._names[id(array)]

    def named(self, layer_name, part):
        return {
            noun: self.name(f"{layer_name}.{noun}", getattr(part, noun)) for noun in part.TENSORS
        }


def _epilogue_entry(layer, tensors):
    part = layer.epilogue
    if part is None:
        return None
    entry = {"kind": part.KIND, **_plain(part), **tensors.named(layer.name, part)}
    if "neuron" in part.__dataclass_fields__:
        entry["neuron"] = part.neuron and _neuron_entry(layer, part.neuron, tensors)
    return entry


def _neuron_entry(layer, neuron, tensors):
    entry = {
        "levels": neuron.levels,
        "rule": neuron.rule.value,
        "rounding": neuron.rounding.value,
        "membrane": None,
    }
    if neuron.rule is Rule.UNIFORM:
        entry["fraction_bits"] = neuron.fraction_bits
    else:
        entry["thresholds"] = tensors.name(f"{layer.name}.thresholds", neuron.thresholds)
    if (membrane := neuron.membrane) is not None:
        entry["membrane"] = {
            "leak": [_without_defaults(leak) for leak in membrane.leak],
            "reset": membrane.reset.value,
            "unit": membrane.unit,
            "order": membrane.order.value,
            "sticky": membrane.sticky,
            "state": membrane.state,
        }
    return entry


def _layer(entry, tensors):
    where = f"Layer {entry.get('name')}" if isinstance(entry, dict) else "A layer"
    cls = _class(entry, where, OPERATORS)
    found = take(entry, where, {"name": str} | cls.FIELDS)
    found |= _tensors(entry, cls, where, tensors)
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
    found = take(entry, where, cls.FIELDS) | _tensors(entry, cls, where, tensors)
    if "output" in found:
        found["name"] = found.pop("output")
    if "neuron" in cls.__dataclass_fields__:
        neuron = take(entry, where, {"neuron": (dict, type(None))})["neuron"]
        found["neuron"] = neuron and _neuron(neuron, where, tensors)
    return cls(**found)


def _neuron(entry, where, tensors):
    found = take(entry, where, NEURON)
    rule = _choice(Rule, found["rule"], where, "rule of a neuron")
    rounding = _choice(Rounding, found["rounding"], where, "rounding rule")
    membrane = found["membrane"] and _membrane(found["membrane"], where)
    levels = found["levels"]
    if rule is Rule.UNIFORM:
        bits = take(entry, where, {"fraction_bits": int})["fraction_bits"]
        neuron = Neuron(None, rounding, membrane, bits, max(0, min(levels, 2**16)).bit_length())
    else:
        name = take(entry, where, {"thresholds": str})["thresholds"]
        neuron = Neuron(_tensor(tensors, name, where), rounding, membrane)
        if neuron.thresholds.ndim != 2:
            raise ModelError(
                f"{where}: thresholds must have shape (channels, D), not {neuron.thresholds.shape}"
            )
    if neuron.levels != levels:
        raise ModelError(
            f"{where}: the neuron must have {levels} levels, not {neuron.levels}, "
            "which its thresholds or its width give it"
        )
    return neuron


def _membrane(entry, where):
    found = take(entry, f"{where}: the membrane", MEMBRANE)
    leaks = []
    for leak in found["leak"]:
        kind = take(leak, f"{where}: a leak", {"kind": str})["kind"]
        shift = take({"shift": 0} | leak, f"{where}: a leak", {"shift": int})["shift"]
        leaks.append(Leak(_choice(LeakKind, kind, where, "kind of a leak"), shift))
    return Membrane(
        tuple(leaks),
        _choice(Reset, found["reset"], where, "reset of a membrane"),
        found["unit"],
        _choice(Order, found["order"], where, "order of a membrane"),
        found["sticky"],
        found["state"],
    )


def _choice(choices, value, where, what):
    """Member of an enumeration, by its value."""
    names = [member.value for member in choices]
    if value not in names:
        raise ModelError(
            f"{where}: the {what} must be {', '.join(names[:-1])} or {names[-1]}, not {value!r}"
        )
    return choices(value)


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


def _tensors(entry, cls, where, tensors):
    """Tensors of a layer or epilogue, by field; a bias may be null."""
    types = {noun: (str, type(None)) if noun == "bias" else str for noun in cls.TENSORS}
    return {
        noun: None if name is None else _tensor(tensors, name, where)
        for noun, name in take(entry, where, types).items()
    }


def _tensor(tensors, name, where):
    if name not in tensors:
        raise ModelError(f"{where}: the tensor {name} must be in the file")
    return tensors[name]


def _listed(names):
    return None if names is None else list(names)

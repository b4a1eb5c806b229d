"""Translation between an integer model and the JSON graph and tensors of its file."""

import numpy as np

from golden.model import (
    AnalogHead,
    Conv,
    Fire,
    IntegerModel,
    KeyValue,
    Logits,
    ModelError,
    Neuron,
    Query,
    Rounding,
    TokenSum,
    Write,
)
from golden.ranges import widths


__all__ = ["from_graph", "to_graph"]


#: Fields of each layer kind that the graph holds as they are.
LAYER_FIELDS = {
    "conv": (Conv, ("name", "source", "weight_bits", "stride", "padding", "groups")),
    "key_value": (KeyValue, ("name", "keys", "values", "heads")),
    "query": (Query, ("name", "queries", "key_values", "heads")),
    "token_sum": (TokenSum, ("name", "source")),
    "analog_head": (AnalogHead, ("name", "source", "weight_bits")),
}

DRAIN_FIELDS = {
    "fire": (Fire, ()),
    "write": (Write, ("previous", "shift", "fraction_bits")),
    "logits": (Logits, ("scale",)),
}

#: JSON type of every field; booleans are no integers here.
FIELD_TYPES = {
    "name": str, "source": str, "keys": str, "values": str, "queries": str, "key_values": str,
    "previous": (str, type(None)), "scale": (int, float), "rounding": str, "kind": str,
    "weight_bits": int, "stride": int, "padding": int, "groups": int, "heads": int, "shift": int,
    "fraction_bits": int, "max_count": int, "classes": int, "image_shape": list, "layers": list,
    "pixel_constant": int, "drain": dict, "widths": dict, "mean_counts": dict, "notes": dict,
}


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
        entry = _pick(layer, LAYER_FIELDS)
        if hasattr(layer, "weight"):
            tensors[f"{layer.name}.weight"] = np.ascontiguousarray(layer.weight)
        if not isinstance(layer, KeyValue):
            entry["drain"] = _pick(layer.drain, DRAIN_FIELDS)
            if hasattr(layer.drain, "neuron"):
                entry["drain"]["rounding"] = layer.drain.neuron.rounding.value
                thresholds = np.ascontiguousarray(layer.drain.neuron.thresholds)
                tensors[f"{layer.name}.thresholds"] = thresholds
            if isinstance(layer.drain, Logits) and layer.drain.shift:
                entry["drain"]["shift"] = layer.drain.shift
            if hasattr(layer.drain, "bias"):
                tensors[f"{layer.name}.bias"] = np.ascontiguousarray(layer.drain.bias)
        entry["widths"] = bits[layer.name]
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
    fields = _take(graph, "The graph", "name", "max_count", "image_shape", "classes", "layers",
                   "mean_counts", "notes")
    shape = fields["image_shape"]
    if len(shape) != 3 or not all(type(size) is int for size in shape):
        raise ModelError(f"The graph's image shape must be three integers, not {shape}")
    fields["image_shape"] = tuple(shape)
    # Files of older versions do not have it.
    fields |= _take({"pixel_constant": 0} | graph, "The graph", "pixel_constant")
    bits, layers = {}, []
    for entry in fields["layers"]:
        layer = _layer(entry, tensors)
        layers.append(layer)
        bits[layer.name] = _take(entry, f"Layer {layer.name}", "widths")["widths"]
    fields["layers"] = tuple(layers)
    return IntegerModel(**fields, widths=bits)


def _layer(entry, tensors):
    where = f"Layer {entry.get('name')}" if isinstance(entry, dict) else "A layer"
    kind, fields = _build(entry, where, LAYER_FIELDS)
    name = fields["name"]
    if kind in (Conv, AnalogHead):
        fields["weight"] = _tensor(tensors, f"{name}.weight", where)
    if kind is not KeyValue:
        described = _take(entry, where, "drain")["drain"]
        drain, drain_fields = _build(described, where, DRAIN_FIELDS)
        if drain is Logits:
            # Files of older versions do not have it.
            drain_fields |= _take({"shift": 0} | described, where, "shift")
        else:
            rounding = _take(described, where, "rounding")["rounding"]
            if rounding not in [rule.value for rule in Rounding]:
                raise ModelError(f"{where}: the rounding rule must be half-up or half-even, "
                                 f"not {rounding!r}")
            thresholds = _tensor(tensors, f"{name}.thresholds", where)
            drain_fields["neuron"] = Neuron(thresholds, Rounding(rounding))
        if drain is not Fire:
            drain_fields["bias"] = _tensor(tensors, f"{name}.bias", where)
        fields["drain"] = drain(**drain_fields)
    return kind(**fields)


def _pick(value, table):
    """Kind and plain fields of a layer or drain."""
    for kind, (cls, names) in table.items():
        if type(value) is cls:
            return {"kind": kind} | {name: getattr(value, name) for name in names}
    raise ModelError(f"A layer must be one of the known kinds, not {value!r}")


def _build(entry, where, table):
    """Class of a layer or drain, and its plain fields."""
    kind = _take(entry, where, "kind")["kind"]
    if kind not in table:
        raise ModelError(f"{where}: the kind must be one of {', '.join(table)}, not {kind!r}")
    cls, names = table[kind]
    return cls, _take(entry, where, *names)


def _take(entry, where, *names):
    """Fields of a JSON object, after a look at their types."""
    for name in names:
        value = entry.get(name) if isinstance(entry, dict) else None
        fits = isinstance(value, FIELD_TYPES[name]) and not isinstance(value, bool)
        if not fits or name not in entry:
            raise ModelError(f"{where}: the field {name} must be given with the right type, "
                             f"not as {value!r}")
    return {name: entry[name] for name in names}


def _tensor(tensors, name, where):
    if name not in tensors:
        raise ModelError(f"{where}: the tensor {name} must be in the file")
    return tensors[name]

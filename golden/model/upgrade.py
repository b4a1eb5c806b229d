"""One step from the graph and tensors of format 1.x to those of 2.0."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from golden.data.reading import printable
from golden.errors import ModelError
from golden.fields import take


__all__ = ["upgraded"]


#: Fields of a graph of format 1.x; the constant came with 1.2.
FIELDS = {
    "name": str,
    "max_count": int,
    "image_shape": list,
    "classes": int,
    "layers": list,
    "mean_counts": dict,
    "notes": dict,
    "pixel_constant": int,
}
NOTE = ("resize", "crop", "classes")

#: Kinds of layers: fields that stay as they are, with their types.
CONV = {"source": str, "weight_bits": int, "stride": int, "padding": int, "groups": int}
LAYERS = {
    "conv": CONV,
    "key_value": {"keys": str, "values": str, "heads": int},
    "query": {"queries": str, "key_values": str, "heads": int},
    "token_sum": {"source": str},
    "analog_head": {"source": str, "weight_bits": int},
}
DRAINS = {
    "fire": {"rounding": str},
    "write": {"previous": (str, type(None)), "shift": int, "fraction_bits": int, "rounding": str},
    "logits": {"scale": (int, float), "shift": int},
}

#: Nouns of widths that have other names now.
NOUNS = {"kv": "memory", "logits": "output"}


def upgraded(graph: Any, tensors: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Graph of format 2.0 of one of format 1.x; the tensors stay as they are.

    Parameters
    ----------
    graph : JSON value
    tensors : dict of str to array

    Returns
    -------
    dict

    Raises
    ------
    ModelError
        If a field is missing or of the wrong type, or a rule is broken that only 1.x has.
    """
    found = take(
        {"pixel_constant": 0} | graph if isinstance(graph, dict) else graph, "The graph", FIELDS
    )
    if not 1 <= found["max_count"] <= 15:
        raise ModelError(f"Largest count D must be 1 to 15, not {found['max_count']!r}")
    layers = [_layer(entry, found["max_count"], tensors) for entry in found["layers"]]
    emits = [(layer.get("epilogue") or {}).get("kind") == "output" for layer in layers]
    if not emits or emits != [False] * (len(emits) - 1) + [True]:
        raise ModelError("The last layer of a model must emit logits, and no other")
    head, weight = layers[-1]["name"], tensors.get(layers[-1].get("weight"))
    if weight is None or len(weight.shape) < 2 or weight.shape[0] != found["classes"]:
        raise ModelError(
            f"Layer {head}: logits must have shape {(found['classes'], 1, 1)}, as the "
            "model has so many classes"
        )
    notes = dict(found["notes"])
    note = notes.pop("input", None)
    if note is not None and (not isinstance(note, dict) or not note.keys() <= {*NOTE}):
        raise ModelError(
            f"The note input must be an object of {', '.join(NOTE)}, not {printable(note)}"
        )
    pictures = note and {field: note.get(field) for field in ("resize", "crop")}
    if note == {}:
        pictures = {"resize": None, "crop": None}
    return {
        "name": found["name"],
        "input": {
            "shape": found["image_shape"],
            "steps": 1,
            "constant": found["pixel_constant"],
            "encoder": {"kind": "bytes"},
            "pictures": pictures,
        },
        "layers": layers,
        "outputs": [{"name": "logits", "layer": head, "classes": (note or {}).get("classes")}],
        "mean_counts": found["mean_counts"],
        "notes": notes,
    }


def _layer(entry, max_count, tensors):
    where = f"Layer {entry.get('name')}" if isinstance(entry, dict) else "A layer"
    kind = _kind(entry, where, LAYERS)
    found = take(entry, where, {"name": str, "widths": dict} | LAYERS[kind])
    name = found["name"]
    found["widths"] = {NOUNS.get(noun, noun): bits for noun, bits in found["widths"].items()}
    if kind in ("conv", "analog_head"):
        found["weight"] = _tensor(tensors, f"{name}.weight", where)
    if kind == "conv":
        _geometry(found, tensors, where)
    elif kind == "query":
        found["memory"] = found.pop("key_values")
    elif kind == "token_sum":
        kind = "sum"
    if kind in ("key_value", "query", "sum"):
        found["over"] = "space"
    epilogue = None
    if kind != "key_value":
        epilogue = _epilogue(
            take(entry, where, {"drain": dict})["drain"], name, max_count, tensors, where
        )
    return {"kind": kind, **found, "epilogue": epilogue}


def _geometry(found, tensors, where):
    """Axes in place of stride and padding, in a convolution's fields."""
    shape = tensors[found["weight"]].shape
    if len(shape) != 4 or shape[2] != shape[3]:
        raise ModelError(f"{where}: weights must have shape (out, in, kernel, kernel), not {shape}")
    stride, padding = found.pop("stride"), found.pop("padding")
    axis = {"kernel": shape[2], "stride": stride, "before": padding, "after": padding}
    found["axes"] = [axis, dict(axis)]
    found["sources"], found["time"] = [found.pop("source")], "each"


def _epilogue(entry, name, max_count, tensors, where):
    kind = _kind(entry, where, DRAINS)
    found = take({"shift": 0} | entry if kind == "logits" else entry, where, DRAINS[kind])
    if kind == "logits":
        return {
            "kind": "output",
            "output": "logits",
            **found,
            "bias": _tensor(tensors, f"{name}.bias", where),
        }
    neuron = {
        "levels": max_count,
        "rule": "ladder",
        "rounding": found.pop("rounding"),
        "thresholds": _tensor(tensors, f"{name}.thresholds", where),
        "membrane": None,
    }
    if kind == "fire":
        return {"kind": kind, "shift": 0, "bias": None, "neuron": neuron}
    return {
        "kind": kind,
        **found,
        "combine": "add",
        "neuron": neuron,
        "bias": _tensor(tensors, f"{name}.bias", where),
    }


def _kind(entry, where, kinds):
    kind = take(entry, where, {"kind": str})["kind"]
    if kind not in kinds:
        raise ModelError(f"{where}: the kind must be one of {', '.join(kinds)}, not {kind!r}")
    return kind


def _tensor(tensors, name, where):
    if name not in tensors:
        raise ModelError(f"{where}: the tensor {name} must be in the file")
    return name

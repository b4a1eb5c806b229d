"""Translation between a neuron with its membrane and their entries in the JSON graph."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from golden.errors import ModelError
from golden.fields import take
from golden.leak import Leak, LeakKind
from golden.membrane import Membrane, Order, Reset
from golden.model.graph_tensors import Tensors, tensor
from golden.names import Named
from golden.neuron import Neuron, Rounding, Rule


__all__ = ["neuron_entry", "read_neuron"]


#: Fields of a neuron and of its membrane.
NEURON = {"levels": int, "rule": str, "rounding": str, "membrane": (dict, type(None))}
MEMBRANE = {
    "leak": list,
    "reset": str,
    "unit": int,
    "order": str,
    "sticky": bool,
    "state": (str, type(None)),
}


def neuron_entry(layer: Named, neuron: Neuron, tensors: Tensors) -> dict[str, Any]:
    """Entry of a layer's neuron; its thresholds are named in ``tensors``."""
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
            "leak": [_leak_entry(leak) for leak in membrane.leak],
            "reset": membrane.reset.value,
            "unit": membrane.unit,
            "order": membrane.order.value,
            "sticky": membrane.sticky,
            "state": membrane.state,
        }
    return entry


def _leak_entry(leak):
    return {"kind": leak.kind.value} | ({"shift": leak.shift} if leak.shift else {})


def read_neuron(entry: Any, where: str, tensors: Mapping[str, np.ndarray]) -> Neuron:
    """Neuron of an entry; the inverse of `neuron_entry`.

    Parameters
    ----------
    entry : JSON value
    where : str
        Layer, for the error.
    tensors : dict of str to array
        Of the file, by name.

    Raises
    ------
    ModelError
        If a field is missing or of the wrong type, or contradicts another.
    """
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
        neuron = Neuron(tensor(tensors, name, where), rounding, membrane)
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

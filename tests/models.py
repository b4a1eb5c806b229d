"""Models that differ from another one in a single field."""

from dataclasses import replace


def changed(model, layer_name, *, neuron=None, drain=None, **fields):
    """Copy of a model in which one layer has other fields.

    ``neuron`` and ``drain`` are dicts of fields of its neuron and its drain.
    """
    layers = list(model.layers)
    index = [layer.name for layer in layers].index(layer_name)
    layer = layers[index]
    if neuron is not None:
        drain = (drain or {}) | {"neuron": replace(layer.drain.neuron, **neuron)}
    if drain is not None:
        fields["drain"] = replace(layer.drain, **drain)
    layers[index] = replace(layer, **fields)
    return replace(model, layers=tuple(layers))

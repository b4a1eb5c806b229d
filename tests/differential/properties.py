"""What is unusual about a model: the properties that a run of random models must have met."""

from golden.model.shapes import tensor_infos

from . import (
    attention_properties,
    convolution_properties,
    graph_properties,
    neuron_properties,
    output_properties,
    step_properties,
    stream_properties,
)


__all__ = ["GOLDEN_ONLY", "PROPERTIES", "RARE", "properties"]


_PARTS = (
    graph_properties,
    convolution_properties,
    neuron_properties,
    step_properties,
    stream_properties,
    attention_properties,
    output_properties,
)

#: Every name that `properties` may return.
PROPERTIES = tuple(name for part in _PARTS for name in part.NAMES)

#: Those that hardware refuses.
GOLDEN_ONLY = tuple(name for part in _PARTS for name in part.GOLDEN_ONLY)

#: Those that a few cores do not all meet: every D, every width of weights, and what few models have
#: whose largest D is that of a core.
RARE = frozenset({
    "sources of other D",
    *(f"D = {count}" for count in range(2, 15)),
    *(f"weights of {bits} bits" for bits in range(3, 16)),
})


def properties(model, tensors):
    """Names of what a model has, of `PROPERTIES`.

    Parameters
    ----------
    model : IntegerModel
    tensors : dict of str to int64 array
        Trace of a run.

    Returns
    -------
    set of str
    """
    infos = tensor_infos(model)
    framed = {
        name: values.reshape(len(values), infos[name].steps, *infos[name].shape)
        for name, values in tensors.items()
    }
    return {name for part in _PARTS for name, present in part.find(model, framed, infos) if present}

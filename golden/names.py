"""Names of the tensors of a model."""

from typing import Protocol


__all__ = [
    "LOGITS",
    "MAX_NAME",
    "PIXELS",
    "Named",
    "carry_name",
    "counts_name",
    "memory_name",
    "state_name",
    "stream_name",
]


#: Name of the input tensor: 8-bit pixels.
PIXELS = "pixels"

#: Usual name of the output tensor.
LOGITS = "logits"

#: Most characters of the name of a layer or model.
MAX_NAME = 200


class Named(Protocol):
    """Whatever has a name, as layers have."""

    @property
    def name(self) -> str: ...


def counts_name(layer: Named) -> str:
    """Name of the spike counts that a layer with a neuron stores."""
    return f"{layer.name}.counts"


def stream_name(layer: Named) -> str:
    """Name of the stream version that a layer with a `Write` epilogue stores."""
    return f"{layer.name}.stream"


def memory_name(layer: Named) -> str:
    """Name of the memory of a `KeyValue` layer: its own."""
    return layer.name


def state_name(layer: Named) -> str:
    """Name of the membrane states, one per step, that a layer stores."""
    return f"{layer.name}.state"


def carry_name(state: str) -> str:
    """Name under which a membrane's state goes from one layer to the next; no tensor of a trace."""
    return f"{state}.carry"

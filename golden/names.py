"""Names of the tensors of a model."""


__all__ = ["LOGITS", "MAX_NAME", "PIXELS", "counts_name", "kv_name", "stream_name"]


#: Name of the input tensor: 8-bit pixels, shape (images, channels, height, width).
PIXELS = "pixels"

#: Name of the output tensor, shape (images, classes).
LOGITS = "logits"

#: Most characters of the name of a layer or model.
MAX_NAME = 200


def counts_name(layer):
    """Name of the spike counts that a layer with a neuron stores."""
    return f"{layer.name}.counts"


def stream_name(layer):
    """Name of the stream version that a layer with a `Write` drain stores."""
    return f"{layer.name}.stream"


def kv_name(layer):
    """Name of the memory of a `KeyValue` layer: its own."""
    return layer.name

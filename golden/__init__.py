"""The integer model: what a spike-driven network computes, exactly, with nothing to interpret."""

from golden.activity import additions, additions_per_image, mean_counts, skipping_macs
from golden.file import load, save
from golden.model import (
    LOGITS,
    PIXELS,
    AnalogHead,
    Conv,
    Fire,
    IntegerModel,
    KeyValue,
    Layer,
    Logits,
    ModelError,
    Neuron,
    Query,
    Rounding,
    TokenSum,
    Write,
)
from golden.network import Result, accuracy, classify, run
from golden.rules import validate
from golden.spike import (
    SpikeCode,
    attention_thresholds,
    planes,
    spike_count,
    stream_thresholds,
)


__all__ = [
    "LOGITS", "PIXELS", "AnalogHead", "Conv", "Fire", "IntegerModel", "KeyValue", "Layer", "Logits",
    "ModelError", "Neuron", "Query", "Result", "Rounding", "SpikeCode", "TokenSum", "Write",
    "accuracy", "additions", "additions_per_image", "attention_thresholds", "classify", "load",
    "mean_counts", "planes", "run", "save", "skipping_macs", "spike_count", "stream_thresholds",
    "validate",
]

"""The integer model: what a spike-driven network computes, exactly, with nothing to interpret."""

from golden.analysis.activity import additions, additions_per_image, mean_counts, skipping_macs
from golden.errors import ModelError
from golden.model.executor import Result, accuracy, classify, run
from golden.model.file import load, save
from golden.model.integer_model import IntegerModel
from golden.model.rules import validate
from golden.names import LOGITS, PIXELS
from golden.neuron import Neuron, Rounding, attention_thresholds, spike_count, stream_thresholds
from golden.ops import (
    AnalogHead,
    Conv,
    Fire,
    KeyValue,
    Logits,
    Operator,
    Query,
    TokenSum,
    Write,
)
from golden.spike import SpikeCode, planes


__all__ = [
    "LOGITS", "PIXELS", "AnalogHead", "Conv", "Fire", "IntegerModel", "KeyValue", "Logits",
    "ModelError", "Neuron", "Operator", "Query", "Result", "Rounding", "SpikeCode", "TokenSum",
    "Write", "accuracy", "additions", "additions_per_image", "attention_thresholds", "classify",
    "load", "mean_counts", "planes", "run", "save", "skipping_macs", "spike_count",
    "stream_thresholds", "validate",
]

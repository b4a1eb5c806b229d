"""The integer model: what a spike-driven network computes, exactly, with nothing to interpret."""

from golden.analysis.activity import additions, additions_per_image, mean_counts, skipping_macs
from golden.axis import Axis
from golden.errors import ModelError
from golden.ladders import Rounding, attention_thresholds, stream_thresholds
from golden.leak import Leak, LeakKind
from golden.membrane import Membrane, Order, Reset
from golden.model.executor import Result, accuracy, classify, run
from golden.model.file import load, save
from golden.model.integer_model import Input, IntegerModel
from golden.model.rules import validate
from golden.names import LOGITS, PIXELS
from golden.neuron import Neuron, Rule, spike_count
from golden.ops import (
    AnalogHead,
    Constant,
    Conv,
    Fire,
    KeyValue,
    Mask,
    Max,
    Operator,
    Output,
    Query,
    Sum,
    Write,
)
from golden.spike import SpikeCode, planes


__all__ = [
    "LOGITS",
    "PIXELS",
    "AnalogHead",
    "Axis",
    "Constant",
    "Conv",
    "Fire",
    "Input",
    "IntegerModel",
    "KeyValue",
    "Leak",
    "LeakKind",
    "Mask",
    "Max",
    "Membrane",
    "ModelError",
    "Neuron",
    "Operator",
    "Order",
    "Output",
    "Query",
    "Reset",
    "Result",
    "Rounding",
    "Rule",
    "SpikeCode",
    "Sum",
    "Write",
    "accuracy",
    "additions",
    "additions_per_image",
    "attention_thresholds",
    "classify",
    "load",
    "mean_counts",
    "planes",
    "run",
    "save",
    "skipping_macs",
    "spike_count",
    "stream_thresholds",
    "validate",
]

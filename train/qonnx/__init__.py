"""Networks that others quantised, as QONNX files: a reader into the float graph.

One small handler for each kind of node says what it is. Views are followed by the meaning of axes,
constants are computed, and what has no meaning for spikes becomes a `train.graph.Refused`.
"""

from train.qonnx.file import QonnxError
from train.qonnx.read import read


__all__ = ["QonnxError", "read"]

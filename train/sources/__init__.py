"""Networks that somebody else made: a Python file, or a QONNX file, as a float graph."""

from train.sources.opened import SourceError, open_graph


__all__ = ["SourceError", "open_graph"]

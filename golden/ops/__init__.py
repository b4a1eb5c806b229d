"""Operators and epilogues of a model: one file for each.

`OPERATORS` and `EPILOGUES` are all of them, by their kind in the file.
"""

from .analog_head import AnalogHead
from .constant import Constant
from .conv import Conv
from .fire import Fire
from .key_value import KeyValue
from .mask import Mask
from .max import Max
from .operator import Epilogue, Operator
from .output import Output
from .query import Query
from .sum import Sum
from .write import Write


__all__ = [
    "EPILOGUES",
    "OPERATORS",
    "AnalogHead",
    "Constant",
    "Conv",
    "Epilogue",
    "Fire",
    "KeyValue",
    "Mask",
    "Max",
    "Operator",
    "Output",
    "Query",
    "Sum",
    "Write",
]


OPERATORS = {cls.KIND: cls for cls in (Conv, KeyValue, Query, Mask, Max, Sum, Constant, AnalogHead)}
EPILOGUES = {cls.KIND: cls for cls in (Fire, Write, Output)}

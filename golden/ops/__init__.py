"""Operators and epilogues of a model: one file for each.

`OPERATORS` and `EPILOGUES` are all of them, by their kind in the file.
"""

from .analog_head import AnalogHead
from .conv import Conv
from .fire import Fire
from .key_value import KeyValue
from .logits import Logits
from .operator import Epilogue, Operator
from .query import Query
from .token_sum import TokenSum
from .write import Write


__all__ = [
    "EPILOGUES", "OPERATORS", "AnalogHead", "Conv", "Epilogue", "Fire", "KeyValue", "Logits",
    "Operator", "Query", "TokenSum", "Write",
]


OPERATORS = {cls.KIND: cls for cls in (Conv, KeyValue, Query, TokenSum, AnalogHead)}
EPILOGUES = {cls.KIND: cls for cls in (Fire, Write, Logits)}

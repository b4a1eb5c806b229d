"""How each operator is laid out: one module for each.

A module has ``refuse(layer, ranges, weight_width)``, which raises ``ValueError`` in a sentence that
says what helps if no core runs the layer, and ``lay_out(context, step, layer)``, which adds what
the array does for layer number ``step`` of the model.
"""

from golden import AnalogHead, Conv, KeyValue, Query, TokenSum

from . import analog_head, conv, key_value, query, token_sum


__all__ = ["LAYOUTS"]


LAYOUTS = {Conv: conv, KeyValue: key_value, Query: query, TokenSum: token_sum,
           AnalogHead: analog_head}

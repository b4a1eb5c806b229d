"""How each operator is laid out: one module for each.

A module has ``refuse(layer, *, shapes, ranges, weight_width)``, which raises ``ValueError`` in a
sentence that says what helps if no core runs the layer, and ``lay_out(context, step, layer)``,
which adds what the array does for layer number ``step`` of the model. ``shapes`` and ``ranges`` are
those of the model's tensors, ``weight_width`` the bits of a weight in memory, or None.
"""

from golden import AnalogHead, Constant, Conv, KeyValue, Mask, Max, Query, Sum

from . import analog_head, constant, conv, key_value, mask, query
from . import max as max_
from . import sum as sum_


__all__ = ["LAYOUTS"]


LAYOUTS = {
    Conv: conv,
    KeyValue: key_value,
    Query: query,
    Sum: sum_,
    AnalogHead: analog_head,
    Max: max_,
    Mask: mask,
    Constant: constant,
}

"""A second executor of model files, as ``docs/format.md`` describes them and nothing else.

It reads the bytes of the file by itself, takes every formula of that page as it stands, and shares
nothing with ``golden``: where the two differ, one of them is wrong. Arrays are (samples, steps,
channels, height, width) throughout; a memory is (samples, sets, heads, dk, dv).
"""

from .executor import Reference


__all__ = ["Reference"]

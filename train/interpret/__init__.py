"""Interpreters of a network's layers: float, quantised, integer, grids and lowering."""

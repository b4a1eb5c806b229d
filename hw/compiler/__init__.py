"""The compiler: lays a model out for an array of columns and lanes."""

from .compile import compile_model


__all__ = ["compile_model"]

"""The operator max has no layout yet."""

__all__ = ["refuse"]


def refuse(layer, *, shapes, ranges, weight_width):
    """Raises ValueError, since no core runs it."""
    raise ValueError(
        f"Layer {layer.name} takes the largest count of a window, which hardware does "
        "not run yet: use a convolution with a stride in its place"
    )

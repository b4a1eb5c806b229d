"""The operator mask has no layout yet."""

__all__ = ["refuse"]


def refuse(layer, *, shapes, ranges, weight_width):
    """Raises ValueError, since no core runs it."""
    raise ValueError(
        f"Layer {layer.name} gates counts by a mask, which hardware does not run yet: "
        "use the attention of key_value and query in its place"
    )

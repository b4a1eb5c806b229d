"""The operator constant has no layout yet."""

__all__ = ["refuse"]


def refuse(layer, *, shapes, ranges, weight_width):
    """Raises ValueError, since no core runs it."""
    raise ValueError(
        f"Layer {layer.name} is a constant, which hardware does not run yet: "
        "fold it into biases, or feed it as a pixel channel"
    )

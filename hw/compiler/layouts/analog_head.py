"""An analog head has no layout: its inputs are no spikes."""

__all__ = ["refuse"]


def refuse(layer, *, shapes, ranges, weight_width):
    """Raises ValueError, since no core runs it."""
    raise ValueError(
        f"Hardware runs heads that read spikes, and {layer.name} reads a stream: "
        "export with --head spike"
    )

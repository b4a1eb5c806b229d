"""What the layouts refuse alike: sentences that name the layer, the reason and what helps."""

__all__ = ["require", "require_fire", "require_inside", "require_space", "require_weight_width"]


def require(layer, fits, what, remedy):
    """Raises ValueError unless a core runs what a layer needs.

    Parameters
    ----------
    layer : Operator
    fits : bool
    what : str
        What the layer does that no core does.
    remedy : str
    """
    if not fits:
        raise ValueError(f"Layer {layer.name} {what}, which hardware does not run yet: {remedy}")


def require_fire(layer):
    """Raises ValueError unless a layer fires, and does nothing else."""
    require(
        layer,
        layer.epilogue.KIND == "fire",
        f"has the epilogue {layer.epilogue.KIND}",
        "let it fire, and put a convolution behind it",
    )


def require_inside(layer, shapes, remedy):
    """Raises ValueError unless some tap of every output position lies inside the map."""
    *_, width = shapes[layer.reads[0]]
    require(
        layer,
        (layer.axes[1].reads(width) >= 0).any(axis=1).all(),
        "has output positions of which no tap lies inside the map",
        remedy,
    )


def require_space(layer):
    """Raises ValueError unless a layer sums over the positions of a step."""
    require(layer, layer.over == "space", f"sums over {layer.over}", "sum over space")


def require_weight_width(layer, weight_width):
    """Raises ValueError if weights are to have fewer bits in memory than a layer's have."""
    if weight_width is not None and weight_width < layer.weight_bits:
        raise ValueError(
            f"--weight-width must be at least the {layer.weight_bits} bits of layer "
            f"{layer.name}, not {weight_width!r}"
        )

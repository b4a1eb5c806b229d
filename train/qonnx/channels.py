"""What the axes of a map are, and constants that have a number for each channel."""

from fractions import Fraction

from train.qonnx.unfit import Unfit


__all__ = ["is_channels", "is_map", "per_channel", "same_axes"]


def is_channels(axis, channels):
    """Whether an axis holds all channels, and nothing else."""
    atoms = [(atom.name, atom.length, atom.step) for atom in axis if atom.length != 1]
    return atoms == ([] if channels == 1 else [("c", channels, 1)])


def is_map(layout, size):
    """Whether axes are those of a map: channels, rows and columns."""
    return layout.is_maps() and layout.shape == tuple(size)


def same_axes(left, right):
    """Whether two maps have their values at the same places."""
    left, right = (
        [[atom for atom in axis if atom.length != 1] for axis in layout.axes]
        for layout in (left, right)
    )
    return left == right


def per_channel(reader, value, constant):
    """A constant beside a map, as a Fraction for each channel.

    Raises
    ------
    Unfit
        If it differs from position to position.
    """
    channels = reader.size(value)[0]
    number = constant.number()
    if number is not None:
        return [number] * channels
    axes = value.layout.axes
    shape = (1,) * (len(axes) + 1 - constant.values.ndim) + constant.values.shape
    wide = [place for place, length in enumerate(shape) if length != 1]
    if (
        len(shape) == len(axes) + 1
        and len(wide) == 1
        and wide[0] > 0
        and shape[wide[0]] == channels
        and is_channels(axes[wide[0] - 1], channels)
    ):
        return [Fraction(one) for one in constant.values.ravel().tolist()]
    raise Unfit(
        "has a number for each position", "use one number for each channel, or for the whole map"
    )

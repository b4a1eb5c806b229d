"""Axes of a tensor by what they mean, so that views of a map stay known as views.

An axis is a row of atoms; ``reshape`` groups atoms, or cuts one in two, and ``permute`` moves axes.
The atoms of a map are its channels ``c``, rows ``h`` and columns ``w``.
"""

from dataclasses import dataclass
from math import prod
from typing import NamedTuple


__all__ = ["Layout", "LayoutError"]


class LayoutError(ValueError):
    """A view that mixes images, or that is none of the atoms."""


class Atom(NamedTuple):
    """Part of an axis of a map.

    Parameters
    ----------
    name : str
        ``c``, ``h`` or ``w``.
    length : int
    step : int
        How far apart its entries are on the axis that it was cut from.
    """

    name: str
    length: int
    step: int = 1


@dataclass(frozen=True)
class Layout:
    """Axes behind that of images.

    Parameters
    ----------
    axes : tuple of tuple of Atom

    Examples
    --------
    >>> maps = Layout.maps(8, 2, 3)
    >>> tokens = maps.reshape((8, 6)).permute((1, 0))
    >>> tokens.shape, tokens.is_tokens(), tokens.is_maps()
    ((6, 8), True, False)
    >>> tokens.reshape((6, 2, 4)).reshape((6, 8)).is_tokens()
    True
    >>> tokens.reshape((6, 2, 4)).permute((0, 2, 1)).reshape((6, 8)).is_tokens()
    False
    """

    axes: tuple[tuple[Atom, ...], ...]

    @classmethod
    def maps(cls, channels, height, width):
        """Axes of a map."""
        return cls(((Atom("c", channels),), (Atom("h", height),), (Atom("w", width),)))

    @property
    def shape(self):
        """Lengths of the axes."""
        return tuple(prod(atom.length for atom in axis) for axis in self.axes)

    @property
    def size(self):
        """Channels, height and width of the map."""
        lengths = dict.fromkeys("chw", 1)
        for axis in self.axes:
            for atom in axis:
                lengths[atom.name] *= atom.length
        return tuple(lengths.values())

    def permute(self, order):
        """Axes in another order; numbers count from the first behind the images."""
        return Layout(tuple(self.axes[index] for index in order))

    def reshape(self, shape):
        """The same values in the same order, cut into other axes.

        Raises
        ------
        LayoutError
            If the numbers of values differ, or no atom can be cut so.
        """
        fault = LayoutError(f"views axes {self.shape} that cannot become {tuple(shape)}")
        if prod(shape) != prod(self.shape):
            raise fault
        atoms = [atom for axis in self.axes for atom in axis if atom.length != 1]
        axes = []
        for length in shape:
            axis, found = [], 1
            while found < length:
                if length % found:
                    raise fault
                atom = atoms.pop(0)
                wanted = length // found
                if atom.length > wanted:
                    if atom.length % wanted:
                        raise fault
                    inner = atom.length // wanted
                    atoms.insert(0, atom._replace(length=inner))
                    atom = atom._replace(length=wanted, step=atom.step * inner)
                axis.append(atom)
                found *= atom.length
            if found != length:
                raise fault
            axes.append(tuple(axis))
        return Layout(tuple(axes))

    def is_maps(self):
        """Whether the axes are channels, and behind them rows and columns or their product."""
        return bool(self.axes) and self._are("c", 0, 1) and self._are("hw", 1, len(self.axes))

    def is_tokens(self):
        """Whether channels are the last axis, and positions stand in front of them."""
        last = len(self.axes) - 1
        return bool(self.axes) and self._are("hw", 0, last) and self._are("c", last, last + 1)

    def is_flat(self):
        """Whether one axis holds a whole map, channel after channel."""
        return len(self.axes) == 1 and self._are("chw", 0, 1)

    def _are(self, names, first, last):
        """Whether some axes hold whole atoms of these names in this order."""
        rows = []
        for atom in (atom for axis in self.axes[first:last] for atom in axis if atom.length != 1):
            if rows and rows[-1][0] == atom.name and rows[-1][1] == atom.step * atom.length:
                rows[-1] = atom.name, atom.step
            else:
                rows.append((atom.name, atom.step))
        found = "".join(name for name, _ in rows)
        return found in _some_of(names) and all(step == 1 for _, step in rows)


def _some_of(names):
    """Names in their order, any of them left out: axes of length 1 have no atom.

    >>> sorted(_some_of("hw"))
    ['', 'h', 'hw', 'w']
    """
    found = {""}
    for name in names:
        found |= {one + name for one in found}
    return found

"""The integer model: what is computed, with nothing left to interpret.

A model is a tuple of layers in execution order. Every layer forms integer potentials and hands them
to a *drain*, which fires spikes, adds to the residual stream, or emits logits. Training writes
models, the golden executor and the hardware generator read them.
"""

from dataclasses import dataclass, field

from golden.names import PIXELS
from golden.ops import Operator


__all__ = ["IntegerModel"]


@dataclass(frozen=True, eq=False)
class IntegerModel:
    """A whole network in integers.

    Parameters
    ----------
    name : str
    max_count : int
        ``D``, 1 to 15: most spikes that a neuron fires at once.
    image_shape : tuple of int
        (height, width, channels) of the 8-bit input.
    pixel_constant : int
        1 to 255: value of one more pixel channel that is the same all over the image, and zero on
        the padding around it as all others are. 0 for none.
    classes : int
    layers : tuple of Operator
        In execution order; the last one's drain is ``Logits``.
    mean_counts : dict of str to float
        Mean spike count of each ``*.counts`` tensor (and mean set bits of ``pixels``), measured at
        export; cycle estimates without images use it.
    notes : dict
        Where the model comes from (seed, accuracy, versions), as JSON values.
    widths : dict of str to dict of str to int
        Per layer, bits of ``potential``, ``stream``, ``kv`` and ``logits``, as
        `golden.model.ranges.widths` derives them. ``golden.save`` and ``golden.run`` derive the
        widths of a model that has none.
    """

    name: str
    max_count: int
    image_shape: tuple[int, int, int]
    classes: int
    layers: tuple[Operator, ...]
    mean_counts: dict[str, float] = field(default_factory=dict)
    notes: dict = field(default_factory=dict)
    widths: dict[str, dict[str, int]] = field(default_factory=dict)
    pixel_constant: int = 0

    def mean_count(self, name):
        """Mean count of a map, or mean set bits of pixels.

        Where ``mean_counts`` does not say, a quarter of D, or half of the bits.
        """
        return self.mean_counts.get(name, 4.0 if name == PIXELS else self.max_count / 4)

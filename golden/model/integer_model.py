"""The integer model: what is computed, with nothing left to interpret.

A model is a tuple of layers in execution order. Every layer forms integer potentials and hands them
to an *epilogue*, which fires spikes, adds to the residual stream, or leaves the network. Training
writes models, the golden executor and the hardware generator read them.
"""

from dataclasses import dataclass, field
from typing import Any

from golden.names import PIXELS
from golden.ops import Operator


__all__ = ["Input", "IntegerModel"]


@dataclass(frozen=True)
class Input:
    """What goes into a network.

    Parameters
    ----------
    shape : tuple of int
        (height, width, channels) of the 8-bit input.
    steps : int
        Time steps: frames of a sample, or how often an image is shown.
    constant : int
        1 to 255: value of one more pixel channel that is the same all over the image, and zero on
        the padding around it as all others are. 0 for none.
    encoder : dict
        How bytes become what layers read; ``{"kind": "bytes"}`` takes them as they are.
    pictures : dict or None
        ``resize`` and ``crop``, as `golden.model.input.ModelInput` has them.
    """

    shape: tuple[int, int, int]
    steps: int = 1
    constant: int = 0
    encoder: dict[str, Any] = field(default_factory=lambda: {"kind": "bytes"})
    pictures: dict[str, Any] | None = None


@dataclass(frozen=True, eq=False)
class IntegerModel:
    """A whole network in integers.

    Parameters
    ----------
    name : str
    input : Input
    layers : tuple of Operator
        In execution order; at least one has the epilogue ``Output``.
    class_names : dict of str to tuple of str
        Names of the channels of outputs, where they are known.
    mean_counts : dict of str to float
        Mean spike count of each ``*.counts`` tensor (and mean set bits of ``pixels``), measured at
        export; cycle estimates without images use it.
    notes : dict
        Where the model comes from (seed, accuracy, versions), as JSON values.
    widths : dict of str to dict of str to int
        Per layer, bits of ``potential``, ``stream``, ``state``, ``memory`` and ``output``, as
        `golden.model.ranges.widths` derives them. ``golden.save`` and ``golden.run`` derive the
        widths of a model that has none.
    """

    name: str
    input: Input
    layers: tuple[Operator, ...]
    class_names: dict[str, tuple[str, ...]] = field(default_factory=dict)
    mean_counts: dict[str, float] = field(default_factory=dict)
    notes: dict[str, Any] = field(default_factory=dict)
    widths: dict[str, dict[str, int]] = field(default_factory=dict)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(height, width, channels) of the input."""
        return self.input.shape

    @property
    def pixel_constant(self) -> int:
        """Value of one more pixel channel, or 0."""
        return self.input.constant

    @property
    def max_count(self) -> int:
        """Largest D of all neurons, at least 1."""
        return max([
            1,
            *(
                layer.epilogue.neuron.levels
                for layer in self.layers
                if layer.epilogue is not None and layer.epilogue.neuron is not None
            ),
        ])

    @property
    def outputs(self) -> dict[str, Operator]:
        """Layers whose epilogue is an output, by the name of the output."""
        return {
            layer.epilogue.output: layer
            for layer in self.layers
            if layer.epilogue is not None and layer.epilogue.KIND == "output"
        }

    @property
    def head(self) -> Operator:
        """The layer of the first output."""
        return next(iter(self.outputs.values()))

    @property
    def classes(self) -> int:
        """Number of channels of the first output."""
        return len(self.head.epilogue.bias)

    def mean_count(self, name: str) -> float:
        """Mean count of a map, or mean set bits of pixels.

        Where ``mean_counts`` does not say, a quarter of D, or half of the bits.
        """
        return self.mean_counts.get(name, 4.0 if name == PIXELS else self.max_count / 4)

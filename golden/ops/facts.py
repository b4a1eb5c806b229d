"""What is known of a model: operators are told it, and add the ranges of what they make."""

from dataclasses import dataclass, field

from golden.hints import Bounds
from golden.membrane import Carried
from golden.tensor_info import TensorInfo


__all__ = ["Facts", "Ranges"]


@dataclass(frozen=True)
class Ranges:
    """Least and largest value, per layer and channel.

    Every value is a pair of int64 arrays of shape (channels,), keyed by the layer's name; for
    ``memory`` the arrays have one entry per head. ``fired`` is what thresholds are compared with,
    ``state`` has membranes and states one behind the other, and ``carried`` is what a state is
    when a layer is done, and the thresholds that fired there, by the state's
    name.
    """

    potential: dict[str, Bounds] = field(default_factory=dict)
    stream: dict[str, Bounds] = field(default_factory=dict)
    memory: dict[str, Bounds] = field(default_factory=dict)
    outputs: dict[str, Bounds] = field(default_factory=dict)
    fired: dict[str, Bounds] = field(default_factory=dict)
    state: dict[str, Bounds] = field(default_factory=dict)
    carried: dict[str, Carried] = field(default_factory=dict)

    @property
    def logits(self) -> Bounds:
        """The pair of the first layer that has an output."""
        return next(iter(self.outputs.values()))


@dataclass(frozen=True)
class Facts:
    """What operators are told about the model that they are in.

    Parameters
    ----------
    known : dict of str to TensorInfo
        Of all tensors.
    ranges : Ranges
        Of earlier layers at least.
    """

    known: dict[str, TensorInfo]
    ranges: Ranges = field(default_factory=Ranges)

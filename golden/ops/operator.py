"""What every operator and every epilogue of a model tells about itself.

Arrays are (samples, steps, channels, *size); operators work on the last axes, so that arrays of one
step may lack the axis of steps.
"""

from collections.abc import Iterator
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from golden.errors import ModelError
from golden.hints import Infos, Interval, JsonType, Linear, Tensors, Weigh, Widths
from golden.interval import require_width
from golden.names import PIXELS, Named
from golden.neuron import Neuron
from golden.spike import SpikeCode, accumulate
from golden.tensor_info import TensorInfo

from .facts import Facts


__all__ = ["Epilogue", "Operator", "look_up", "require_epilogue", "require_heads"]


class Operator:
    """A layer of a model: it reads tensors, and forms integer potentials.

    Subclasses are frozen dataclasses that have a ``name`` and a ``epilogue``, or ``None``
    where potentials are stored as they are. What they do not override holds for an operator whose
    first source is spikes.
    """

    #: Kind in the file, fields in the file with their JSON types, and tensors beside them.
    KIND: ClassVar[str] = ""
    FIELDS: ClassVar[dict[str, JsonType]] = {}
    TENSORS: ClassVar[tuple[str, ...]] = ()

    #: Fields that every subclass has.
    name: str
    epilogue: "Epilogue | None"

    #: Whether its first source is spikes, which cause its additions.
    SPIKING: ClassVar[bool] = True

    #: What its potentials are called where widths are written.
    NOUN: ClassVar[str] = "potential"

    @property
    def reads(self) -> list[str]:
        """Names of the tensors that the layer reads, in the order of its fields."""
        raise NotImplementedError

    def outputs(self, known: Infos) -> dict[str, TensorInfo]:
        """Names and infos of the tensors that the layer makes, after all rules of its own fields.

        Parameters
        ----------
        known : dict of str to TensorInfo
            Of the tensors that earlier layers made.

        Returns
        -------
        dict of str to TensorInfo

        Raises
        ------
        ModelError
            If a source is missing, or of the wrong kind or shape, or a value breaks a rule.
        """
        raise NotImplementedError

    def check(self, facts: Facts) -> None:
        """Raises ModelError if a value does not fit those of other layers.

        Parameters
        ----------
        facts : Facts
        """
        if self.epilogue is not None:
            self.epilogue.check(self, facts)

    def operand(self, tensors: Tensors) -> NDArray[np.int64]:
        """What the operator is linear in: its first source, unless it says otherwise."""
        return tensors[self.reads[0]]

    def linear(self, tensors: Tensors) -> Linear:
        """The operator as a function of its operand; other sources are in ``tensors``."""
        raise NotImplementedError

    def potentials(
        self,
        tensors: Tensors,
        *,
        max_count: int,
        code: SpikeCode | None = None,
    ) -> Iterator[NDArray[np.int64]]:
        """Potentials, in steps.

        Parameters
        ----------
        tensors : dict of str to int64 array
            What earlier layers made.
        max_count : int
            Largest D of the model.
        code : SpikeCode, optional

        Yields
        ------
        int64 array
            The accumulator after each plane, and so the potentials in the end. Just the potentials
            if ``code`` is ``None``.
        """
        linear, spikes = self.linear(tensors), self.operand(tensors)
        if code is None or not self.SPIKING:
            yield linear(spikes)
        elif PIXELS in self.reads:
            # Counts beside pixels may be larger than these.
            yield from accumulate(linear, spikes, SpikeCode.BIT_SERIAL, max(255, max_count))
        else:
            channels = np.arange(spikes.shape[-3]).reshape(-1, 1, 1)
            yield from accumulate(linear, spikes, code, max_count, channels)

    def unfolded(self, known: Infos) -> int:
        """Values of the largest temporary of ``linear``, per sample."""
        return 0

    def store(
        self,
        potentials: NDArray[np.int64],
        tensors: Tensors,
    ) -> dict[str, NDArray[np.int64]]:
        """The tensors that are made of potentials, by name; ``tensors`` are those of before."""
        if self.epilogue is None:
            return {self.name: potentials}
        return self.epilogue.store(self, potentials, tensors)

    def interval(self, facts: Facts) -> Interval:
        """Least and largest potential: two arrays of int64 or of Python integers.

        They have an entry per channel, or per head where potentials are stored as they are.
        """
        raise NotImplementedError

    def record(self, low: np.ndarray, high: np.ndarray, facts: Facts) -> None:
        """Adds the intervals of potentials and of what is made of them to ``facts.ranges``."""
        require_width(self, low, high)
        low, high = (np.asarray(bound).astype(np.int64) for bound in (low, high))
        facts.ranges.potential[self.name] = low, high
        self.epilogue.record(self, low, high, facts)

    def events(self, tensors: Tensors, weigh: Weigh) -> NDArray[np.int64]:
        """Operations that the inputs of each image cause, each input ``weigh``-ed.

        Those of stream values are none: no spikes drive them.

        Parameters
        ----------
        tensors : dict of str to int64 array
        weigh : function of (int64 array, str)
            Takes a tensor and its name; returns what each value counts for.

        Returns
        -------
        int64 array, shape (images,)
        """
        return np.zeros(len(next(iter(tensors.values()))), np.int64)

    def products(self, known: Infos) -> tuple[int, int, int]:
        """Dot products per sample of a machine that skips neither zeros nor padding.

        Returns
        -------
        rows, outputs, terms : int
            Vectors of the first source's values, vectors with which each of them is multiplied, and
            terms of one product; zeros if there are none.
        """
        return 0, 0, 0

    def operands(self, tensors: Tensors, row: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Both operands of the dot products of a row, for the first image.

        Parameters
        ----------
        tensors : dict of str to int64 array
        row : int

        Returns
        -------
        counts, weights : int64 arrays, shape (outputs, terms)
        """
        raise NotImplementedError

    def by_row(self, potentials: NDArray[np.int64]) -> NDArray[np.int64]:
        """Potentials of the first image as `products` orders them, shape (rows, outputs)."""
        raise NotImplementedError

    def operand_bits(self, known: Infos, bits: Widths) -> int:
        """Width of what one addition adds; ``bits`` are the model's widths."""
        raise NotImplementedError

    def stream_bits(self, known: Infos, bits: Widths) -> int:
        """Bits of the residual stream that are read and written, per sample."""
        return 0 if self.epilogue is None else self.epilogue.stream_bits(self, known, bits)


class Epilogue:
    """What becomes of a layer's potentials. Subclasses are frozen dataclasses."""

    #: Kind in the file, fields with their JSON types, and tensors beside them.
    KIND: ClassVar[str] = ""
    FIELDS: ClassVar[dict[str, JsonType]] = {}
    TENSORS: ClassVar[tuple[str, ...]] = ()

    #: An epilogue without a neuron fires nothing.
    neuron: Neuron | None = None

    @property
    def reads(self) -> list[str]:
        """Names of further tensors that are read."""
        return []

    def outputs(self, layer: Operator, info: TensorInfo, known: Infos) -> dict[str, TensorInfo]:
        """Names and infos of the tensors that are made of potentials, after all own rules.

        ``info`` describes the potentials; its kind is of no account unless it is ``memory``.
        """
        raise NotImplementedError

    def check(self, layer: Operator, facts: Facts) -> None:
        """Raises ModelError if a value does not fit those of other layers."""

    def store(
        self,
        layer: Operator,
        potentials: NDArray[np.int64],
        tensors: Tensors,
    ) -> dict[str, NDArray[np.int64]]:
        """The tensors that are made, by name; ``tensors`` holds those of earlier layers."""
        raise NotImplementedError

    def record(self, layer: Operator, low: np.ndarray, high: np.ndarray, facts: Facts) -> None:
        """Adds the intervals of what is made of potentials of ``low`` to ``high``."""

    def stream_bits(self, layer: Operator, known: Infos, bits: Widths) -> int:
        """Bits of the residual stream that are written, and read to be added to, per sample."""
        return 0


class Headed(Named, Protocol):
    """A layer whose channels are those of heads."""

    @property
    def heads(self) -> int: ...


def look_up(layer: Named, name: str, known: Infos, *kinds: str) -> TensorInfo:
    """Info of a source, which must exist and be of a kind that the layer reads."""
    if name not in known:
        raise ModelError(
            f"Layer {layer.name}: source {name} must be the output of an earlier layer"
        )
    kind = known[name].kind
    if kind not in kinds:
        raise ModelError(
            f"Layer {layer.name}: source {name} must be a tensor of "
            f"{' or '.join(kinds)}, not of {kind}"
        )
    return known[name]


def require_epilogue(layer: Operator, *kinds: type[Epilogue]) -> None:
    """Raises ModelError unless a layer's epilogue is of one of these classes."""
    if not isinstance(layer.epilogue, kinds):
        raise ModelError(
            f"Layer {layer.name}: the epilogue must be one of "
            f"{', '.join(kind.KIND for kind in kinds)}, not {layer.epilogue!r}"
        )


def require_heads(layer: Headed, fits: bool, what: str) -> None:
    """Raises ModelError unless the heads fit."""
    if not fits:
        raise ModelError(
            f"Layer {layer.name}: {layer.heads} heads must divide the channels "
            f"equally and agree along the block, but {what}"
        )

"""What has been read of a file so far: nodes of the float graph, and what each tensor is."""

from collections import Counter
from dataclasses import dataclass, replace
from fractions import Fraction

from train.graph import Largest, Mean, Neuron, Pixels, Pool, Refused, Scale
from train.graph.layout import Layout
from train.graph.unique import Unique
from train.qonnx.constants import Fixed
from train.qonnx.modules import Modules
from train.qonnx.unfit import Unfit


__all__ = ["Bytes", "NoScaleError", "Reader", "Value"]


@dataclass(frozen=True)
class Value:
    """A tensor, of which a node computes the map.

    Parameters
    ----------
    node : str
    layout : Layout
    relu : bool
        Whether what is below 0 is 0 instead.
    alone : bool
        Whether nothing else reads the node's map.
    """

    node: str
    layout: Layout
    relu: bool = False
    alone: bool = True


@dataclass(frozen=True)
class Bytes:
    """The picture as it comes in, ``gain`` times and ``shift`` more."""

    layout: Layout
    gain: Fraction = Fraction(1)
    shift: Fraction = Fraction(0)


class Reader:
    """Nodes of the float graph, made one after another.

    Parameters
    ----------
    file : File
    scale : Fraction or None
        What a byte stands for.
    otherwise : Fraction or None
        The same, where neither the scale nor the file tells.
    """

    def __init__(self, file, scale, otherwise=None):
        self.file = file
        self._scale = None if scale is None else Fraction(scale)
        self._otherwise = None if otherwise is None else Fraction(otherwise)
        self.modules = Modules()
        self.entry = Pixels(name="pixels", size=_size(file), scale=None)
        self.nodes = [self.entry]
        self.summands = {}
        self.known = {name: Fixed(array) for name, array in file.constants.items()}
        self.known[file.source] = Bytes(_layout(file, self.entry.size))
        self._readers = Counter(name for operation in file.operations for name in operation.inputs)
        self._readers.update(file.outputs)
        self._unique = Unique("#", ["pixels"])

    # What handlers ask.

    def inputs(self, operation):
        """What the inputs of an operation are: a `Value`, `Bytes`, a `Fixed` or ``None``."""
        return [self._look_up(name) for name in operation.inputs]

    def value(self, operation, found, *, centred=False):
        """An input as the map of a node.

        Parameters
        ----------
        operation : Operation
        found : Value, Bytes, Fixed or None
        centred : bool
            Whether pixels from which a constant was taken may be read.
        """
        if isinstance(found, Bytes):
            found = self.settle(found)
        if not isinstance(found, Value):
            raise Unfit("reads a constant in place of a map", "fold it into a layer")
        if found.node == "pixels" and self.entry.centre and not centred:
            raise Unfit("reads signed pixels", "put a convolution or a linear layer between them")
        return found

    def map(self, operation, found, **options):
        """An input as the map of a node that is read as it is."""
        value = self.value(operation, found, **options)
        if value.relu:
            raise Unfit(
                "reads real numbers behind a ReLU, which are no counts",
                "put an unsigned quantiser behind the ReLU",
            )
        return value

    def node(self, name):
        """The node of a name."""
        return next(node for node in self.nodes if node.name == name)

    def size(self, value):
        """Channels, height and width of a value's map, without a constant channel."""
        channels, height, width = self.node(value.node).size
        if value.node == "pixels":
            channels -= self.entry.constant > 0
        return channels, height, width

    def nonnegative(self, value):
        """Whether no number of a value is below 0."""
        node = self.node(value.node)
        while isinstance(node, (Largest, Mean, Pool, Scale)):
            node = self.node(node.inputs[0])
        return (
            value.relu
            or isinstance(node, Neuron)
            or (node.name == "pixels" and not self.entry.centre)
        )

    def is_counts(self, value):
        """Whether a value is that of a neuron, or scaled."""
        node = self.node(value.node)
        while isinstance(node, (Largest, Scale)):
            node = self.node(node.inputs[0])
        return isinstance(node, (Neuron, Pixels))

    # What handlers say.

    def keep(self, operation, value):
        """Let an operation's result be a value."""
        self.known[operation.outputs[0]] = value

    def add(self, operation, kind, /, *inputs, size, layout=None, **fields):
        """Append a node, and let the operation's result be its map; returns its name."""
        name = self._unique(operation.place.name)
        self.nodes.append(
            kind(
                name=name,
                inputs=tuple(value.node for value in inputs),
                size=tuple(size),
                scope=operation.place.scope,
                **fields,
            )
        )
        self.keep(operation, Value(name, layout or Layout.maps(*size)))
        return name

    def replace(self, node):
        """Put a node in place of that of the same name."""
        self.nodes = [node if other.name == node.name else other for other in self.nodes]

    def refuse(self, operation, unfit):
        """Append a node that has no meaning."""
        inputs = []
        for found in map(self.known.get, operation.inputs):
            if isinstance(found, Bytes):
                inputs.append(Value("pixels", found.layout))
            elif isinstance(found, Value):
                inputs.append(found)
        size, layout = (1, 1, 1), Layout.maps(1, 1, 1)
        if inputs:
            size, layout = self.size(inputs[0]), inputs[0].layout
        shape = self.file.shapes.get(operation.outputs[0]) if operation.outputs else None
        if shape and len(shape) in (1, 3):
            size = (*shape, 1, 1)[:3]
            layout = Layout.maps(*size).reshape(shape)
        fields = {"kind": operation.kind, "reason": unfit.reason, "remedy": unfit.remedy}
        name = self.add(operation, Refused, *inputs, size=size, layout=layout, **fields)
        for output in operation.outputs:
            self.known[output] = Value(name, layout)

    def settle(self, found, quantiser=None):
        """Bytes as the map of pixels: their scale is known, or what the file itself says.

        Parameters
        ----------
        found : Bytes
        quantiser : Quantiser, optional
            Through which they come.

        Returns
        -------
        Value or None
            ``None`` if the quantiser does more than to scale and shift bytes.
        """
        values = self._values(found, quantiser)
        step = values[1] - values[0]
        centre = -values[0] / step if step > 0 else None
        if (
            centre is None
            or centre.denominator != 1
            or not 0 <= centre <= 255
            or any(values[byte] != step * (byte - centre) for byte in range(256))
        ):
            if quantiser is not None:
                return None
            raise Unfit(
                "reads pixels from which no whole byte is taken",
                "subtract a byte from 0 to 255, or fold the shift into the first layer's bias",
            )
        self._enter(step, int(centre))
        return Value("pixels", found.layout)

    def _values(self, found, quantiser):
        """What each of the 256 bytes becomes."""
        scale = self._scale
        if scale is None and found.gain != 1:
            # Whoever multiplies pixels by 1/255 begins with bytes.
            scale = Fraction(1)
        if scale is None and quantiser is not None and quantiser.most - quantiser.least == 255:
            return [
                (quantiser.least + byte - quantiser.zero) * quantiser.step for byte in range(256)
            ]
        scale = self._otherwise if scale is None else scale
        if scale is None:
            raise NoScaleError
        numbers = [found.gain * scale * byte + found.shift for byte in range(256)]
        if quantiser is None:
            return numbers
        return [quantiser.number(number) * quantiser.step for number in numbers]

    def _enter(self, scale, centre):
        """Say what a byte of a picture is; it must be the same for all who read pixels."""
        before = self.entry
        if before.scale is None:
            channels, height, width = before.size
            self.entry = replace(
                before,
                scale=scale,
                constant=centre,
                centre=centre,
                size=(channels + (centre > 0), height, width),
            )
            self.nodes[0] = self.entry
        elif (before.scale, before.centre) != (scale, centre):
            raise Unfit("reads pixels otherwise than an earlier node", "quantise pixels once")

    def _look_up(self, name):
        if not name:
            return None
        try:
            found = self.known[name]
        except KeyError:
            raise Unfit(
                f"reads {name[:80]!r}, which no earlier node computes", "sort the nodes of the file"
            ) from None
        if isinstance(found, Value) and self._readers[name] > 1:
            return replace(found, alone=False)
        return found


class NoScaleError(Exception):
    """Nobody says what a byte stands for."""


def _size(file):
    """Channels, height and width of pictures."""
    if len(file.shape) == 1:
        return (*file.shape, 1, 1)
    if _channels_last(file):
        height, width, channels = file.shape
        return channels, height, width
    return file.shape


def _layout(file, size):
    layout = Layout.maps(*size)
    return layout.permute((1, 2, 0)) if _channels_last(file) else layout.reshape(file.shape)


def _channels_last(file):
    """Whether channels are the last axis of pictures, as a transposition of them tells."""
    readers = [operation for operation in file.operations if file.source in operation.inputs]
    return bool(readers) and all(
        reader.kind == "Transpose" and list(reader.attributes.get("perm", [])) == [0, 3, 1, 2]
        for reader in readers
    )

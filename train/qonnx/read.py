"""A QONNX file becomes a float graph, node after node."""

from train.graph import SpikeGraph
from train.qonnx.constants import CONSTANTS, Fixed
from train.qonnx.file import QonnxError, load
from train.qonnx.reader import NoScaleError, Reader, Value
from train.qonnx.tables import KINDS, refusal
from train.qonnx.unfit import Unfit


__all__ = ["read"]


def read(path, *, scale=None, otherwise=None):
    """Read a quantised network.

    Parameters
    ----------
    path : path-like
        QONNX file.
    scale : Fraction, optional
        What the file is given for a byte, over the byte. Without it, a quantiser of 256 levels or a
        multiplication at the network's input tells.
    otherwise : Fraction, optional
        The same, where neither ``scale`` nor the file tells.

    Returns
    -------
    SpikeGraph
        Of exact numbers; what has no meaning is a `train.graph.Refused` in it.

    Raises
    ------
    QonnxError
        If the file cannot be read, or nobody says what a byte stands for.
    """
    file = load(path)
    reader = Reader(file, scale, otherwise)
    try:
        for operation in _needed(file):
            _visit(reader, operation)
        outputs = [_leave(reader, name) for name in file.outputs]
    except NoScaleError as error:
        raise QonnxError(
            f"{path}: nobody says what a byte of a picture stands for: quantise the network's "
            "input to 8 bits, or pass --pixel-scale 1/255 for pixels from 0 to 1"
        ) from error
    if not outputs:
        raise QonnxError(f"{path}: has no output")
    if reader.entry.scale is None:
        raise QonnxError(f"{path}: no output depends on the picture")
    return SpikeGraph(
        name=file.name,
        nodes=tuple(reader.nodes),
        outputs=tuple(outputs),
        modules=reader.modules.root,
        exact=True,
    )


def _needed(file):
    """Operations that an output follows from, in the order of the file."""
    needed, found = set(file.outputs), []
    for operation in reversed(file.operations):
        if needed.intersection(operation.outputs):
            found.append(operation)
            needed.update(name for name in operation.inputs if name)
    return reversed(found)


def _visit(reader, operation):
    """Let the handler of a node's kind say what it is."""
    try:
        _handle(reader, operation)
    except Unfit as unfit:
        reader.refuse(operation, unfit)
    except NoScaleError:
        raise
    # A damaged node has other inputs and attributes than its kind, in as many ways as there are.
    except Exception:
        reader.refuse(operation, Unfit("is not what its kind asks for", "export it again"))


def _handle(reader, operation):
    """Let constants be computed, and everything else be told by its kind."""
    constant = operation.kind in CONSTANTS and all(
        found is None or isinstance(found, Fixed) for found in reader.inputs(operation)
    )
    if constant:
        _compute(reader, operation)
    elif operation.kind in KINDS:
        KINDS[operation.kind](reader, operation)
    else:
        raise refusal(operation.kind)


def _compute(reader, operation):
    """Compute a constant of constants."""
    found = reader.inputs(operation)
    while found and found[-1] is None:
        found.pop()
    reader.keep(operation, CONSTANTS[operation.kind](operation, *found))


def _leave(reader, name):
    """Node of a tensor that leaves the network."""
    found = reader.known.get(name)
    if isinstance(found, Value) and not found.relu:
        return found.node
    maker = next((one for one in reader.file.operations if name in one.outputs), None)
    if maker is None:
        raise QonnxError(f"the output {name[:80]!r} is computed by no node")
    reader.refuse(
        maker,
        Unfit("leaves the network as no class scores", "end with a linear layer or a convolution"),
    )
    return reader.known[name].node

"""A source as a float graph, whichever kind of file it is."""

from pathlib import Path

from train.families.own import SourceError, load_own
from train.run.contents import complete
from train.run.parameters import read_parameters
from train.trace import trace


__all__ = ["SourceError", "open_graph"]


def open_graph(source, *, image=None, scale=None, otherwise=None, checkpoint=None):
    """Read a network that somebody else made.

    Parameters
    ----------
    source : str
        ``FILE.py:FUNCTION``, whose function returns a ``torch.nn.Module``, or a QONNX file.
    image : (int, int, int), optional
        Height, width and channels of an image, for a function.
    scale : Fraction, optional
        What a byte of an image stands for.
    otherwise : Fraction, optional
        The same, where neither ``scale`` nor the network tells.
    checkpoint : Path, optional
        Parameters of a function's network.

    Returns
    -------
    SpikeGraph

    Raises
    ------
    SourceError, TraceError, CheckpointError
        One sentence.
    """
    if ".py:" in str(source):
        if image is None:
            raise SourceError(f"{source} needs --input CxHxW, the shape of an image")
        network = load_own(source, {}).eval()
        if any(parameter.is_meta for parameter in network.parameters()):
            raise SourceError(f"{source} must return a network with numbers, not on device meta")
        if checkpoint is not None:
            parameters = read_parameters(checkpoint, None).values
            network.load_state_dict(complete(parameters, network, checkpoint))
        name = Path(str(source).partition(".py:")[0]).name
        return trace(network, image, scale=scale, otherwise=otherwise, name=name)
    path = Path(source)
    if path.suffix == ".onnx":
        from train.qonnx import read

        return read(path, scale=scale, otherwise=otherwise)
    raise SourceError(
        f"{source} must be FILE.py:FUNCTION or a QONNX file that ends in .onnx; official "
        "checkpoints (.pth) are converted with --family"
    )

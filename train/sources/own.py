"""A user's own network: ``mynet.py:build``, called with keywords and given a checkpoint."""

import importlib.util
import sys
from pathlib import Path

from torch import nn

from golden.data.reading import printable
from train.run.contents import complete
from train.run.parameters import read_parameters


__all__ = ["SourceError", "is_own", "load_own"]


class SourceError(ValueError):
    """A source that gives no network, told in one sentence."""


def is_own(source):
    """Whether a source names a function of a Python file.

    >>> is_own("mynet.py:build"), is_own("net.onnx")
    (True, False)
    """
    return ".py:" in str(source)


def load_own(source, keywords, checkpoint=None):
    """Call a user's function.

    Parameters
    ----------
    source : str
        ``FILE.py:FUNCTION``.
    keywords : dict
        Passed to the function.
    checkpoint : Path, optional
        ``state_dict``, bare or as an entry of a file.

    Returns
    -------
    nn.Module
        In evaluation mode.

    Raises
    ------
    SourceError
        If there is no such file or function, or it returns no module.
    CheckpointError
        If the checkpoint's parameters are not the network's.
    """
    path, _, function = str(source).rpartition(":")
    module = _imported(Path(path), source)
    try:
        build = getattr(module, function)
    except AttributeError as error:
        raise SourceError(f"{path} has no function {function!r}") from error
    try:
        network = build(**keywords)
    # A user's own code raises what it likes.
    except Exception as error:
        raise SourceError(
            f"{source} cannot be called with {_spelled(keywords)}: "
            f"{type(error).__name__}: {printable(str(error), 300)}"
        ) from error
    if not isinstance(network, nn.Module):
        raise SourceError(f"{source} must return a torch.nn.Module, not a {type(network).__name__}")
    if checkpoint is not None:
        parameters = read_parameters(checkpoint, None).values
        network.load_state_dict(complete(parameters, network, checkpoint))
    return network.eval()


def _imported(path, source):
    """Module of a Python file, which may import its neighbours."""
    if not path.is_file():
        raise SourceError(f"{source}: there is no file {path}")
    name = f"addend_source_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    folder = str(path.resolve().parent)
    sys.path.insert(0, folder)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise SourceError(
            f"{path} cannot be imported: {type(error).__name__}: {printable(str(error), 300)}"
        ) from error
    finally:
        sys.path.remove(folder)
    return module


def _spelled(keywords):
    return ", ".join(f"{name}={value!r}" for name, value in keywords.items()) or "no arguments"

"""A user's own network as a recipe names it: ``module = "mynet.py:build"``."""

import importlib.util
import sys
from pathlib import Path
from typing import Any

from msgspec import Struct
from torch import nn

from golden.data.reading import printable


__all__ = ["OwnNetwork", "SourceError", "load_own"]


class SourceError(ValueError):
    """A source that gives no network, told in one sentence."""


class OwnNetwork(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A function that returns a network, and what it is called with.

    Parameters
    ----------
    module : str
        ``FILE.py:FUNCTION``.
    keywords : dict
        The recipe's ``network`` table; ``image`` (height, width, channels) and ``classes`` say what
        the data are, where they are not the digits.
    """

    module: str
    keywords: dict[str, Any] = {}

    @property
    def image(self):
        """Height, width and channels of an image."""
        return tuple(self.keywords.get("image", (8, 8, 1)))

    @property
    def classes(self):
        """Number of classes."""
        return self.keywords.get("classes", 10)

    @property
    def head(self):
        """Its one classifier reads spikes, or the export says what it does."""
        return "spike"

    def __post_init__(self):
        if ".py:" not in self.module:
            raise ValueError(f"module must be FILE.py:FUNCTION, not {self.module!r}")
        image, classes = self.image, self.classes
        if len(image) != 3 or not all(type(n) is int and 1 <= n <= 2**16 for n in image):
            raise ValueError(f"image must be height, width and channels, not {list(image)}")
        if type(classes) is not int or not 2 <= classes <= 2**20:
            raise ValueError(f"classes must be 2 or more, not {classes!r}")


def load_own(source, keywords):
    """Call a user's function.

    Parameters
    ----------
    source : str
        ``FILE.py:FUNCTION``.
    keywords : dict
        Passed to the function.

    Returns
    -------
    nn.Module

    Raises
    ------
    SourceError
        If there is no such file or function, or it returns no module.
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
    except (Exception, SystemExit) as error:
        raise SourceError(
            f"{source} cannot be called with {_spelled(keywords)}: "
            f"{type(error).__name__}: {printable(str(error), 300)}"
        ) from error
    if not isinstance(network, nn.Module):
        raise SourceError(f"{source} must return a torch.nn.Module, not a {type(network).__name__}")
    return network


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
    except (Exception, SystemExit) as error:
        raise SourceError(
            f"{path} cannot be imported: {type(error).__name__}: {printable(str(error), 300)}"
        ) from error
    finally:
        sys.path.remove(folder)
    return module


def _spelled(keywords):
    return ", ".join(f"{name}={value!r}" for name, value in keywords.items()) or "no arguments"

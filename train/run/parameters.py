"""Parameters in a file that another program saved: read safely, found, named as in the network."""

import io
from argparse import Namespace
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import PosixPath

import numpy as np
import torch

from golden.data.limits import MAX_ARRAY
from golden.data.reading import listed, printable, read_regular
from train.run.checkpoint import CheckpointError


__all__ = ["StateDict", "read_parameters"]


#: Entries under which training programs keep the network, the likeliest first.
_ENTRIES = (
    "model",
    "state_dict",
    "model_state_dict",
    "network",
    "net",
    "model_ema",
    "ema",
    "state_dict_ema",
    "ema_state_dict",
)

#: Most dicts inside each other around a network.
_DEPTH = 4

#: What distributed training and torch.compile put into names, anywhere and in any order.
_WRAPPERS = ("module", "_orig_mod")

#: What training programs keep beside the parameters, and what runs no code when it is loaded:
#: arguments, paths, and numbers of NumPy under its new and its old name.
_SCALAR = np.float64(0).__reduce__()[0]
_HARMLESS = [
    Namespace,
    PosixPath,
    np.dtype,
    _SCALAR,
    (_SCALAR, "numpy.core.multiarray.scalar"),
    *{type(np.dtype(code)) for code in "?bBhHiIlLqQefd"},
]

#: Start of the first layer's names.
_FIRST = "downsample1_1."

#: Number of networks in a moving average, which AveragedModel keeps among its parameters.
_AVERAGED = "n_averaged"

#: Arguments that published training scripts keep beside the parameters, and that count time steps.
_TIME_STEPS = ("T", "time_step", "time_steps", "timestep", "timesteps")

#: Parts of names by which other generations of the network are known.
_OTHERS = {
    "patch_embed.": "Spike-driven Transformer (V1)",
    ".q_conv.0.body.": "Meta-SpikeFormer (Spike-driven Transformer V2)",
    ".Conv.pwconv1.weight": "Meta-SpikeFormer (Spike-driven Transformer V2)",
}


@dataclass(frozen=True)
class StateDict:
    """Parameters of a network, and where in a file they were.

    Parameters
    ----------
    values : dict of str to tensor
        By the names that the network itself has for them.
    entry : str or None
        Entry of the file that was taken, nested ones joined by dots; None where the file is the
        parameters.
    others : tuple of str
        Entries that were not taken.
    wrappers : tuple of str
        What was left out of names.
    """

    values: dict
    entry: str | None = None
    others: tuple = ()
    wrappers: tuple = ()

    def lines(self, path):
        """What a user should know, as lines of text."""
        lines = []
        if self.entry is not None:
            lines.append(f"{path}: the entry {self.entry} was taken")
        if self.others:
            lines[-1] += f", and not {listed(self.others)} (--entry NAME takes another one)"
        if self.wrappers:
            lines.append(f"{path}: names were read without {' and '.join(self.wrappers)}")
        return lines


def read_parameters(path, entry=None):
    """Read the parameters of a ``state_dict``; no code in the file is run.

    Parameters
    ----------
    path : path-like
        A ``state_dict``, bare or as an entry of a dict, perhaps of a network inside
        ``DistributedDataParallel``, ``AveragedModel`` or ``torch.compile``.
    entry : str, optional
        The one to take. Without it, the first of :data:`_ENTRIES` that is there, or else the only
        one there is.

    Returns
    -------
    StateDict

    Raises
    ------
    CheckpointError
        If the file holds no parameters, or several networks with no telling which is meant; or if
        they are of another generation of the network, or of one that was trained over several time
        steps.
    OSError
        If the file cannot be read.
    """
    contents = _contents(path)
    if "addend-checkpoint" in contents:
        raise CheckpointError(f"{path}: was written by train fit, and train export makes its model")
    found = dict(_entries(contents))
    if not found:
        raise CheckpointError(
            f"{path}: must be a state_dict that torch saved, bare or under {', '.join(_ENTRIES)}"
        )
    taken = _choose(found, entry, path)
    parameters, wrappers = _named(found[taken], path)
    for part, generation in _OTHERS.items():
        if any(part in name for name in parameters):
            raise CheckpointError(
                f"{path}: holds a {generation}, and only the third generation, "
                "E-SpikeFormer, can be converted"
            )
    steps = max((getattr(contents.get("args"), name, 1) for name in _TIME_STEPS), default=1)
    if isinstance(steps, int) and steps > 1:
        raise CheckpointError(
            f"{path}: was trained over T = {steps} time steps, and only networks "
            "of one step (T = 1, D spikes at once) can be converted"
        )
    return StateDict(
        parameters,
        taken or None,
        tuple(name for name in found if name != taken),
        wrappers,
    )


def _contents(path):
    """What torch saved in a file, if that is a dict."""
    data = io.BytesIO(read_regular(path, MAX_ARRAY))
    with torch.serialization.safe_globals(_HARMLESS):
        # torch has no common exception for a foreign or truncated file.
        with suppress(Exception):
            contents = torch.load(data, map_location="cpu", weights_only=True)
            return contents if isinstance(contents, dict) else {}
        names = []
        with suppress(Exception):
            data.seek(0)
            names = torch.serialization.get_unsafe_globals_in_checkpoint(data)
    if names:
        raise CheckpointError(
            f"{path}: holds {listed([printable(name) for name in names])}, which could run code "
            "when it is loaded, so save the state_dict alone: torch.save(network.state_dict(), ...)"
        )
    return {}


def _entries(contents, name="", depth=0, seen=None):
    """Every ``state_dict`` in a dict and in the dicts that it holds, with its name."""
    seen = set() if seen is None else seen
    # A dict may hold itself.
    if depth > _DEPTH or id(contents) in seen or not all(isinstance(key, str) for key in contents):
        return
    seen.add(id(contents))
    # What an optimizer keeps of one parameter has no dots in its names.
    if all(map(torch.is_tensor, contents.values())) and any("." in key for key in contents):
        yield name, contents
        return
    for key, value in contents.items():
        if isinstance(value, dict):
            yield from _entries(value, f"{name}.{key}" if name else key, depth + 1, seen)


def _choose(found, entry, path):
    """Name of the entry to take."""
    if entry is not None:
        if entry not in found:
            entries = listed(list(found)) if "" not in found else "none, for it is the parameters"
            raise CheckpointError(
                f"{path}: --entry must be one of the file's ({entries}), not {entry}"
            )
        return entry
    known = [name for name in _ENTRIES if name in found]
    if known or len(found) == 1:
        return [*known, *found][0]
    raise CheckpointError(
        f"{path}: holds several networks, so choose one of {listed(list(found))} with --entry NAME"
    )


def _named(values, path):
    """Parameters by the network's own names, and what was left out of those in the file."""
    values = {name: value for name, value in values.items() if name != _AVERAGED}
    parts = {name: name.split(".") for name in values}
    wrappers = [wrapper for wrapper in _WRAPPERS if any(wrapper in part for part in parts.values())]
    names = [".".join(part for part in parts[name] if part not in wrappers) for name in values]
    # What a program that holds the network as one of its parts puts before every name.
    prefix = next((name.partition(_FIRST)[0] for name in names if _FIRST in name), "")
    names = [name.removeprefix(prefix) for name in names]
    left_out = tuple(f"{wrapper}." for wrapper in wrappers) + ((prefix,) if prefix else ())
    twice = [name for name, times in Counter(names).items() if times > 1]
    if twice:
        raise CheckpointError(
            f"{path}: has {listed(twice)} twice, by names with and without {' and '.join(left_out)}"
        )
    return dict(zip(names, values.values(), strict=True)), left_out

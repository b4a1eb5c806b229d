"""What a checkpoint holds, checked before anything is made of it."""

import contextlib
from typing import Annotated, Any, NotRequired, TypedDict

import msgspec
import torch
from msgspec import Meta, Struct

from golden.data.reading import listed
from train.interpret.find import grid_shapes


__all__ = ["CheckpointError", "check_fields", "check_grids", "complete", "going_on"]


class CheckpointError(ValueError):
    """A file that is no usable checkpoint, told in one sentence."""


Whole = Annotated[int, Meta(ge=0)]
Seconds = Annotated[float, Meta(ge=0)]


class _Row(TypedDict):
    """What an epoch measured."""

    epoch: Whole
    phase: str
    rate: float
    loss: float
    seconds: Seconds
    additions: NotRequired[float]
    validation_loss: NotRequired[float]
    validation_accuracy: NotRequired[float]


class _Grids(Struct, forbid_unknown_fields=True):
    """Grids as a checkpoint keeps them."""

    scales: dict[str, Any]
    exponents: dict[str, int]
    fraction_bits: dict[str, Whole]
    logit_shift: Whole = 0
    bits: dict[str, Annotated[int, Meta(ge=2, le=16)]] = {}


class _Fields(Struct, forbid_unknown_fields=True):
    """Everything beside the version; files of older versions lack the last ones."""

    config: dict[str, Any]

    seed: Whole
    epoch: Whole
    network: dict[str, Any]
    optimizer: dict[str, Any]
    grids: _Grids | None = None
    seconds: Seconds = 0.0
    accuracy: dict[str, Annotated[float, Meta(ge=0, le=1)]] = {}
    average: dict[str, Any] = {}
    decoder: dict[str, Any] = {}
    history: list[_Row] = []
    classes: tuple[str, ...] = ()


def check_fields(fields, path):
    """Demand the fields of a checkpoint, of the right types, with tensors where they belong.

    Parameters
    ----------
    fields : dict
        Without the version.
    path : path-like
        Named in errors.

    Raises
    ------
    CheckpointError
        One sentence that names the field.
    """
    for name, value in fields.items():
        if _misplaced(value, name):
            raise CheckpointError(
                f"{path}: the checkpoint is damaged (a tensor in the place of "
                f"another value of `{name}`)"
            )
    try:
        msgspec.convert(fields, type=_Fields)
    except msgspec.ValidationError as error:
        sentence = str(error).replace("`$.", "`").replace(" - at `$`", "")
        raise CheckpointError(f"{path}: the checkpoint is damaged ({sentence})") from error


#: Fields that hold tensors, anywhere.
_OF_TENSORS = ("network", "optimizer", "average", "decoder", "scales")


def _misplaced(value, name):
    """Whether a tensor stands where none belongs; decoders would raise what they like."""
    if torch.is_tensor(value):
        return True
    if name in _OF_TENSORS and isinstance(value, dict):
        return False
    if isinstance(value, dict):
        return any(_misplaced(inner, key) for key, inner in value.items())
    return isinstance(value, (list, tuple)) and any(_misplaced(inner, None) for inner in value)


@contextlib.contextmanager
def going_on():
    """Turns what torch raises for foreign state of an optimizer or a module into one sentence.

    Raises
    ------
    CheckpointError
    """
    try:
        yield
    except (ValueError, RuntimeError, LookupError, TypeError, AttributeError) as error:
        raise CheckpointError(
            "the checkpoint's optimizer, average or decoder is not that of its network, so the run "
            "cannot go on; fit --init starts another one from its weights"
        ) from error


def complete(parameters, network, path):
    """Demand the names and shapes of a network.

    The counters of batch norms, which no evaluation reads, may be missing and begin at zero then.

    Parameters
    ----------
    parameters : dict of str to tensor
    network : nn.Module
    path : path-like
        Named in errors.

    Returns
    -------
    dict of str to tensor
        All that the network has.

    Raises
    ------
    CheckpointError
        One sentence that lists what is missing, unexpected, of another shape or not finite.
    """
    wanted = network.state_dict()
    counters = {
        name: torch.zeros((), dtype=torch.int64)
        for name in wanted
        if name.endswith(".num_batches_tracked")
    }
    parameters = {**counters, **parameters}
    odd = [
        f"{name} ({values.dtype})"
        for name, values in parameters.items()
        if name in wanted
        and name not in counters
        and torch.is_tensor(values)
        and not (values.is_floating_point() and values.layout is torch.strided)
    ]
    if odd:
        raise CheckpointError(f"{path}: must have plain floating-point numbers in {listed(odd)}")
    _require(parameters, {name: values.shape for name, values in wanted.items()}, "", path)
    return parameters


def check_grids(grids, network, path):
    """Demand a grid of each layer.

    Parameters
    ----------
    grids : Grids
    network : SpikingNetwork
        Its parameters may be on the device ``meta``.
    path : path-like
        Named in errors.

    Raises
    ------
    CheckpointError
        As for :func:`complete`.
    """
    wanted = grid_shapes(network)
    _require(grids.scales, wanted.scales, "the scale of ", path)
    for name in ("exponents", "fraction_bits"):
        found = {layer: torch.tensor(value) for layer, value in getattr(grids, name).items()}
        shapes = dict.fromkeys(getattr(wanted, name), torch.Size())
        _require(found, shapes, f"the {name} of ", path)


def _require(found, shapes, noun, path):
    """Raises unless tensors have just these names and shapes, and are finite."""
    there = {name: values for name, values in found.items() if name in shapes}
    fitting = {
        name: values
        for name, values in there.items()
        if torch.is_tensor(values) and values.shape == shapes[name]
    }
    faults = []
    for what, names in (
        ("lacks", [f"{noun}{name}" for name in shapes if name not in found]),
        ("has the unexpected", [f"{noun}{name}" for name in found if name not in shapes]),
        (
            "has no tensor in",
            [f"{noun}{name}" for name, values in there.items() if not torch.is_tensor(values)],
        ),
        (
            "has other shapes than the network in",
            [
                f"{noun}{name} ({_text(values.shape)} in place of {_text(shapes[name])})"
                for name, values in there.items()
                if torch.is_tensor(values) and name not in fitting
            ],
        ),
        (
            "has numbers that are not finite in",
            [f"{noun}{name}" for name, values in fitting.items() if not values.isfinite().all()],
        ),
    ):
        if names:
            faults.append(f"{what} {listed(names)}")
    if faults:
        raise CheckpointError(f"{path}: {'; '.join(faults)}")


def _text(shape):
    return "x".join(map(str, shape)) or "one number"

"""What golden makes of a model file, held against the other executor."""

import numpy as np

import golden
from golden.model.ranges import widths

from .reference import Reference


__all__ = ["golden_difference"]


def golden_difference(path, images):
    """First difference between golden and the reference, or None.

    Every tensor of golden is compared, in whole counts and in every spike code, and so are widths,
    additions and mean counts.

    Parameters
    ----------
    path : Path
        A model file.
    images : uint8 array, shape (images, height, width, channels), or of frames

    Returns
    -------
    str or None
    """
    reference = Reference(path)
    trace = reference.run(images)
    try:
        return next(_differences(golden.load(path), images, reference, trace), None)
    # Whatever a legal model makes golden do, it must not end in an exception.
    except Exception as error:
        return f"golden ends in {type(error).__name__}: {error}"


def _differences(model, images, reference, trace):
    """One sentence for each."""
    tensors, bits, derived = reference.public(trace), reference.widths(trace), widths(model)
    for name in bits:
        if derived[name] != bits[name]:
            yield f"widths of layer {name} are {derived[name]}, reference {bits[name]}"
    for code in (None, *golden.SpikeCode):
        where = "whole counts" if code is None else f"the {code.value} code"
        result = golden.run(model, images, trace=True, code=code)
        yield from _unequal(result.tensors, tensors, where)
    outputs = {name: tensors[name] for name in model.outputs}
    yield from _unequal(golden.run(model, images).outputs, outputs, "a run without trace")
    for code in golden.SpikeCode:
        yield from _unequal(
            golden.additions_per_image(model, tensors, code),
            reference.additions(trace, code.value),
            f"additions of the {code.value} code",
        )
    yield from _unequal(
        golden.skipping_macs(model, tensors), reference.skipping_macs(trace), "multiplications"
    )
    means = {name: values.mean() for name, values in tensors.items() if name.endswith(".counts")}
    found = golden.mean_counts(model, images)
    found.pop(golden.PIXELS)
    yield from _unequal(found, means, "mean counts")


def _unequal(found, expected, where):
    """Tensors that are missing, additional, of another shape, or different."""
    for name in expected.keys() ^ found.keys():
        yield f"{where}: {name} is made by one of the two only"
    for name, values in expected.items():
        got = np.asarray(found[name])
        if got.shape != np.shape(values):
            yield f"{where}: {name} has shape {got.shape}, reference {np.shape(values)}"
        elif (got != values).any():
            place = tuple(np.argwhere(got != values)[0].tolist())
            yield f"{where}: {name}{list(place)} is {got[place]}, reference {values[place]}"

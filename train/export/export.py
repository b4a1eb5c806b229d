"""Export: a quantised network becomes an integer model, and both are compared tensor by tensor."""

import dataclasses

import numpy as np

import golden
from train.interpret.lower import ExportError, integer_model


__all__ = ["compare", "export"]


def compare(model, quantised, images, *, batch=128, progress=None):
    """Demand that golden and the quantised network agree in every tensor, on every image.

    Parameters
    ----------
    model : IntegerModel
    quantised : QuantisedNetwork
    images : uint8 array, shape (images, height, width, channels)
    batch : int
    progress : function of (int, int), optional
        Called with the number of images done and their total.

    Returns
    -------
    int
        Number of integers that were compared.

    Raises
    ------
    ExportError
        At the first difference, in the order of execution.
    """
    compared = 0
    for start in range(0, len(images), batch):
        part = images[start : start + batch]
        ours = quantised.run(part, trace=True)
        theirs = golden.run(model, part, trace=True).tensors
        if ours.keys() != theirs.keys():
            odd = sorted(ours.keys() ^ theirs.keys())
            raise ExportError(f"{odd[0]} must be computed by both sides, not by one")
        for name, expected in ours.items():
            _equal(name, expected, theirs[name], start)
            compared += expected.size
        if progress is not None:
            progress(start + len(part), len(images))
    return compared


def export(quantised, path, images, *, name, notes=None, takes=None, progress=None):
    """Fold, compare on ``images``, and write the model file only if every integer agrees.

    Parameters
    ----------
    quantised : QuantisedNetwork
    path : path-like
        The safetensors file to write.
    images : uint8 array, shape (images, height, width, channels)
        The whole test set; mean counts are measured on it too.
    name, notes, takes, progress
        As for :func:`integer_model` and :func:`compare`.

    Returns
    -------
    model : IntegerModel
    compared : int
        Number of integers that were compared.

    Raises
    ------
    ExportError
        If the two sides differ; nothing is written then.
    OSError
        If the file cannot be written; nothing is left behind then.
    """
    model = integer_model(quantised, name=name, notes=notes, takes=takes)
    golden.validate(model)
    compared = compare(model, quantised, images, progress=progress)
    model = dataclasses.replace(model, mean_counts=golden.mean_counts(model, images))
    golden.save(model, path)
    return model, compared


def _equal(name, expected, found, start):
    if expected.shape != found.shape:
        raise ExportError(f"{name} must have shape {expected.shape}, not {found.shape}")
    if np.array_equal(expected, found):
        return
    image, *place = (int(index) for index in np.argwhere(expected != found)[0])
    raise ExportError(
        f"{name} must be {expected[image, *place]} at image {start + image}, position {place}, "
        f"as the quantised network computes, not {found[image, *place]}"
    )

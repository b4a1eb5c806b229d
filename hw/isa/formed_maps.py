"""Maps that a core forms beside those of the model: several in one, or one spike."""

import numpy as np

from golden import PIXELS


__all__ = ["complete", "mean_count"]


def complete(tensors, formed):
    """A trace with the maps that are formed.

    Parameters
    ----------
    tensors : dict of str to int64 array, shape (samples, channels, height, width) or any other
        Of a golden run, or ``synthetic_tensors``.
    formed : dict of str to tuple of str
        See `Plan`.

    Returns
    -------
    dict of str to int64 array
    """
    ones = np.ones((len(tensors[PIXELS]), 1, 1, 1), np.int64)
    return tensors | {
        name: np.concatenate([tensors[part] for part in parts], axis=1) if parts else ones
        for name, parts in formed.items()
    }


def mean_count(model, tensor, formed):
    """Mean count of a map, formed or not, see ``IntegerModel.mean_count``."""
    parts = formed.get(tensor, (tensor,))
    return float(np.mean([model.mean_count(part) for part in parts])) if parts else 1.0

"""Maps that a core forms beside those of the model: several in one, or one count everywhere."""

from dataclasses import dataclass

import numpy as np

from golden import PIXELS


__all__ = ["FormedMap", "complete", "mean_count"]


@dataclass(frozen=True)
class FormedMap:
    """Counts of ``parts`` one behind the other along the channels; of none, one count everywhere.

    Parameters
    ----------
    parts : tuple of str
    shape : tuple of int
        Channels, height and width.
    count : int
        Where there are no parts.
    """

    parts: tuple
    shape: tuple
    count: int = 0


def complete(tensors, formed):
    """A trace with the maps that are formed.

    Parameters
    ----------
    tensors : dict of str to int64 array, shape (samples, channels, height, width) or any other
        Of a golden run, or ``synthetic_tensors``.
    formed : dict of str to FormedMap

    Returns
    -------
    dict of str to int64 array
    """
    samples = len(tensors[PIXELS])
    return tensors | {
        name: np.concatenate([tensors[part] for part in made.parts], axis=1)
        if made.parts
        else np.full((samples, *made.shape), made.count, np.int64)
        for name, made in formed.items()
    }


def mean_count(model, tensor, formed):
    """Mean count of a map, formed or not, see ``IntegerModel.mean_count``."""
    if tensor not in formed:
        return model.mean_count(tensor)
    made = formed[tensor]
    if not made.parts:
        return float(made.count)
    return float(np.mean([model.mean_count(part) for part in made.parts]))

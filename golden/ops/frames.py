"""The axis of time steps, which arrays of one step may lack."""

import numpy as np


__all__ = ["framed", "like"]


def framed(values: np.ndarray) -> np.ndarray:
    """Array (samples, steps, channels, *size) of one that may lack its axis of one step.

    >>> import numpy as np
    >>> framed(np.zeros((2, 3, 4, 5))).shape, framed(np.zeros((2, 7, 3, 4, 5))).shape
    ((2, 1, 3, 4, 5), (2, 7, 3, 4, 5))
    """
    return values[:, None] if values.ndim == 4 else values


def like(result: np.ndarray, values: np.ndarray) -> np.ndarray:
    """``result`` of five axes without that of one step, where ``values`` lack it, too."""
    return result[:, 0] if values.ndim == 4 and result.shape[1] == 1 else result

"""Types that annotations in several places name."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from golden.tensor_info import TensorInfo


__all__ = [
    "Bounds",
    "Infos",
    "Interval",
    "JsonType",
    "Linear",
    "Progress",
    "Tensors",
    "Weigh",
    "Widths",
]


#: Tensors, what is known of them, and the bits of each noun of each layer, by name.
Tensors = Mapping[str, NDArray[np.int64]]
Infos = Mapping[str, TensorInfo]
Widths = Mapping[str, Mapping[str, int]]

#: Least and largest values by channel: of int64, or, where these may not reach, of Python integers.
Bounds = tuple[NDArray[np.int64], NDArray[np.int64]]
Interval = tuple[np.ndarray, np.ndarray]

#: A linear operator; what each value of a tensor of a name counts for.
Linear = Callable[[NDArray[np.int64]], NDArray[np.int64]]
Weigh = Callable[[NDArray[np.int64], str], NDArray[np.int64]]

#: Called with what is done and the total.
Progress = Callable[[int, int], None]

#: What ``isinstance`` takes, for a value of JSON.
JsonType = type | tuple[type, ...]

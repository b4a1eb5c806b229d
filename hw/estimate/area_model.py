"""LUTs of a core before synthesis: a sum over its parts, fitted to built cores."""

from functools import cache
from pathlib import Path

import numpy as np

from golden.data.description import read_json

from .block_rams import memory_table


__all__ = ["COEFFICIENTS", "dense_lut", "features", "fit", "fit_dense", "predicted_lut"]


#: LUTs per unit of each feature, and what routing adds, as ``tests/benchmark/calibrate.py`` found.
COEFFICIENTS = Path(__file__).with_name("area_model.json")


def features(config):
    """What a core's LUTs are proportional to.

    Parameters
    ----------
    config : CoreConfig

    Returns
    -------
    dict of str to float
    """
    lanes, columns = config.columns * config.lanes, config.columns
    return {
        "core": 1,
        "external bus": int(config.external),
        "external bus, bits": config.bus_width,
        "columns": columns,
        "accumulators, bits": lanes * config.accumulator_width,
        "elements that are added before, bits": lanes * config.row_width * (config.banks - 1),
        "comparisons, bits": columns * config.max_count * config.result_width,
        "words that leave, bits": columns * config.spike_width,
        "memories, multiplexed bits": sum(row["multiplexed"] for row in memory_table(config)),
    }


def fit(measured):
    """Coefficients of least relative error, none of them negative.

    Parameters
    ----------
    measured : list of (CoreConfig, float)
        Cores and their LUTs.

    Returns
    -------
    dict of str to float
    """
    names = list(features(measured[0][0]))
    rows = np.array([[features(config)[name] for name in names] for config, _ in measured])
    scaled = rows / np.array([[lut] for _, lut in measured])
    left = list(range(len(names)))
    while True:
        found = np.linalg.lstsq(scaled[:, left], np.ones(len(measured)), rcond=None)[0]
        if (found >= 0).all():
            return {
                names[index]: round(float(value), 4)
                for index, value in zip(left, found, strict=True)
            }
        left.pop(int(found.argmin()))


def dense_lut(size):
    """LUTs of a routed dense engine.

    Parameters
    ----------
    size : DenseSize
        Whose widths count: a product with a weight of 4 bits takes three fifths of one with 8.

    Returns
    -------
    float
    """
    known = _known()["dense"]
    return known["bits"] * size.bits + known["adders"] * size.adders


def fit_dense(measured):
    """LUTs per bit of a dense engine's masks and adders, and what each adder takes besides.

    Parameters
    ----------
    measured : list of (DenseSize, float)
        Engines of two or more widths, and their LUTs.

    Returns
    -------
    dict of str to float
    """
    rows = np.array([[size.bits, size.adders] for size, _ in measured], float)
    found = np.linalg.lstsq(rows, np.array([lut for _, lut in measured], float), rcond=None)[0]
    return {
        name: round(float(value), 4) for name, value in zip(("bits", "adders"), found, strict=True)
    }


def predicted_lut(config, *, routed=True):
    """LUTs of a core.

    Parameters
    ----------
    config : CoreConfig
    routed : bool
        Whether those are counted that routing adds.

    Returns
    -------
    float
    """
    known = _known()
    given = features(config)
    return (known["routed"] if routed else 1) * sum(
        value * given[name] for name, value in known["coefficients"].items()
    )


@cache
def _known():
    return read_json(COEFFICIENTS, "the area model")

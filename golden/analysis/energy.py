"""Energy of one image by the papers' formula, and of the dense network that is the honest baseline.

Every figure is arithmetic alone: an operation's energy times the number of operations. Memories,
clocks and control, which dominate real chips, are left out by all of these formulas.

References
----------
Horowitz, "Computing's energy problem", ISSCC 2014, doi:10.1109/ISSCC.2014.6757323 (45 nm, 0.9 V).
Yao et al., TPAMI 47(4), 2025, doi:10.1109/TPAMI.2025.3530246 (the formula).
"""

from dataclasses import dataclass

from golden.analysis.activity_statistics import ActivityStatistics
from golden.names import PIXELS
from golden.spike import SpikeCode, plane_count


__all__ = [
    "ADD_INT32",
    "AC_FLOAT32",
    "MAC_FLOAT32",
    "MULTIPLY_INT8",
    "LayerEnergy",
    "energies",
    "formula",
    "mac_energy",
]


#: Picojoules at 45 nm: multiply-accumulate and accumulate of 32-bit floats, as the papers charge.
MAC_FLOAT32 = 4.6
AC_FLOAT32 = 0.9

#: Picojoules at 45 nm: product of 8-bit integers, and an addition to a 32-bit integer accumulator.
MULTIPLY_INT8 = 0.2
ADD_INT32 = 0.1

#: Bits of a pixel.
_PIXEL_BITS = 8


@dataclass(frozen=True)
class LayerEnergy:
    """Picojoules per image of one layer.

    Parameters
    ----------
    name : str
    papers : float
        Formula of the papers, 32-bit floats: additions in thermometer code, the stem in MACs.
    papers_dense : float
        The same convention for the dense network: a MAC per tap.
    thermometer, bit_serial : float
        Additions that were counted, to a 32-bit integer accumulator.
    dense : float
        MACs of integers, activations of ``ceil(log2(D + 1))`` bits, nothing skipped.
    skipping : float
        The same with MACs whose activation is 0 left out.
    """

    name: str
    papers: float
    papers_dense: float
    thermometer: float
    bit_serial: float
    dense: float
    skipping: float


def formula(macs: int, mean_count: float) -> float:
    """Picojoules of a spike-driven layer: ``E_AC T D fr FL``, where ``D fr`` is the mean count.

    >>> formula(1_000_000, 0.5)
    450000.0
    """
    return AC_FLOAT32 * mean_count * macs


def mac_energy(activation_bits: int, operand_bits: int) -> float:
    """Picojoules of an integer multiply-accumulate.

    A multiplier's energy goes with the product of its widths; 8 x 8 bits cost 0.2 pJ. The sum goes
    to a 32-bit accumulator, as that of an addition does.

    >>> mac_energy(8, 8) == MULTIPLY_INT8 + ADD_INT32
    True
    """
    return MULTIPLY_INT8 * activation_bits * operand_bits / 64 + ADD_INT32


def energies(statistics: ActivityStatistics) -> list[LayerEnergy]:
    """Energy of every layer that computes with spikes or pixels.

    Parameters
    ----------
    statistics : ActivityStatistics

    Returns
    -------
    list of LayerEnergy
        Per image.
    """
    return [
        _layer(statistics, layer)
        for layer in statistics.layers.values()
        if layer.inputs is not None
    ]


def _layer(statistics, layer):
    stem = layer.inputs == PIXELS
    bits = _PIXEL_BITS if stem else plane_count(SpikeCode.BIT_SERIAL, statistics.max_count)
    mac = mac_energy(bits, layer.operand_bits)
    if stem:
        papers = MAC_FLOAT32 * layer.macs
    else:
        papers = formula(layer.macs, statistics.mean_count(layer.inputs))
    return LayerEnergy(
        name=layer.name,
        papers=papers,
        papers_dense=MAC_FLOAT32 * layer.macs,
        thermometer=ADD_INT32 * layer.additions[SpikeCode.THERMOMETER] / statistics.images,
        bit_serial=ADD_INT32 * layer.additions[SpikeCode.BIT_SERIAL] / statistics.images,
        dense=mac * layer.macs,
        skipping=mac * layer.skipping / statistics.images,
    )

"""The targets of ``tests.benchmark.hardware``: what the runs say about each of them."""

from dataclasses import dataclass

from tests.benchmark.networks import ENGINES as LAYER_ENGINES

from . import judges
from . import layers as bench_layers


__all__ = ["ENGINES", "FIXED", "Row", "rows"]


FIXED = tuple(layer.name for layer in bench_layers.FIXED)
#: Runs of the engines that are built for one fixed layer.
ENGINES = tuple(f"{name}-engine" for name in LAYER_ENGINES)


@dataclass(frozen=True)
class Row:
    """A target, and how far it was reached.

    Parameters
    ----------
    number : int
    what, target, measured : str
    met : bool or None
        None where it was not measured.
    """

    number: int
    what: str
    target: str
    measured: str
    met: bool | None


def rows(found):
    """All rows, in order.

    Parameters
    ----------
    found : dict of str to dict
        By run, as ``keep.measure`` returns them; runs may be missing.

    Returns
    -------
    list of Row
    """
    return [_row(number, found, *entry) for number, entry in enumerate(_ROWS, start=1)]


def _row(number, found, what, target, judge, *needed):
    if any(name not in found for name in needed):
        return Row(number, what, target, "not measured", None)
    measured, met = judge(*(found[name] for name in needed))
    return Row(number, what, target, measured, met)


_ROWS = (
    (
        (
            "LUT x cycles per image, cifar10-nano and E-SpikeFormer-T, "
            "against dense engines of their widths"
        ),
        ">= 3 times lower",
        judges.networks,
        "routed-wider",
        "synthesised-tiny",
        "routed-dense-nano",
        "synthesised-dense-tiny",
        "nano-wider",
        "tiny-wider",
    ),
    (
        "U of layers with >= 256 inputs, recorded spikes",
        "median >= 0.95, worst >= 0.85",
        judges.large_layers,
        "nano-on-chip",
        "L2",
        "L3",
        "L4",
    ),
    (
        "U of cifar10-nano and of E-SpikeFormer-T, everything included",
        ">= 0.75",
        judges.whole,
        "nano",
        "tiny",
        "nano-narrow",
        "tiny-narrow",
    ),
    (
        "additions executed over thermometer additions, trained models",
        "<= 0.80 (D = 4), <= 0.65 (D = 8)",
        judges.codes,
        "codes",
    ),
    (
        "LUT per lane of the complete core, and of a column",
        "<= 48 and <= 38",
        judges.per_lane,
        "routed-core",
        "routed-wider",
        "routed-column",
        "routed-column-wide",
    ),
    (
        "Fmax of the complete core, and of a column",
        ">= 120 and >= 150 MHz",
        judges.clock,
        "routed-core",
        "routed-column",
    ),
    (
        (
            "LUT x cycles of a 64 x 64 layer at mean count 0.6, "
            "against FINN's MVU and the dense engine"
        ),
        ">= 9 and >= 4.5 times lower",
        judges.one_layer,
        "L1-engine",
        "routed-L1",
        "routed-dense",
    ),
    (
        "mean count up to which the event engine beats the dense one (L2)",
        ">= 2.5",
        judges.even_count,
        "L2-engine",
        "routed-L2",
        "routed-dense",
    ),
    (
        "cycles of a block: 64 tokens, 384 channels, 12 heads, MLP 1536",
        "<= 170,000 (512 lanes)",
        judges.block,
        "block",
    ),
    (
        "predicted cycles against RTL",
        "equal, every layer",
        judges.exact,
        "nano-on-chip",
        "nano-narrow",
        *FIXED,
        *ENGINES,
    ),
    (
        "predicted LUT and blocks against routing",
        "<= 10 % and exact",
        judges.area,
        "routed-core",
        "routed-wider",
    ),
    (
        "E-SpikeFormer-T from 16 to 256 lanes",
        ">= 90 % of linear",
        judges.scaling,
        "tiny-0",
        "tiny-1",
    ),
    ("dry run and Verilog of E-SpikeFormer-T", "<= 5 s and <= 20 s", judges.times, "times"),
    ("simulation of the whole core at 64 lanes", ">= 500,000 cycles/s", judges.speed, "tiny"),
)

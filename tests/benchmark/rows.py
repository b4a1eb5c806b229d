"""The targets of ``tests.benchmark.hardware``: what the runs say about each of them."""

from dataclasses import dataclass

from tests.benchmark import judges, ratios
from tests.benchmark.parts import Found, attempt


__all__ = ["Row", "rows", "rows_before"]


@dataclass(frozen=True)
class Row:
    """A target, and how far it was reached.

    Parameters
    ----------
    number, what, target, measured : str
    met : bool or None
        None where it was not measured.
    """

    number: str
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
    return [_row(Found(found), *entry) for entry in _ROWS]


def rows_before(found):
    """Rows of the targets of before that no target of ``rows`` has replaced."""
    return [_row(Found(found), *entry) for entry in _BEFORE]


def _row(found, number, what, target, numbers, judge):
    part = attempt("", lambda: judge(found, *numbers))
    return Row(number, what, target.format(*numbers), part.text.strip(), part.met)


#: Number, what, target, its numbers, and the judge. One core on one array has rows 1 to 7.
_ROWS = (
    (
        "1",
        (
            "LUT x cycles per image, complete core (4 x 16), against the bare dense array of its "
            "widths: nano / nano-sparse with weights on chip, T with weights outside"
        ),
        ">= {} / {} / {} times lower",
        (1.7, 2.5, 1.8),
        ratios.networks,
    ),
    ("1b", "the same in LUT x time: nano", ">= {} times lower", (1.0,), ratios.in_time),
    (
        "2",
        "LUT x cycles against the complete dense core: nano / nano-sparse",
        ">= {} / {} times lower",
        (2.5, 3.8),
        ratios.networks_complete,
    ),
    (
        "3",
        "LUT of the complete core, nano, weights outside / on chip; block RAMs on chip",
        "<= {:,} / {:,}; <= {}",
        (7300, 7300, 200),
        judges.luts,
    ),
    (
        "4",
        "cycles per image, nano, weights on chip / outside",
        "<= {:,} / {:,}",
        (142_000, 148_000),
        judges.cycles,
    ),
    (
        "5",
        "Fmax of the complete core / a column, median of three seeds",
        ">= {} / {} MHz",
        (105, 140),
        judges.clock,
    ),
    (
        "6",
        (
            "LUT x cycles of L1 (64 x 64) at mean count 0.6, against FINN's MVU / the bare dense "
            "array: 8-bit weights; 4-bit weights"
        ),
        ">= {} / {}; >= {} / {} times lower",
        (7, 2.6, 5, 1.9),
        ratios.one_layer,
    ),
    (
        "7",
        (
            "mean count up to which that core beats the dense one in LUT x cycles (L2, 8-bit "
            "weights): bare / complete"
        ),
        ">= {} / {}",
        (1.4, 1.8),
        ratios.even_count,
    ),
    (
        "8",
        "cycles of a block: 64 tokens, 384 channels, 12 heads, MLP 1536, at 512 lanes",
        "<= {:,}",
        (65_000,),
        judges.block,
    ),
    (
        "9",
        "predicted cycles against RTL; predicted LUT and block RAMs against routing",
        "equal, every layer; <= {:.0%} and exact",
        (0.05,),
        judges.predictions,
    ),
    ("10", "E-SpikeFormer-T from 16 to 256 lanes", ">= {:.0%} of linear", (0.9,), judges.scaling),
    ("11", "simulation at 4 x 16", ">= {:,} cycles/s", (350_000,), judges.speed),
    ("12", "make demo: LUT; images/s", "<= {:,}; >= {:,}", (4000, 5000), judges.demo),
    (
        "13",
        "accuracy in integers: nano-2; nano-sparse beside it, and its additions",
        ">= {:.0%}; within {} point at <= {:.0%}",
        (0.84, 1, 0.55),
        judges.accuracies,
    ),
    (
        "14",
        "energy per picture in standard cells, digits, against the dense core of its widths",
        ">= {} times lower",
        (2,),
        judges.energy,
    ),
)

#: The same of the first core's targets, by their numbers in the table of then.
_BEFORE = (
    (
        "2",
        "U of layers with >= 256 inputs, recorded spikes",
        "median >= {}, worst >= {}",
        (0.95, 0.85),
        judges.large_layers,
    ),
    (
        "3",
        "U of cifar10-nano and of E-SpikeFormer-T, everything included",
        ">= {}",
        (0.75,),
        judges.whole,
    ),
    (
        "4",
        "additions executed over thermometer additions, trained models",
        "<= {} (D = 4), <= {} (D = 8)",
        (0.8, 0.65),
        judges.codes,
    ),
    (
        "5",
        "LUT per lane of the complete core, and of a column",
        "<= {} and <= {}",
        (48, 38),
        judges.per_lane,
    ),
    (
        "13",
        "dry run and Verilog of E-SpikeFormer-T",
        "<= {} s and <= {} s",
        (5, 20),
        judges.times,
    ),
)

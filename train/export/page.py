"""The page that ``train report`` writes: one HTML file that needs nothing else."""

from pathlib import Path

import jinja2

from golden.analysis import energy
from golden.analysis.charts import bars, stacks
from golden.spike import SpikeCode, plane_count
from train.export.findings import summary, verdict


__all__ = ["page"]


#: Columns of the table of layers: key, heading; energies in nanojoules.
_ENERGIES = (
    ("papers", "papers, spikes"),
    ("papers_dense", "papers, dense"),
    ("thermometer", "thermometer"),
    ("bit_serial", "bit-serial"),
    ("dense", "dense"),
    ("skipping", "skipping zeros"),
)


def page(found):
    """Text of the page.

    Parameters
    ----------
    found : dict
        From :func:`train.export.findings.findings`.

    Returns
    -------
    str
    """
    environment = jinja2.Environment(
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=jinja2.FileSystemLoader([
            Path(__file__).parent,
            Path(energy.__file__).parent,
        ]),
    )
    layers = found["layers"]
    return environment.get_template("page.html").render(
        title=f"{found['name']}: spikes, additions, energy",
        summary=summary(found),
        verdict=verdict(found["total"]["energy"]),
        charts=_charts(found),
        energies=_ENERGIES,
        rows=[_row(layer) for layer in layers],
        total=_row({"name": "total", "mean_count": None, **found["total"]}),
        moved=found["moved"],
        bits=plane_count(SpikeCode.BIT_SERIAL, found["max_count"]),
        found=found,
        constants=energy,
    )


def _charts(found):
    """Titles, explanations and pictures."""
    neurons, layers = found["neurons"], found["layers"]

    def drawn(rows, key, digits=0):
        return bars([(row["name"], row[key]) for row in rows], digits=digits)

    rates = "Mean count over D: spikes per neuron and virtual time step."
    shares = "Share of neurons that fire 0 (palest), 1, ... D (darkest) spikes."
    return [
        ("Firing rate per neuron layer", rates, drawn(neurons, "firing_rate", 3)),
        (
            "Mean count per neuron layer",
            "Spikes per neuron and image, 0 to D.",
            drawn(neurons, "mean_count", 3),
        ),
        ("Histogram of counts", shares, stacks([(n["name"], n["histogram"]) for n in neurons])),
        (
            "Additions per layer, thermometer code",
            "As many as the count says; per image.",
            drawn(layers, "thermometer"),
        ),
        (
            "Additions per layer, bit-serial",
            "As many as the count has binary ones; per image.",
            drawn(layers, "bit_serial"),
        ),
    ]


def _row(layer):
    spikes = min(layer["energy"]["thermometer"], layer["energy"]["bit_serial"])
    return {
        "name": layer["name"],
        "mean": "" if layer["mean_count"] is None else f"{layer['mean_count']:.3f}",
        "operations": [
            f"{layer[key]:,.0f}" for key in ("macs", "thermometer", "bit_serial", "skipping")
        ],
        "energies": [f"{layer['energy'][key] / 1e3:,.2f}" for key, _ in _ENERGIES],
        "against": [
            _times(layer["energy"][baseline], spikes) for baseline in ("dense", "skipping")
        ],
    }


def _times(baseline, spikes):
    """How often the spikes' energy goes into the baseline's; who wins."""
    if not spikes:
        return "spikes, no additions"
    ratio = baseline / spikes
    return f"spikes {ratio:.2f}×" if ratio >= 1 else f"dense {1 / ratio:.2f}×"

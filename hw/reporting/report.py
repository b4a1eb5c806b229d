"""What a build or a demonstration measured, for people (report.html) and programs (report.json)."""

import json
from pathlib import Path

import jinja2
import numpy as np

from golden.analysis import charts
from golden.analysis.charts import bars, spike_map
from golden.data.atomic import replacing

from .asic_rows import asic_rows, module_rows, power_rows


__all__ = ["lane_utilisation", "prediction", "summary", "write"]


ACCURACIES = {
    "float": "accuracy, float SFA network",
    "quantised": "accuracy, quantised network",
    "golden": "accuracy, golden model",
    "rtl": "accuracy, RTL",
}

#: Charts over the layers: key, title, what it shows, line that no bar passes, decimals, and which
#: of the report's images its figures are of.
CHARTS = (
    (
        "utilisation",
        "Lane utilisation per layer",
        "Additions divided by cycles and lanes; 1 means that every lane adds in every cycle",
        1.0,
        3,
        "cycles_of",
    ),
    ("cycles", "Cycles per layer", "Clock cycles per image", None, 0, "cycles_of"),
    (
        "additions",
        "Additions per layer",
        "Accumulator updates by set spike bits, per image",
        None,
        0,
        "cycles_of",
    ),
    ("density", "Mean spike count per layer", "Spikes per neuron", None, 3, "density_of"),
)


def write(folder, figures, *, spikes=None, max_count=4):
    """Write ``report.json`` and ``report.html``.

    Parameters
    ----------
    folder : Path
    figures : dict
        JSON values, each of which may be missing:

        ``title`` : str
        ``accuracy`` : dict
            ``float``, ``quantised``, ``golden``, ``rtl``, each 0 to 1.
        ``accuracy_of`` : dict of str to str
            By the same names, the images that each is of, such as ``360 test digits``.
        ``comparison`` : dict
            ``images``, ``tensors``, ``values``, ``mismatches``.
        ``array`` : dict
            ``columns``, ``lanes_per_column``, ``spike_code``.
        ``cycles``, ``additions`` : float
            Per image, from first pixel to last logit.
        ``cycles_of`` : str
            Where cycles, additions and utilisation come from, such as ``mean of 10 simulated
            images`` or ``predicted from mean counts; nothing was simulated``.
        ``density_of`` : str
            The images that the layers' ``density`` is a mean over.
        ``clock_met`` : bool
            Whether routing reached the clock that was asked for.
        ``period`` : float
            Cycles from image to image, if each enters while the one before is computed.
        ``period_of`` : str
            The images that it is of, such as ``the second of two simulated images``.
        ``layers`` : list of dict
            ``name`` and any of ``cycles``, ``additions``, ``utilisation``, ``density``.
        ``utilisation`` : dict
            :meth:`hw.fpga.routing.Utilisation.as_dict`.
        ``multipliers`` : dict of str to int
            Multipliers and DSPs counted per synthesis target.
        ``bitstream`` : str
            Its path.
        ``asic`` : dict
            What ``asic.json`` holds.
        ``spikes_of`` : str
            The image that ``spikes`` are of.
    spikes : dict of str to int array of shape (channels, height, width), optional
        Counts of one image, for the pictures.
    max_count : int
        ``D``.

    Raises
    ------
    OSError
        If a file cannot be written; neither is left half-written.
    """
    folder = Path(folder)
    with replacing(folder / "report.html") as file:
        # A path that is no text in any encoding must not cost the page.
        file.write(
            page(figures, spikes=spikes, max_count=max_count).encode(errors="backslashreplace")
        )
    with replacing(folder / "report.json") as file:
        file.write((json.dumps(figures, indent=2, sort_keys=True) + "\n").encode())


def lane_utilisation(*, additions, cycles, lanes):
    """Share of the adders' cycles in which they added; 0 where there were no cycles."""
    return additions / (cycles * lanes) if cycles else 0.0


def prediction(cycles):
    """Where predicted cycles come from, in words.

    Parameters
    ----------
    cycles : dict
        What ``predicted_cycles`` of ``hw.estimate.predicted_cycles`` returned.

    Returns
    -------
    str

    Examples
    --------
    >>> prediction({"from": "images, estimated", "images": 4})
    'estimated for 4 images'
    """
    source, _, estimated = cycles["from"].partition(", ")
    count = cycles["images"]
    return f"{estimated or 'predicted'} " + (
        "from the model's mean counts"
        if source == "mean counts"
        else f"for {count} image{'s'[: count != 1]}"
    )


def summary(figures):
    """Rows of the one table that ends a demonstration and begins a report.

    Parameters
    ----------
    figures : dict
        As for :func:`write`.

    Returns
    -------
    list of (str, str)
        Names and values.
    """
    of = figures.get("accuracy_of", {})
    rows = [
        (f"{name} ({of[key]})" if key in of else name, f"{figures['accuracy'][key]:.2%}")
        for key, name in ACCURACIES.items()
        if key in figures.get("accuracy", {})
    ]
    if compared := figures.get("comparison"):
        rows += [
            (f"{kind} compared", f"{compared[kind]:,}") for kind in ("images", "tensors", "values")
        ]
        rows.append(("mismatches", f"{compared['mismatches']:,}"))
    if array := figures.get("array"):
        lanes = array["columns"] * array["lanes_per_column"]
        rows += [
            ("columns × lanes per column", f"{array['columns']} × {array['lanes_per_column']}"),
            ("spike code", array["spike_code"]),
        ]
        if figures.get("cycles") and "additions" in figures:
            used = lane_utilisation(
                additions=figures["additions"], cycles=figures["cycles"], lanes=lanes
            )
            rows += [
                ("cycles per image", f"{figures['cycles']:,.0f}"),
                ("additions per image", f"{figures['additions']:,.0f}"),
                ("lane utilisation", f"{used:.3f}"),
            ]
            if "cycles_of" in figures:
                rows.append(("cycles, additions and utilisation", figures["cycles_of"]))
    if used := figures.get("utilisation"):
        rows += implementation(used, figures)
        if array:
            rows.append((
                "LUT and FF per lane, whole core",
                f"{used['lut'] / lanes:.1f} and {used['ff'] / lanes:.1f}",
            ))
    if asic := figures.get("asic"):
        rows += asic_rows(asic)
    if counted := figures.get("multipliers"):
        rows += [
            (f"multipliers and DSPs, {target} synthesis", f"{number:,}")
            for target, number in counted.items()
        ]
    if "bitstream" in figures:
        rows.append(("bitstream", figures["bitstream"]))
    return rows


def implementation(used, figures):
    """Rows about the routed accelerator, and the speed that its cycles give."""
    cycles, period = figures.get("cycles"), figures.get("period")
    rows = [
        ("device", f"{used['device']} ({used['package']})"),
        ("LUT", f"{used['lut']:,}"),
        ("FF", f"{used['ff']:,}"),
        ("BRAM", f"{used['bram']:,}"),
        ("DSP", f"{used['dsp']:,}"),
        ("Fmax after routing", f"{used['fmax_mhz']:.1f} MHz"),
        (
            "clock that was asked for",
            f"{used['clock_mhz']:g} MHz, "
            + ("reached" if used["fmax_mhz"] >= used["clock_mhz"] else "missed"),
        ),
    ]
    if cycles:
        rows.append(("latency at Fmax", f"{cycles / used['fmax_mhz'] / 1e3:,.3f} ms"))
    if period:
        of = f", of {figures['period_of']}" if "period_of" in figures else ""
        rows.append((f"images per second at Fmax{of}", f"{used['fmax_mhz'] * 1e6 / period:,.0f}"))
    return rows


def page(figures, *, spikes, max_count):
    """Text of the HTML page, which needs no other file and no network."""
    layers = figures.get("layers", [])
    drawn = [
        {
            "title": title,
            "text": f"{text}: {figures[of]}." if of in figures else f"{text}.",
            "svg": bars(
                [(layer["name"], layer[key]) for layer in layers if key in layer],
                limit=limit,
                digits=digits,
            ),
        }
        for key, title, text, limit, digits, of in CHARTS
        if any(key in layer for layer in layers)
    ]
    maps = []
    for name, counts in (spikes or {}).items():
        source, width, height = spike_map(np.asarray(counts), max_count=max_count)
        maps.append({
            "name": name,
            "source": source,
            "width": width,
            "height": height,
            "shape": "×".join(map(str, counts.shape)),
            "mean": f"{counts.mean():.3f}",
        })
    shown = [
        (key, digits) for key, *_, digits, _ in CHARTS if any(key in layer for layer in layers)
    ]
    folders = [Path(__file__).parent, Path(charts.__file__).parent]
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, loader=jinja2.FileSystemLoader(folders)
    )
    return environment.get_template("report.html").render(
        title=figures.get("title", "Addend build"),
        summary=summary(figures),
        charts=drawn,
        columns=[key for key, _ in shown],
        maps=maps,
        max_count=max_count,
        cycles_of=figures.get("cycles_of"),
        spikes_of=figures.get("spikes_of", "one image"),
        modules=module_rows(figures["asic"]) if "asic" in figures else [],
        power=power_rows(figures["asic"]) if "asic" in figures else [],
        layers=[
            (
                layer["name"],
                [f"{layer[key]:,.{digits}f}" if key in layer else "" for key, digits in shown],
            )
            for layer in layers
        ],
    )

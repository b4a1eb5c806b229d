"""Arrays beside each other: LUTs over cycles and over time, of cores and of dense baselines."""

from statistics import mean

from golden.analysis.charts import scatter
from golden.analysis.front import front
from golden.data.atomic import replacing
from tests.benchmark.judges import array
from tests.benchmark.networks import NANO, OTHERS
from tests.benchmark.runs import of_array


__all__ = ["PICTURES", "draw", "points", "table"]


#: Pictures, by what lies across, and the number of a point's field.
PICTURES = {"cycles": ("cycles per image", 2), "time": ("microseconds per image", 3)}


def points(found):
    """What was measured of cifar10-nano: cores with weights outside, and dense baselines.

    Parameters
    ----------
    found : dict of str to dict

    Returns
    -------
    list of (str, float, float, float)
        Name, LUTs, cycles and microseconds per image.
    """
    pairs = [(f"core-{NANO}-external", f"{NANO}-external")]
    pairs += [(f"core-{of_array(one)}", f"nano-{of_array(one)}") for one in OTHERS]
    shown = [
        _point(array(found[run]), found[core], mean(found[run]["cycles"]))
        for core, run in pairs
        if core in found and run in found
    ]
    run = found.get(f"{NANO}-on-chip")
    if run is not None:
        for label, name, key in (
            ("dense array", f"dense-{run['weight_width']}", "dense_cycles"),
            ("complete dense core", f"dense-core-{NANO}", "dense_core_cycles"),
        ):
            if name in found:
                shown.append(_point(label, found[name], run[key]))
    return shown


def _point(name, routed, cycles):
    return name, routed["lut"], cycles, cycles / routed["fmax_mhz"]


def draw(shown, folder):
    """Writes a picture for each of ``PICTURES``; returns their paths."""
    paths = []
    for name, (text, field) in PICTURES.items():
        placed = [(point[field], point[1]) for point in shown]
        path = folder / f"arrays-{name}.svg"
        with replacing(path) as file:
            file.write(
                scatter(
                    placed,
                    front=front(placed, lambda place: place),
                    axes=(text, "LUT"),
                    labels=[point[0] for point in shown],
                ).encode()
            )
        paths.append(path)
    return paths


def table(shown):
    """Lines of a Markdown table."""
    return [
        "| array | LUT | cycles | microseconds | LUT x cycles | LUT x microseconds |",
        "| --- | --- | --- | --- | --- | --- |",
        *(
            f"| {name} | {lut:,.0f} | {cycles:,.0f} | {time:,.0f} | {lut * cycles:.3g} | "
            f"{lut * time:.3g} |"
            for name, lut, cycles, time in shown
        ),
    ]

"""Figures of the demonstration, from the reports that its steps leave behind."""

import golden
from golden.data.description import read_json
from golden.data.digits import load_digits
from golden.data.form import require_form
from hw.reporting.report import lane_utilisation


__all__ = ["DemoError", "collect", "read", "spikes_of_one_image"]


#: What is taken from each report.
FORMS = {
    "export.json": {"accuracy": {"golden": float}},
    "verify.json": {
        "mismatches": int,
        "cycles": [float],
        "additions": [float],
        "layers": [{"name": str, "cycles": float, "additions": float}],
    },
    "report.json": {"utilisation": {"lut": int, "ff": int, "fmax_mhz": float}},
}


class DemoError(RuntimeError):
    """A step failed; the message is one sentence."""


def collect(options):
    """Gather the figures of all steps, as :func:`hw.reporting.report.write` takes them.

    Raises
    ------
    DemoError
        If a tensor of the simulation differed.
    """
    out = options.out
    exported, verified = read(out / "export.json"), read(out / "verify.json")
    built = read(out / "accelerator" / "report.json")
    if verified["mismatches"]:
        raise DemoError(
            f"The demonstration stops: mismatches must be 0, not {verified['mismatches']}"
        )
    lanes = options.columns * options.lanes_per_column
    accuracy = {kind: exported["accuracy"][kind] for kind in ("float", "quantised", "golden")}
    test_digits = f"{exported['images']} test digits"
    free = len(verified["cycles"])
    return {
        "title": f"Digits on {options.device}",
        "accuracy": {**accuracy, "rtl": verified["accuracy"]},
        "accuracy_of": {
            **dict.fromkeys(accuracy, test_digits),
            "rtl": f"{verified['images']} of them, simulated",
        },
        "cycles_of": f"means of {free} simulated images",
        "period_of": "the second of two images",
        "density_of": f"mean of {test_digits}",
        "spikes_of": "the first test digit",
        "clock_met": built["clock_met"],
        "comparison": {key: verified[key] for key in ("images", "tensors", "values", "mismatches")},
        "array": {
            "columns": options.columns,
            "lanes_per_column": options.lanes_per_column,
            "spike_code": options.spike_code,
        },
        "cycles": mean(verified["cycles"]),
        "period": verified["period"],
        "additions": mean(verified["additions"]),
        "layers": [
            {
                **layer,
                "utilisation": lane_utilisation(
                    additions=layer["additions"], cycles=layer["cycles"], lanes=lanes
                ),
                **density(exported["mean_counts"], layer["name"]),
            }
            for layer in verified["layers"]
        ],
        "utilisation": built["utilisation"],
        "bitstream": str(out / "accelerator" / "accelerator.bit"),
    }


def density(mean_counts, layer):
    """Return the mean spike count of a layer, if its output is counts."""
    counts = f"{layer}.counts"
    return {"density": mean_counts[counts]} if counts in mean_counts else {}


def mean(values):
    """Mean of a list of numbers."""
    return sum(values) / len(values)


def spikes_of_one_image(path):
    """Counts of every layer for the first test image, by tensor name."""
    *_, images, _ = load_digits()
    tensors = golden.run(golden.load(path), images[:1], trace=True).tensors
    return {name: counts[0] for name, counts in tensors.items() if name.endswith(".counts")}


def read(path):
    """Values of a JSON file that a step has written."""
    values = read_json(path, "the report")
    require_form(values, FORMS[path.name], f"{path}: the report")
    return values

"""What an integer model costs on real images, and what a dense network of its shape would cost."""

from dataclasses import asdict

from golden.analysis.energy import energies
from golden.spike import SpikeCode, plane_count


__all__ = ["findings", "summary", "verdict"]


def findings(model, statistics):
    """Figures of a report, as JSON values.

    Parameters
    ----------
    model : IntegerModel
    statistics : ActivityStatistics

    Returns
    -------
    dict
        ``name``, ``max_count``, ``images``, ``accuracy`` (``golden`` on these images, if they have
        labels), ``noted`` (``accuracy`` of the model's notes by kind, and ``images``, how many
        test images it is of, or None where the notes do not say), ``neurons`` (per ``*.counts``
        tensor ``mean_count``, ``firing_rate`` and ``histogram``), ``layers`` (operations and
        picojoules per image), ``total`` (the same, summed), ``moved`` (bits per image).
    """
    energy = {layer.name: asdict(layer) for layer in energies(statistics)}
    layers = [
        {
            "name": layer.name,
            "mean_count": None if layer.inputs is None else statistics.mean_count(layer.inputs),
            "macs": layer.macs,
            "thermometer": layer.additions[SpikeCode.THERMOMETER] / statistics.images,
            "bit_serial": layer.additions[SpikeCode.BIT_SERIAL] / statistics.images,
            "skipping": layer.skipping / statistics.images,
            "energy": {key: value for key, value in energy[layer.name].items() if key != "name"},
        }
        for layer in statistics.layers.values()
        if layer.name in energy
    ]
    return {
        "name": model.name,
        "max_count": model.max_count,
        "images": statistics.images,
        "accuracy": (
            {} if statistics.right is None else {"golden": statistics.right / statistics.images}
        ),
        "noted": {
            "accuracy": dict(model.notes.get("accuracy") or {}),
            "images": model.notes.get("test_images"),
        },
        "neurons": [
            {
                "name": name,
                "mean_count": statistics.mean_count(name),
                "firing_rate": statistics.mean_count(name) / model.max_count,
                "histogram": [int(number) for number in histogram],
            }
            for name, histogram in statistics.histograms.items()
        ],
        "layers": layers,
        "total": _total(layers),
        "moved": _moved(statistics),
    }


def summary(found):
    """Rows of the table that the command prints and the page begins with.

    Parameters
    ----------
    found : dict
        From :func:`findings`.

    Returns
    -------
    list of (str, str)
        Names and values.
    """
    energy = found["total"]["energy"]
    images, noted = found["images"], found["noted"]
    here = f"{images:,} image{'s'[: images != 1]}"
    tests = "test images" if noted["images"] is None else f"{noted['images']:,} test images"
    return [
        ("counted on", here),
        *(
            (
                f"accuracy, {kind} (these {here})"
                if images > 1
                else f"accuracy, {kind} (this image)",
                f"{value:.2%}",
            )
            for kind, value in found["accuracy"].items()
        ),
        *(
            (f"accuracy, {kind} ({tests}, by its notes)", f"{value:.2%}")
            for kind, value in noted["accuracy"].items()
        ),
        ("dense MACs per image", f"{found['total']['macs']:,}"),
        ("additions per image, thermometer", f"{found['total']['thermometer']:,.0f}"),
        ("additions per image, bit-serial", f"{found['total']['bit_serial']:,.0f}"),
        ("papers' energy, spikes", f"{energy['papers'] / 1e6:,.3f} µJ"),
        ("papers' energy, dense", f"{energy['papers_dense'] / 1e6:,.3f} µJ"),
        ("integer energy, thermometer", f"{energy['thermometer'] / 1e6:,.3f} µJ"),
        ("integer energy, bit-serial", f"{energy['bit_serial'] / 1e6:,.3f} µJ"),
        ("integer energy, dense", f"{energy['dense'] / 1e6:,.3f} µJ"),
        ("integer energy, dense that skips zeros", f"{energy['skipping'] / 1e6:,.3f} µJ"),
        ("verdict", verdict(energy)),
    ]


def verdict(energy):
    """Who needs less by integer arithmetic, and by how much; in words."""
    spikes = min(energy["thermometer"], energy["bit_serial"])
    parts = []
    for baseline, name in (
        ("dense", "the dense network"),
        ("skipping", "the one that skips zeros"),
    ):
        if spikes <= energy[baseline]:
            parts.append(f"{energy[baseline] / spikes:.2f} times less than {name}")
        else:
            parts.append(f"{spikes / energy[baseline]:.2f} times more than {name}")
    return f"spikes need {' and '.join(parts)}"


def _total(layers):
    total = {
        key: sum(layer[key] for layer in layers)
        for key in ("macs", "thermometer", "bit_serial", "skipping")
    }
    total["energy"] = {
        key: sum(layer["energy"][key] for layer in layers) for key in layers[0]["energy"]
    }
    return total


def _moved(statistics):
    """Bits that move per image: operands without reuse, activations, stream."""
    gated = [layer for layer in statistics.layers.values() if layer.inputs is not None]
    number = plane_count(SpikeCode.BIT_SERIAL, statistics.max_count)
    operands = {
        code.name.lower(): sum(layer.additions[code] * layer.operand_bits for layer in gated)
        / statistics.images
        for code in (SpikeCode.THERMOMETER, SpikeCode.BIT_SERIAL)
    } | {"dense": sum(layer.macs * layer.operand_bits for layer in gated)}
    values = statistics.activation_values
    activations = {
        "thermometer": values * statistics.max_count,
        "bit_serial": values * number,
        "dense": values * number,
    }
    return {
        machine: {
            "operands": operands[machine],
            "activations": activations[machine],
            "stream": statistics.stream_bits,
            "total": operands[machine] + activations[machine] + statistics.stream_bits,
        }
        for machine in operands
    }

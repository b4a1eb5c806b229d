"""Figures of a build directory: what its description predicts, and what routing measured."""

from .report import lane_utilisation, prediction


__all__ = ["build_figures"]


def build_figures(description, used=None, *, bitstream=None, asic=None):
    """Figures of a build, as :func:`hw.reporting.report.write` takes them.

    Parameters
    ----------
    description : dict
        What ``accelerator.json`` holds.
    used : dict, optional
        :meth:`hw.fpga.routing.Utilisation.as_dict`, if the build was routed.
    bitstream : Path, optional
        Of the routed build.
    asic : dict, optional
        What ``asic.json`` holds, if the build was mapped to standard cells.

    Returns
    -------
    dict
    """
    config, cycles = description["config"], description["cycles"]
    lanes = config["columns"] * config["lanes"]
    figures = {
        "title": description["model"],
        "verilog": description["verilog"],
        "array": {
            "columns": config["columns"],
            "lanes_per_column": config["lanes"],
            "spike_code": config["spike_code"],
        },
        "cycles": cycles["total"],
        "period": cycles["period"],
        "cycles_from": cycles["from"],
        "cycles_of": f"{prediction(cycles)}; nothing was simulated",
        "additions": sum(layer["additions"] for layer in cycles["layers"].values()),
        "layers": [
            {"name": name, **layer, "utilisation": lane_utilisation(**layer, lanes=lanes)}
            for name, layer in cycles["layers"].items()
        ],
    }
    if used is not None:
        figures |= {
            "title": f"{description['model']} on {used['device']}",
            "utilisation": used,
            "clock_met": used["fmax_mhz"] >= used["clock_mhz"],
            "bitstream": str(bitstream),
        }
    if asic is not None:
        figures |= {"title": f"{description['model']} in {asic['liberty']['name']}", "asic": asic}
    return figures

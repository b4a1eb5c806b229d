"""``make asic``: digits in standard cells, and what four real pictures take, sparse to dense."""

import argparse
import sys
from pathlib import Path

import numpy as np

import golden
from golden import SpikeCode
from golden.analysis.activity_statistics import take_statistics
from golden.cli.entry import enter
from golden.cli.options import input_file, number, output_folder, whole
from golden.data.description import read_json
from golden.data.digits import load_digits
from hw import build
from hw.asic.figures import FIGURES
from hw.cli.command import guarded
from hw.isa.core_config import MOST_COLUMNS, MOST_LANES


__all__ = ["grows", "main", "spread", "table"]


#: Pictures whose power is measured, and those that they are chosen of.
MEASURED, CHOSEN_OF = 4, 60


def spread(model, images, count):
    """Pictures from sparse to dense, by the additions that golden says they take.

    Parameters
    ----------
    model : IntegerModel
    images : uint8 array, shape (images, height, width, channels)
    count : int
        How many to choose, at equal distances of their ranks.

    Returns
    -------
    uint8 array, shape (count, height, width, channels)
    """
    additions = [
        sum(
            layer.additions[SpikeCode.SPLIT]
            for layer in take_statistics(model, images[index : index + 1]).layers.values()
        )
        for index in range(len(images))
    ]
    order = np.argsort(additions, kind="stable")
    return images[order[np.linspace(0, len(order) - 1, count).round().astype(int)]]


def table(figures):
    """Lines that say what was found.

    Parameters
    ----------
    figures : dict
        What ``asic.json`` holds.

    Returns
    -------
    list of str
    """
    area, timed = figures["area"], figures["timing"]
    lines = [
        f"{figures['liberty']['name']}, without memories, before placement",
        f"area {area['total']:,.0f} um2, {area['cells']:,} cells",
        f"{area['flip_flops']:,} flip-flops, of which {figures['checks']['reset']:,} are reset",
        f"Fmax {timed['fmax_mhz']:.1f} MHz; longest paths in ns: "
        + ", ".join(f"{name} {delay}" for name, delay in timed["paths_ns"].items()),
        "additions  cycles        mW        uJ",
    ]
    return lines + [
        f"{entry['additions']:9,} {entry['cycles']:7,} {entry['milliwatts']:9.3f} "
        f"{entry['microjoules']:9.4f}"
        for entry in figures["power"]
    ]


def grows(power):
    """Whether a picture that takes more additions takes more energy.

    Parameters
    ----------
    power : list of dict
        Of ``asic.json``.

    Returns
    -------
    bool
    """
    by_additions = sorted(power, key=lambda entry: entry["additions"])
    energies = [entry["microjoules"] for entry in by_additions]
    additions = [entry["additions"] for entry in by_additions]
    return energies == sorted(set(energies)) and additions == sorted(set(additions))


def main(arguments=None, prog="python -m tests.benchmark.asic"):
    """Command line.

    Returns
    -------
    int
        Exit status: 0; 2 for bad input, or an energy that does not grow with executed additions; 3
        for a tool that failed; 130 for Ctrl-C.
    """
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Map digits to standard cells, and measure four test digits.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument(
        "--model", type=input_file, default=Path("tests/data/digits.safetensors"), metavar="MODEL"
    )
    parser.add_argument("--liberty", type=input_file, metavar="FILE", help="else OSU018")
    parser.add_argument("--columns", type=whole(1, MOST_COLUMNS), default=2, metavar="B")
    parser.add_argument("--lanes-per-column", type=whole(2, MOST_LANES), default=8, metavar="P")
    parser.add_argument("--clock", type=number(above=0, most=10_000), default=100.0, metavar="MHZ")
    parser.add_argument("--out", type=output_folder, required=True, help="build directory")
    options = parser.parse_args(arguments)
    return guarded(
        lambda: _run(options),
        prog=prog,
        where=options.out,
        interrupted=f"{options.out} holds finished steps only",
    )


def _run(options):
    pictures = spread(golden.load(options.model), load_digits()[2][:CHOSEN_OF], MEASURED)
    options.out.mkdir(parents=True, exist_ok=True)
    np.save(options.out / "pictures.npy", pictures)
    given = {
        "--target": "asic",
        "--model": options.model,
        "--liberty": options.liberty,
        "--columns": options.columns,
        "--lanes-per-column": options.lanes_per_column,
        "--clock": options.clock,
        "--images": options.out / "pictures.npy",
        "--count": MEASURED,
        "--out": options.out,
    }
    status = build.main([
        str(word) for pair in given.items() if pair[1] is not None for word in pair
    ])
    if status:
        return status
    figures = read_json(options.out / FIGURES, "the figures of the netlist")
    if figures["power"] is None:
        raise ValueError("Power must be measured, and OpenSTA was not found")
    print("\n".join(table(figures)))
    if not grows(figures["power"]):
        raise ValueError("Energy must grow with executed additions, and does not")
    return 0


if __name__ == "__main__":
    sys.exit(enter(main, prog="python -m tests.benchmark.asic"))

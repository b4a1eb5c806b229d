"""``python -m sim.dense``: simulate the dense engine on the layers of a model, against golden."""

import argparse
import json
import shutil
import sys

import numpy as np

import golden
from golden.cli.entry import enter
from golden.cli.options import SECONDS, input_file, input_path, output_folder, whole
from golden.cli.source import SOURCES
from golden.data.atomic import replacing
from golden.data.description import read_json
from hw.baseline.dense_engine import DenseEngine, DenseSize
from hw.baseline.work import dense_work
from hw.cli.command import guarded

from .pictures import chosen
from .runner import Design, SimulationError, build, simulate


__all__ = ["main", "measure"]


#: Rows and tiles of outputs of each layer that are simulated. All take the same number of cycles.
ROWS, TILES = 2, 4


def measure(engine, model, image, folder, *, cache=None, limit=3600):
    """Simulate a part of every layer of a model on the dense engine, and count the cycles.

    Parameters
    ----------
    engine : DenseSize
    model : IntegerModel
    image : uint8 array, shape (1, height, width, channels)
    folder : Path
        To run in; emptied first.
    cache : Path, optional
        Folder that keeps simulators; ``folder`` by default.
    limit : float
        Wall-clock seconds of the simulation.

    Returns
    -------
    dict of str to int
        Cycles of each whole layer: the simulated ones, as often as the layer has such dot products.

    Raises
    ------
    SimulationError
        If a sum is not golden's, or a layer does not take a cycle for each of its words.
    """
    tensors = golden.run(model, image, trace=True).tensors
    works = dense_work(model, engine)
    layers = [layer for layer in model.layers if layer.name in works]
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    groups = {}
    for number, layer in enumerate(layers):
        counts, weights, sums = _dot_products(engine, model, layer, works[layer.name], tensors)
        groups[layer.name] = counts.shape[:2]
        np.savez(folder / f"layer{number}.npz", counts=counts, weights=weights, sums=sums)
    executable = build(Design.of(DenseEngine(engine)), cache or folder)
    simulate(
        executable,
        "sim.testbenches.tb_dense_engine",
        folder,
        limit=limit,
        parameters={
            "layers": [layer.name for layer in layers],
            "count_width": engine.count_width,
            "weight_width": engine.weight_width,
            "accumulator_width": engine.accumulator_width,
        },
    )
    simulated = read_json(folder / "cycles.json", "the outcome")
    for name, (products, words) in groups.items():
        if simulated[name] != products * words + engine.latency:
            raise SimulationError(
                f"Layer {name}: {products} dot products of {words} words must take "
                f"{products * words + engine.latency} cycles, not {simulated[name]}"
            )
    return {name: work.cycles(engine) for name, work in works.items()}


def _dot_products(engine, model, layer, work, tensors):
    """Operands in the engine's words and their sums, for some rows and tiles of a layer."""
    rows = np.unique(np.linspace(0, work.rows - 1, ROWS).astype(int))
    *_, potentials = layer.potentials(tensors, max_count=model.max_count)
    expected = layer.by_row(potentials)
    all_counts, all_weights, sums = [], [], []
    for row in rows.tolist():
        counts, weights = layer.operands(tensors, row)
        total = 0
        for at_count, count in enumerate(_digits(counts, engine.count_width, work.count_digits)):
            parts = (
                [weights]
                if hasattr(layer, "weight")
                else _digits(weights, engine.weight_width - 1, work.weight_digits)
            )
            for at_weight, weight in enumerate(parts):
                part = (count * weight).sum(axis=1)
                total = total + (
                    part << (engine.count_width * at_count + (engine.weight_width - 1) * at_weight)
                )
                all_counts.append(_words(count, engine))
                all_weights.append(_words(weight, engine))
                sums.append(_tiles(part, engine))
        if not np.array_equal(total, expected[row]):
            raise SimulationError(
                f"Layer {layer.name}: the digits of row {row} must add up to golden's potentials"
            )
    return np.concatenate(all_counts), np.concatenate(all_weights), np.concatenate(sums)


def _digits(values, width, number):
    return [values >> width * digit & (1 << width) - 1 for digit in range(number)]


def _words(operand, engine):
    """(outputs, terms) as (tiles, words, outputs, inputs) of the engine, with zeros behind."""
    outputs, terms = operand.shape
    padded = np.pad(operand, ((0, -outputs % engine.outputs), (0, -terms % engine.inputs)))
    tiles = padded.reshape(-1, engine.outputs, padded.shape[1] // engine.inputs, engine.inputs)
    return tiles.transpose(0, 2, 1, 3)[:TILES]


def _tiles(sums, engine):
    return np.pad(sums, (0, -len(sums) % engine.outputs)).reshape(-1, engine.outputs)[:TILES]


def main(arguments=None, prog="python -m sim.dense"):
    """Command line.

    Returns
    -------
    int
        Exit status: 0; 2 for bad input, 3 for a tool or a simulation that failed, 130 for Ctrl-C.
    """
    options = _parser(prog).parse_args(arguments)
    return guarded(
        lambda: _run(options),
        prog=prog,
        where=options.out,
        interrupted="no report was written",
        failures=(SimulationError,),
    )


def _run(options):
    model = golden.load(options.model)
    images, _ = chosen(options.images, model, 1)
    engine = DenseSize(
        outputs=options.outputs,
        inputs=options.inputs,
        count_width=options.count_width or model.max_count.bit_length(),
        weight_width=options.weight_width
        or max(getattr(layer, "weight_bits", 0) for layer in model.layers),
    )
    cycles = measure(
        engine, model, images, options.out / "run", cache=options.cache, limit=options.limit
    )
    macs = sum(work.macs for work in dense_work(model, engine).values())
    with replacing(options.out / "dense.json") as file:
        file.write((json.dumps({"cycles": cycles, "macs": macs}, indent=1) + "\n").encode())
    total = sum(cycles.values())
    operations = engine.operations
    print(
        f"{len(cycles)} layers, sums of {ROWS} rows each equal golden's: {total:,} cycles per "
        f"image, {macs / total / operations:.3f} of {operations} products a cycle are needed"
    )


def _parser(prog):
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Simulate the dense engine, which multiplies every count by every "
        "weight, on rows of each layer of a model; compare its sums with golden, and count its "
        "cycles for an image.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument(
        "model", type=input_file, metavar="MODEL", help="integer model (.safetensors)"
    )
    parser.add_argument(
        "--images", type=input_path, metavar="FILE", help=f"{SOURCES}; a random one if not given"
    )
    parser.add_argument("--outputs", type=whole(1, 1024), default=8, help="dot products at a time")
    parser.add_argument("--inputs", type=whole(1, 1024), default=8, help="terms of each in a cycle")
    parser.add_argument(
        "--count-width",
        type=whole(1, 16),
        metavar="BITS",
        help="bits of a count; as many as the model's have if not given",
    )
    parser.add_argument(
        "--weight-width",
        type=whole(2, 16),
        metavar="BITS",
        help="bits of a weight; as many as the model's have if not given",
    )
    parser.add_argument("--limit", type=SECONDS, default=3600, help="seconds of simulation")
    parser.add_argument(
        "--cache", type=output_folder, metavar="DIR", help="folder that keeps simulators"
    )
    parser.add_argument(
        "--out", type=output_folder, required=True, metavar="DIR", help="receives dense.json"
    )
    return parser


if __name__ == "__main__":
    sys.exit(enter(main, prog="python -m sim.dense"))

"""What a network costs on images: counted here once more, in the plainest way."""

import json
import re
from math import prod

import msgspec
import numpy as np
import pytest

import golden
from golden import PIXELS, AnalogHead, Conv, KeyValue, Output, Query, SpikeCode, Sum, Write
from golden.analysis.activity_statistics import take_statistics
from golden.analysis.energy import AC_FLOAT32, MAC_FLOAT32, energies, formula, mac_energy
from golden.analysis.synthetic import random_images, random_model
from golden.model.shapes import shapes, tensor_infos
from train.__main__ import main
from train.export.findings import findings, verdict
from train.families.e_spikeformer import ESpikeFormer, published
from train.interpret.find import find_grids
from train.interpret.lower import integer_model
from train.network.build import layered
from train.network.quantised import QuantisedNetwork
from train.run.config import QuantiseConfig


MODEL = random_model(3, max_count=5)
IMAGES = random_images(3, 7, MODEL.image_shape)


def operations(layer, tensors, weigh):
    """Weighed inputs times the operations of each, tap by tap."""
    match layer:
        case Conv():
            source = tensors[layer.source]
            outputs = (
                tensors[f"{layer.name}.counts"].shape[2:]
                if not isinstance(layer.epilogue, Output)
                else (1, 1)
            )
            total, size = 0, layer.weight.shape[2]
            for row in range(outputs[0]):
                for column in range(outputs[1]):
                    top, left = (
                        place * axis.stride - axis.before
                        for place, axis in zip((row, column), layer.axes, strict=True)
                    )
                    seen = source[:, :, max(0, top) : top + size, max(0, left) : left + size]
                    total += weigh(seen).sum() * (1 if layer.depthwise else len(layer.weight))
            return total
        case KeyValue():
            return weigh(tensors[layer.keys]).sum() * tensors[layer.name].shape[3]
        case Query():
            return weigh(tensors[layer.queries]).sum() * tensors[layer.memory].shape[3]
        case Sum() | AnalogHead():
            return 0


def test_activity_statistics_count_every_operation():
    statistics = take_statistics(MODEL, IMAGES)
    tensors = golden.run(MODEL, IMAGES, trace=True).tensors
    assert statistics.layers.keys() == {layer.name for layer in MODEL.layers}
    for layer in MODEL.layers:
        found = statistics.layers[layer.name]
        pixels = getattr(layer, "source", None) == PIXELS
        ways = {
            SpikeCode.THERMOMETER: np.bitwise_count if pixels else (lambda counts: counts),
            SpikeCode.BIT_SERIAL: np.bitwise_count,
            SpikeCode.TWO_BIT_SERIAL: np.bitwise_count,
            # For D = 5 a 5 is 1 + 2 + 2, and a 4 is 2 + 2.
            SpikeCode.SPLIT: np.bitwise_count
            if pixels
            else lambda counts: np.bitwise_count(counts) + (counts >= 4),
        }
        for code, weigh in ways.items():
            assert found.additions[code] == operations(layer, tensors, weigh), layer.name
        assert found.skipping == operations(layer, tensors, lambda counts: counts != 0)
        assert found.skipping <= found.macs * len(IMAGES)


def test_histograms_and_means_are_those_of_the_tensors():
    statistics = take_statistics(MODEL, IMAGES)
    tensors = golden.run(MODEL, IMAGES, trace=True).tensors
    for name, histogram in statistics.histograms.items():
        assert histogram.tolist() == [(tensors[name] == k).sum() for k in range(6)]
        assert statistics.mean_count(name) == tensors[name].mean()
    assert statistics.mean_count(PIXELS) == np.bitwise_count(IMAGES).mean()
    assert (
        statistics.mean_count("head.sum.counts")
        == golden.mean_counts(MODEL, IMAGES)["head.sum.counts"]
    )


def test_batches_change_nothing(monkeypatch):
    labels = np.arange(len(IMAGES)) % 10
    seen = []
    whole = take_statistics(MODEL, IMAGES, labels, progress=lambda *done: seen.append(done))
    monkeypatch.setattr("golden.analysis.activity_statistics._BATCH", 3)
    parts = take_statistics(MODEL, IMAGES, labels)
    assert findings(MODEL, whole) == findings(MODEL, parts)
    assert seen == [(7, 7)]
    assert whole.right == round(golden.accuracy(MODEL, IMAGES, labels) * 7)


def test_bits_moved_are_those_of_the_stored_tensors():
    statistics = take_statistics(MODEL, IMAGES)
    known = shapes(MODEL)
    stream = 0
    for layer in MODEL.layers:
        if isinstance(layer, Conv) and isinstance(layer.epilogue, Write):
            bits = golden.model.ranges.widths(MODEL)[layer.name]["stream"]
            size = int(np.prod(known[f"{layer.name}.stream"]))
            stream += size * bits * (2 if layer.epilogue.previous else 1)
    last = MODEL.layers[-2].source
    bits = golden.model.ranges.widths(MODEL)[last.removesuffix(".stream")]["stream"]
    assert statistics.stream_bits == stream + int(np.prod(known[last])) * bits
    moved = findings(MODEL, statistics)["moved"]
    # Five spikes take five planes, or three bits.
    assert moved["thermometer"]["activations"] * 3 == moved["bit_serial"]["activations"] * 5
    assert moved["dense"]["activations"] == moved["bit_serial"]["activations"]


#: Millijoules of the published sizes where every neuron has the same mean count: a table that was
#: worked out from the papers' formula by hand, with attention's memory formed first.
WORKED = {
    "T": (0.471, 0.655, 0.840, 1.024),
    "S": (0.813, 1.152, 1.491, 1.830),
    "M": (1.628, 2.340, 3.052, 3.765),
    "L": (2.888, 4.197, 5.505, 6.813),
}


@pytest.mark.parametrize("size", ["T", *(pytest.param(s, marks=pytest.mark.full) for s in "SML")])
def test_the_formula_gives_the_published_energies(size):
    shape = msgspec.structs.replace(published(size), max_count=1)
    network = ESpikeFormer(shape)

    grids = find_grids(layered(network), QuantiseConfig(weight_bits=2))
    model = integer_model(QuantisedNetwork.of(network, grids, weight_bits=2), name=size)
    known = tensor_infos(model)
    stem, *others = [(layer, prod(layer.products(known))) for layer in model.layers]
    for mean, expected in zip((0.4, 0.6, 0.8, 1.0), WORKED[size], strict=True):
        total = MAC_FLOAT32 * stem[1] + sum(formula(macs, mean) for _, macs in others)
        assert f"{total / 1e9:.3f}" == f"{expected:.3f}"


def test_energies_follow_from_the_counts():
    statistics = take_statistics(MODEL, IMAGES)
    by_name = {layer.name: layer for layer in energies(statistics)}
    assert "head.sum" not in by_name
    stem, inner = by_name["downsample1_1"], by_name["block3.0.attn.q"]
    counted = statistics.layers
    assert stem.papers == MAC_FLOAT32 * counted["downsample1_1"].macs
    mean = statistics.mean_count("block3.0.conv.counts")
    assert inner.papers == AC_FLOAT32 * mean * counted["block3.0.attn.q"].macs
    assert inner.dense == mac_energy(3, 4) * counted["block3.0.attn.q"].macs
    assert stem.dense == mac_energy(8, 4) * counted["downsample1_1"].macs


def test_the_verdict_is_honest_in_both_directions():
    assert verdict({"thermometer": 3.0, "bit_serial": 2.0, "dense": 4.0, "skipping": 1.0}) == (
        "spikes need 2.00 times less than the dense network and 2.00 times more than the one "
        "that skips zeros"
    )


def test_the_command_writes_a_page_that_needs_nothing_else(project_root, tmp_path, capsys):
    model = project_root / "tests" / "data" / "digits.safetensors"
    out = tmp_path / "report"
    assert main(["report", str(model), "--images", "40", "--out", str(out)]) == 0
    said = capsys.readouterr().out
    found = json.loads((out / "report.json").read_text())
    page = (out / "report.html").read_text()
    assert not re.search(r'(src|href)="|url\(|@import|<script', page)
    assert found["images"] == 40
    assert set(found["accuracy"]) == {"golden"}
    assert set(found["noted"]["accuracy"]) == {"float", "quantised", "golden"}
    # Of the images that were counted on, and of those of the export: nobody mixes them up.
    assert "accuracy, golden (these 40 images)" in page
    assert "accuracy, golden (test images, by its notes)" in page
    for row in (f"{found['total']['bit_serial']:,.0f}", f"{found['accuracy']['golden']:.2%}"):
        assert row in said
        assert row in page
    for layer in found["layers"]:
        assert f"<td>{layer['name']}</td>" in page
    assert page.count("<svg") == page.count("</svg>") == 5


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nowhere.safetensors"], "nowhere.safetensors: there is no such file"),
        (["{model}", "--data", "nowhere.npz"], "nowhere.npz: "),
        (["{model}", "--data", "nowhere.zip"], "the data cannot be read"),
    ],
)
def test_bad_input_is_one_sentence(project_root, tmp_path, capsys, arguments, sentence):
    model = str(project_root / "tests" / "data" / "digits.safetensors")
    arguments = [argument.format(model=model) for argument in arguments]
    assert main(["report", *arguments, "--out", str(tmp_path / "o")]) == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1
    assert not (tmp_path / "o").exists()

"""Reports say what they were given, in a page of its own, with the same bytes each time."""

import base64
import io
import json
import re
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from PIL import Image

from golden.analysis.charts import bars, spike_map
from hw.reporting.report import lane_utilisation, summary, write


FIGURES = {
    "title": "digits <small>",
    "accuracy_of": {"rtl": "20 of them, simulated"},
    "cycles_of": "means of 10 simulated images",
    "period_of": "the second of two images",
    "accuracy": {"float": 0.975, "quantised": 0.97, "golden": 0.97, "rtl": 0.95},
    "comparison": {"images": 20, "tensors": 1140, "values": 250000, "mismatches": 0},
    "array": {"columns": 4, "lanes_per_column": 8, "spike_code": "bit-serial"},
    "cycles": 10000.0,
    "period": 8125.0,
    "additions": 240000.0,
    "layers": [
        {
            "name": "downsample1_1",
            "cycles": 900,
            "additions": 20000,
            "utilisation": 0.694,
            "density": 0.41,
        },
        {"name": "head", "cycles": 100, "additions": 300, "utilisation": 0.094},
    ],
    "utilisation": {
        "device": "ecp5-85k",
        "package": "CABGA381",
        "lut": 6543,
        "ff": 3210,
        "bram": 45,
        "dsp": 0,
        "fmax_mhz": 81.25,
        "clock_mhz": 100.0,
        "seed": 1,
    },
    "multipliers": {"ecp5": 0, "xilinx": 0, "generic": 0},
    "bitstream": "build/demo/accelerator.bit",
}


def spikes():
    draw = np.random.default_rng(5)
    return {"downsample1_1.counts": draw.integers(0, 5, (6, 4, 4))}


def test_the_table_has_every_figure():
    rows = dict(summary(FIGURES))
    assert rows["accuracy, float SFA network"] == "97.50%"
    assert rows["accuracy, RTL (20 of them, simulated)"] == "95.00%"
    assert rows["clock that was asked for"] == "100 MHz, missed"
    assert rows["cycles, additions and utilisation"] == "means of 10 simulated images"
    assert rows["tensors compared"] == "1,140"
    assert rows["mismatches"] == "0"
    assert rows["cycles per image"] == "10,000"
    assert rows["additions per image"] == "240,000"
    assert rows["lane utilisation"] == "0.750"
    assert rows["LUT"] == "6,543"
    assert rows["DSP"] == "0"
    assert rows["Fmax after routing"] == "81.2 MHz"
    assert rows["latency at Fmax"] == "0.123 ms"
    assert rows["images per second at Fmax, of the second of two images"] == "10,000"
    assert rows["multipliers and DSPs, xilinx synthesis"] == "0"
    assert rows["bitstream"] == "build/demo/accelerator.bit"


@pytest.mark.parametrize("missing", sorted(FIGURES))
def test_any_figure_may_be_missing(tmp_path, missing):
    figures = {key: value for key, value in FIGURES.items() if key != missing}
    write(tmp_path, figures)
    assert json.loads((tmp_path / "report.json").read_text()) == figures


def test_a_report_of_nothing_is_a_page(tmp_path):
    write(tmp_path, {})
    assert "Addend build" in (tmp_path / "report.html").read_text()


def test_the_page_stands_alone_and_escapes_what_it_prints(tmp_path):
    write(tmp_path, FIGURES, spikes=spikes())
    text = (tmp_path / "report.html").read_text()
    assert "digits &lt;small&gt;" in text
    assert "http" not in text
    assert re.findall(r'src="(?!data:)', text) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.html", "report.json"]


def test_the_same_figures_give_the_same_bytes(tmp_path):
    pages = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        write(tmp_path / name, FIGURES, spikes=spikes())
        pages.append([
            (tmp_path / name / file).read_bytes() for file in ("report.html", "report.json")
        ])
    assert pages[0] == pages[1]


def test_bars_are_as_long_as_their_values():
    svg = ET.fromstring(bars([("a", 0.25), ("b <", 0.5)], limit=1.0, digits=2))
    lengths = [float(rect.get("width")) for rect in svg.iter("rect")]
    assert lengths == [105.0, 210.0]
    assert float(svg.find("line").get("x1")) == 296 + 420
    assert [text.text for text in svg.iter("text")] == ["a", "0.25", "b <", "0.50"]


def test_bars_of_zeros_are_drawn():
    svg = ET.fromstring(bars([("a", 0), ("b", 0)]))
    assert [float(rect.get("width")) for rect in svg.iter("rect")] == [0.0, 0.0]


def test_no_bars_are_refused():
    with pytest.raises(ValueError) as caught:
        bars([])
    assert str(caught.value) == "Bars must be at least 1, not 0"


@pytest.mark.parametrize("channels", [1, 5, 16])
def test_a_spike_map_shows_every_count_once(channels):
    """Each colour of the picture stands for a count, and lines between channels for none."""
    counts = np.random.default_rng(channels).integers(0, 5, (channels, 3, 4))
    source, width, height = spike_map(counts, max_count=4)
    image = Image.open(io.BytesIO(base64.b64decode(source.partition(",")[2])))
    assert image.size == (width, height)
    shown = np.bincount(np.asarray(image).ravel(), minlength=6)
    assert shown[:5].tolist() == np.bincount(counts.ravel(), minlength=5).tolist()


def test_lane_utilisation_without_cycles_is_zero():
    assert lane_utilisation(additions=0, cycles=0, lanes=8) == 0
    assert lane_utilisation(additions=40, cycles=10, lanes=8) == 0.5

"""Pages fit narrow windows: what is wide scrolls inside of them, and no number leaves them."""

import re
import shutil
import subprocess

import pytest

from golden import load
from golden.analysis.activity_statistics import take_statistics
from golden.analysis.synthetic import random_images
from hw.reporting.report import write
from tests.hw.test_report import FIGURES, spikes
from train.export.findings import findings
from train.export.page import page


#: Longer than any window is wide.
PATH = "/home/somebody/" + "a_folder_whose_name_is_long/" * 6 + "accelerator.bit"
#: Puts a page into a window of some width, and tells how wide it wants to be.
FRAME = """<html><body><iframe id="f" src="{page}" style="width:{width}px;height:900px;border:0">
</iframe><script>onload = () => {{
  const page = document.getElementById("f").contentDocument
  const right = cell => cell.getBoundingClientRect().right
  const last = Math.max(...[...page.querySelectorAll("body > table td")].map(right))
  document.title = page.documentElement.scrollWidth + " " + Math.ceil(last)
}}</script></body></html>"""


@pytest.fixture(scope="module")
def pages(project_root, tmp_path_factory):
    """The page of a build and that of a report, both with names that are long."""
    folder = tmp_path_factory.mktemp("pages")
    layers = [
        layer | {"name": f"block{number}.0.attn.a_layer_with_a_long_name"}
        for number, layer in enumerate(FIGURES["layers"] * 4)
    ]
    write(folder, FIGURES | {"bitstream": PATH, "title": PATH, "layers": layers}, spikes=spikes())
    model = load(project_root / "tests" / "data" / "digits.safetensors")
    statistics = take_statistics(model, random_images(1, 2, model.image_shape))
    (folder / "energy.html").write_text(page(findings(model, statistics)), encoding="utf-8")
    return folder


@pytest.mark.parametrize("width", [320, 400, 1200])
@pytest.mark.parametrize("name", ["report.html", "energy.html"])
def test_a_page_is_as_wide_as_its_window(pages, tmp_path, name, width):
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    if browser is None:
        pytest.skip("the widths of pages are measured by chromium, which is not installed")
    frame = tmp_path / "frame.html"
    frame.write_text(FRAME.format(page=f"file://{pages / name}", width=width), encoding="utf-8")
    shown = subprocess.run(
        [
            browser,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-web-security",
            "--allow-file-access-from-files",
            f"--user-data-dir={tmp_path / 'user'}",
            "--virtual-time-budget=4000",
            "--dump-dom",
            f"file://{frame}",
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    ).stdout
    page_width, last_number = map(int, re.search(r"<title>(\d+) (\d+)", shown).groups())
    assert 0 < page_width <= width
    assert 0 < last_number <= width


@pytest.mark.parametrize("name", ["report.html", "energy.html"])
def test_wide_things_scroll_and_paths_wrap(pages, name):
    text = (pages / name).read_text(encoding="utf-8")
    assert '<meta name="viewport" content="width=device-width, initial-scale=1">' in text
    _, *rest = text.split("</table>")
    for part in re.findall(r"<svg|<table", "</table>".join(rest)):
        assert re.search(rf'<div class="wide">\s*{part}', text)
    assert len(re.findall(r"<svg|<table", text)) == 1 + text.count('<div class="wide">')
    assert ".wide { overflow-x: auto }" in text
    if name == "report.html":
        assert f'<td class="text">{PATH}</td>' in text

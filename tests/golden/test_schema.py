"""The JSON Schema of the format: it takes what is saved, and refuses what is not of the format."""

import json
from copy import deepcopy
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from jschon import JSON, JSONSchema, create_catalog

import golden
from golden.data.tensors import read_tensors
from golden.model.graph import from_graph
from golden.model.ranges import widths
from tests.stepped import stepped


DATA = Path(__file__).parents[1] / "data"

# What jschon itself uses of the library of URIs will go away there.
pytestmark = pytest.mark.filterwarnings("ignore:Please use rfc3986:DeprecationWarning")


@pytest.fixture(scope="module")
def schema():
    create_catalog("2020-12")
    text = (files("golden") / "format.schema.json").read_text()
    return JSONSchema(json.loads(text))


def fits(schema, graph):
    return schema.evaluate(JSON(graph)).valid


@pytest.mark.parametrize("make", [stepped, lambda: golden.load(DATA / "digits.safetensors")])
def test_saved_models_are_of_the_schema(schema, tmp_path, make):
    golden.save(make(), tmp_path / "m.safetensors")
    header, _ = read_tensors(tmp_path / "m.safetensors", "addend")
    assert fits(schema, json.loads(header)["graph"])


def test_kinds_of_the_schema_are_those_of_the_code(schema):
    document = json.loads((files("golden") / "format.schema.json").read_text())
    for part, kinds in (("layer", golden.ops.OPERATORS), ("epilogue", golden.ops.EPILOGUES)):
        assert sorted(document["$defs"][part]["properties"]["kind"]["enum"]) == sorted(kinds)
        assert sorted(
            case["if"]["properties"]["kind"]["const"] for case in document["$defs"][part]["allOf"]
        ) == sorted(kinds)


@pytest.fixture(scope="module")
def example(project_root):
    """Graph, tensors and values of the page's example."""
    page = (project_root / "docs" / "format.md").read_text().split("<!-- example -->")[1]
    return [json.loads(part.split("```")[0]) for part in page.split("```json\n")[1:4]]


def test_the_example_of_the_page_computes_what_the_page_says(example):
    graph, tensors, values = example
    types = {"weight": np.int8, "bias": np.int64, "thresholds": np.int64}
    model = from_graph(
        graph,
        {
            name: np.array(entries, types[name.partition(".")[2]])
            for name, entries in tensors.items()
        },
    )
    golden.validate(model)
    assert model.widths == widths(model)
    pixels = np.array([[10, 0], [3, 20]], np.uint8).reshape(1, 2, 2, 1)
    found = golden.run(model, pixels, trace=True).tensors
    assert {name: found[name][0].tolist() for name in values} == values


@pytest.mark.parametrize(
    "change",
    [
        lambda graph: graph.pop("input"),
        lambda graph: graph.update(max_count=4),
        lambda graph: graph["input"].update(shape=[8, 8]),
        lambda graph: graph["input"].update(steps=0),
        lambda graph: graph["layers"][0].update(kind="token_sum"),
        lambda graph: graph["layers"][0].update(stride=1),
        lambda graph: graph["layers"][0].pop("axes"),
        lambda graph: graph["layers"][0]["axes"].pop(),
        lambda graph: graph["layers"][0]["axes"][0].pop("kernel"),
        lambda graph: graph["layers"][0].update(weight_bits=17),
        lambda graph: graph["layers"][0].update(epilogue=None),
        lambda graph: graph["layers"][0]["widths"].update(kv=3),
        lambda graph: graph["layers"][0]["epilogue"].update(combine="min"),
        lambda graph: graph["layers"][0]["epilogue"]["neuron"].update(levels=256),
        lambda graph: graph["layers"][0]["epilogue"]["neuron"].update(fraction_bits=3),
        lambda graph: graph["layers"][-1]["epilogue"].update(scale=0),
        lambda graph: graph["outputs"][0].update(classes=["a", "a"]),
    ],
)
def test_what_is_not_of_the_format_is_refused(schema, example, change):
    assert fits(schema, example[0])
    broken = deepcopy(example[0])
    change(broken)
    assert not fits(schema, broken)

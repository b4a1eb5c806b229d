"""Files that the reader refuses as a whole, in a sentence each; and forms of pictures."""

import builtins
import sys

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests.qonnx.converted import saved
from tests.qonnx.graph import Graph
from tests.qonnx.residual import residual
from train.normalise import findings
from train.qonnx import QonnxError, read


def fault(path, **options):
    with pytest.raises(QonnxError) as found:
        read(path, **options)
    return str(found.value).removeprefix(f"{path}: ")


def test_files_that_are_no_networks(tmp_path):
    path = tmp_path / "network.onnx"
    assert fault(path) == "cannot be read (no such file or directory)"
    for data in (b"", b"PK\3\4 and more", bytes(range(256))):
        path.write_bytes(data)
        assert fault(path).startswith("is no ONNX file")


def test_pictures_come_in_at_one_place(tmp_path):
    model = residual()
    model.graph.input.append(helper.make_tensor_value_info("mask", TensorProto.FLOAT, [1, 1, 8, 8]))
    assert (
        fault(saved(model, tmp_path)) == "must have one input that is a picture, not pixels, mask"
    )


@pytest.mark.parametrize(
    ("shape", "sentence"),
    [
        (
            [1, 1, "H", "W"],
            (
                "the input pixels (1x1xHxW) must have a fixed shape behind the axis of pictures: "
                "export with the shape of one picture"
            ),
        ),
        (
            [1, 8, 8],
            (
                "the input pixels (1x8x8) must have the axes of pictures, channels, rows and "
                "columns, or of pictures and features"
            ),
        ),
    ],
)
def test_shapes_are_fixed(shape, sentence, tmp_path):
    model = residual()
    value = helper.make_tensor_value_info("pixels", TensorProto.FLOAT, shape)
    model.graph.input[0].CopyFrom(value)
    assert fault(saved(model, tmp_path)) == sentence


def test_numbers_beside_the_file_must_be_there(tmp_path):
    path = tmp_path / "network.onnx"
    onnx.save(
        residual(), path, save_as_external_data=True, location="network.data", size_threshold=0
    )
    assert len(read(path).nodes) == 22
    (tmp_path / "network.data").unlink()
    sentence = fault(path)
    assert sentence.startswith("keeps numbers in another file that is not there")
    assert sentence.endswith("put it beside the ONNX file")


def test_numbers_are_numbers(tmp_path):
    model = residual()
    tensor = model.graph.initializer[3]
    values = numpy_helper.to_array(tensor).copy()
    values.flat[0] = np.nan
    tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
    assert fault(saved(model, tmp_path)) == f"the constant {tensor.name} holds what is no number"


def test_somebody_says_what_a_byte_stands_for(tmp_path):
    assert fault(saved(residual(pixels="none"), tmp_path)) == (
        "nobody says what a byte of a picture stands for: quantise the network's input to 8 bits, "
        "or pass --pixel-scale 1/255 for pixels from 0 to 1"
    )


def test_without_onnx_a_sentence_says_what_is_missing(tmp_path, monkeypatch):
    imported = builtins.__import__

    def without(name, *arguments):
        if name.partition(".")[0] == "onnx":
            raise ImportError(name)
        return imported(name, *arguments)

    for name in [name for name in sys.modules if name.partition(".")[0] == "onnx"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(QonnxError) as found:
        read(tmp_path / "network.onnx")
    assert str(found.value) == (
        "reading a QONNX file needs the package onnx: pip install addend[onnx]"
    )


def test_features_and_channels_that_come_last_are_known(tmp_path):
    graph = Graph((1, 64))
    weight = graph.constant(np.ones((3, 64)))
    features = graph.model(graph.node("Gemm", "a", "pixels", weight, transB=1), (1, 3))
    assert read(saved(features, tmp_path), scale=1).nodes[0].size == (64, 1, 1)
    graph = Graph((1, 6, 8, 3))
    name = graph.node("Transpose", "first", "pixels", perm=[0, 3, 1, 2])
    name = graph.node("Conv", "a", name, graph.constant(np.ones((3, 3, 6, 8))))
    nodes = read(saved(graph.model(name, (1, 3, 1, 1)), tmp_path), scale=1).nodes
    assert [node.size for node in nodes] == [(3, 6, 8), (3, 1, 1)]


def test_a_bias_is_not_given_to_whom_others_read(tmp_path):
    graph = Graph((1, 1, 2, 2))
    name = graph.node("Conv", "a", "pixels", graph.constant(np.ones((3, 1, 1, 1))))
    shifted = graph.node("Add", "b", name, graph.constant(0.5))
    name = graph.node("Add", "c", name, shifted)
    network = read(saved(graph.model(name, (1, 3, 2, 2)), tmp_path), scale=1)
    assert [node.kind for node in network.nodes] == ["input", "convolution", "batch norm", "add"]
    assert network.modules.a.bias is None


def test_one_tensor_leaves_the_network(tmp_path):
    model = residual()
    (score,) = model.graph.output
    model.graph.output.append(score)
    (found,) = findings(read(saved(model, tmp_path)))
    assert found.name == "head"
    assert (found.reason, found.remedy) == (
        "leaves the network beside class scores",
        "let one tensor of class scores leave it",
    )
    del model.graph.output[:]
    assert fault(saved(model, tmp_path)) == "has no output"


def test_integers_of_constants_are_whole(tmp_path):
    graph = Graph((1, 2))
    weight = graph.constant([[2.75, -1.5]])
    weight = graph.node("Cast", "to/whole", weight, to=TensorProto.INT32)
    weight = graph.node("Cast", "to/real", weight, to=TensorProto.FLOAT)
    model = graph.model(graph.node("Gemm", "a", "pixels", weight, transB=1), (1, 1))
    modules = read(saved(model, tmp_path), scale=1).modules
    assert modules.a.weight.tolist() == [[2.0, -1.0]]

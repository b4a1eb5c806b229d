"""Speed of the golden model beside PyTorch's: the network is recovered, figures are printed."""

import re

import pytest

import golden
from golden.analysis.synthetic import random_model
from tests.benchmark.float_network import network_of, time_inference
from tests.benchmark.inference import Bench, main
from tests.training import random_quantised
from train.interpret.lower import integer_model


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"image": (12, 10, 3), "strides": (2, 1, 1, 2, 1), "stem_kernel": 7, "depths": (2, 1)},
        {"dims": (8, 4, 16, 8), "heads": 4, "max_count": 2, "classes": 3, "pixel_constant": 9},
        {"family": "large", "dims": (4, 4, 8), "depths": (2,), "strides": (1, 2, 1, 1)},
    ],
)
def test_the_network_of_a_model_is_recovered(changes):
    quantised = random_quantised(1, **changes)
    assert network_of(integer_model(quantised, name="t")) == quantised.network.modules_of.network


def test_what_is_no_spike_driven_transformer_is_refused():
    model = random_model(1)
    odd = golden.IntegerModel("odd", model.input, model.layers[-1:])
    with pytest.raises(ValueError, match="odd must be a spike-driven transformer"):
        network_of(odd)


def test_inference_takes_time():
    assert time_inference(random_quantised(1).network.modules_of.network, 2, rounds=2) > 0


def test_the_bench_prints_both_sides(tmp_path, capsys):
    path = tmp_path / "m.safetensors"
    golden.save(random_model(1), path)
    assert main([str(path), "--images", "2", "--rounds", "1"]) == 0
    said = capsys.readouterr().out
    assert re.search(r"golden +[\d.]+ images/s", said)
    assert re.search(r"torch float32 +[\d.]+ images/s", said)
    assert re.search(r"golden takes [\d.]+ times as long", said)
    with pytest.raises(SystemExit, match="2"):
        main([str(path), "--rounds", "0"])


def test_without_pytorch_the_bench_says_so():
    assert "nothing was compared" in Bench(0.5, None, 2**30).lines()[-1]

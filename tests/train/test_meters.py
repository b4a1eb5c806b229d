"""Meters of additions, against golden's count and against their own definitions."""

import numpy as np
import pytest
import torch

import golden
from golden import PIXELS, SpikeCode
from golden.spike import set_bits
from tests.training import dyadic_quantised, random_images, random_network, random_quantised
from train.interpret.float_run import FloatRun, QuantisedRun
from train.interpret.lower import integer_model
from train.interpret.meters import AdditionMeter, MeanMeter, additions_of
from train.network.build import layered
from train.network.images import to_maps


#: Uneven maps, strides, and the largest counts of every kind of split planes.
LARGE = {"family": "large", "dims": (4, 4, 8), "depths": (2,), "strides": (1, 2, 1, 1)}
NETWORKS = {
    "base": lambda: dyadic_quantised(1),
    "strided": lambda: random_quantised(
        2, image=(9, 7, 2), strides=(2, 1, 2, 1, 1), stem_kernel=7, max_count=5
    ),
    "large": lambda: random_quantised(3, **LARGE, head="spike", max_count=6),
    "i-lif": lambda: random_quantised(4, neuron="i-lif", max_count=10),
}


@pytest.fixture(scope="module", params=NETWORKS)
def exported(request):
    """A quantised network, images, the integer model and its tensors."""
    quantised = NETWORKS[request.param]()
    model = integer_model(quantised, name=request.param)
    images = random_images(4, model.image_shape)
    return quantised, images, model, golden.run(model, images, trace=True).tensors


def metered(quantised, images, code):
    """Ratio that the meter finds while the quantised network computes in evaluation mode."""
    meter = AdditionMeter(quantised.network, code)
    run = QuantisedRun(quantised.grids, weight_bits=quantised.weight_bits, meter=meter)
    with torch.no_grad():
        run(quantised.network, to_maps(images).double())
    return float(meter.take())


@pytest.mark.parametrize("code", SpikeCode)
def test_additions_are_those_of_the_exported_model_padding_heads_and_attention_too(exported, code):
    quantised, images, model, tensors = exported
    counted = golden.additions(model, tensors, code)
    ones = {
        layer.name: layer.events(tensors, lambda x, _: np.ones_like(x)) for layer in model.layers
    }
    # Additions of pixels do not depend on the network.
    spiking = [layer.name for layer in model.layers if PIXELS not in layer.reads]
    spent, dense = (sum(int(np.sum(one[name])) for name in spiking) for one in (counted, ones))
    assert 0 < spent < dense * model.max_count
    assert metered(quantised, images, code) == spent / dense


@pytest.mark.parametrize(
    ("code", "slopes"),
    [
        (SpikeCode.THERMOMETER, [1, 1, 1, 1, 1]),
        (SpikeCode.BIT_SERIAL, [1, 0.5, 0.5, 0, -1]),
        (SpikeCode.TWO_BIT_SERIAL, [1, 0.5, 0.5, 0.5, 0]),
        (SpikeCode.SPLIT, [1, 0.5, 0.5, 1, 1]),
    ],
)
def test_the_gradient_is_the_local_slope_of_the_table(code, slopes):
    table = set_bits(np.arange(5), code, 4)
    counts = torch.arange(5.0).repeat(2, 3, 4, 1)
    spikes = (counts / 4).requires_grad_()
    sums = additions_of(spikes, table, 0.25)
    assert sums.tolist() == (6 * np.tile(table, (4, 1))).tolist()
    weights = torch.arange(20.0).view(4, 5)
    (gradient,) = torch.autograd.grad((sums * weights).sum(), spikes)
    assert torch.equal(gradient, (4 * weights * torch.tensor(slopes)).expand(2, 3, 4, 5))


def test_counts_are_found_in_bfloat16_too():
    for largest in range(1, 16):
        counts = torch.arange(largest + 1).view(1, 1, 1, -1)
        spikes = (counts / largest).bfloat16()
        table = np.arange(largest + 1) ** 2
        sums = additions_of(spikes, table, 1 / largest)
        assert sums.dtype == torch.float32
        assert sums.tolist() == [table.tolist()]


def test_the_mean_meter_sees_convolutions_alone_and_no_padding():
    network = layered(random_network(5))
    images = to_maps(random_images(6, network.entry.size[1:] + network.entry.size[:1]))
    seen = {}

    class Watching(MeanMeter):
        def __call__(self, run, layer, potential):
            if potential is not None and layer.source != "pixels":
                count = run.tensors[layer.source].mean() / float(layer.unit)
                weight = run.bound[layer.name][0].weight
                seen[layer.name] = count, weight.numel() * potential[0, 0].numel()
            super().__call__(run, layer, potential)

    meter = Watching()
    with torch.no_grad():
        FloatRun(meter=meter)(network, images)
    assert "head" not in seen
    expected = sum(count * number for count, number in seen.values())
    torch.testing.assert_close(meter.take(), expected / sum(number for _, number in seen.values()))


def test_a_meter_begins_anew_after_it_was_read():
    quantised = dyadic_quantised(1)
    meter = AdditionMeter(quantised.network, SpikeCode.SPLIT)
    run = QuantisedRun(quantised.grids, weight_bits=8, meter=meter)
    found = []
    for seed in (1, 2, 1):
        with torch.no_grad():
            run(quantised.network, to_maps(random_images(3, seed=seed)).double())
        found.append(float(meter.take()))
    assert found[0] == found[2] != found[1]

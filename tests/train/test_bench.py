"""The networks that ours is measured against, and the measurement."""

import json

import pytest
import torch
import torch.nn.functional as F

from golden.neuron import Rounding
from tests.benchmark.plain import PlainNetwork, TimeSteps, integer_neuron
from tests.benchmark.training import VARIANTS, Bench, main
from tests.training import (
    float_spikes,
    network_config,
    random_images,
    random_network,
    run_config,
    to_toml,
    units,
)
from train.network.build import layered
from train.network.images import to_maps
from train.nn.neuron import SpikeNeuron


def counts(network, images, neurons):
    """What every neuron emits, and the predicted classes; in float64."""
    seen = []
    for neuron in neurons:
        neuron.register_forward_hook(lambda neuron, _, output: seen.append(output * neuron.divisor))
    with torch.no_grad():
        classes = network(images).argmax(1)
    return seen, classes


@pytest.mark.parametrize("rounding", list(Rounding))
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"dims": (4, 4, 8, 16), "depths": (2, 1), "max_count": 7},
        {"neuron": "i-lif"},
    ],
)
def test_the_plain_network_is_the_same_network(rounding, changes):
    ours = random_network(3, rounding=rounding, **changes).double().eval()
    plain = PlainNetwork(ours.network, integer_neuron(ours.network)).double().eval()
    plain.load_state_dict(ours.state_dict())
    images = to_maps(random_images(8)).double()
    layers = layered(ours)
    classes, spikes = float_spikes(layers, images)
    expected = [found / float(unit) for found, unit in zip(spikes, units(layers), strict=True)]
    # Ours fires after every write; nobody reads the last one, whose mean the head takes.
    del expected[-2]
    kind = type(plain.neuron)
    found, others = counts(plain, images, [m for m in plain.modules() if isinstance(m, kind)])
    assert len(found) == len(expected)
    for name, (spikes, ours) in enumerate(zip(found, expected, strict=True)):
        assert torch.equal(spikes.flatten(), ours.flatten()), name
    assert torch.equal(classes.argmax(1), others)


def test_the_plain_gradient_is_ours():
    potential = torch.linspace(-2, 6, 4001, dtype=torch.float64)
    for rounding in Rounding:
        network = network_config(rounding=rounding)
        ours = SpikeNeuron(max_count=4, rounding=rounding, divisor=4)
        gradients = []
        for neuron in (ours, integer_neuron(network)()):
            leaf = potential.clone().requires_grad_()
            neuron(leaf).sum().backward()
            gradients.append(leaf.grad)
        assert torch.equal(*gradients)


def test_leaky_neurons_follow_their_recurrence():
    generator = torch.Generator().manual_seed(0)
    potential = torch.randn(4 * 3, 5, generator=generator) * 2
    spikes = TimeSteps(4)(potential).unflatten(0, (4, 3))
    membrane = torch.zeros(3, 5)
    for current, fired in zip(potential.unflatten(0, (4, 3)), spikes, strict=True):
        membrane = membrane + (current - membrane) / 2
        expected = (membrane >= 1).float()
        membrane = membrane * (1 - expected)
        assert torch.equal(fired, expected)
    assert 0 < spikes.mean() < 1


def test_gradients_reach_every_layer_over_time_steps():
    torch.manual_seed(0)
    network = VARIANTS["binary, T = 4"](network_config(dims=(8, 8, 8, 8)))
    scores = network(to_maps(random_images(16)))
    assert scores.shape == (16, 10)
    F.cross_entropy(scores, torch.arange(16) % 10).backward()
    for name, values in network.named_parameters():
        assert values.grad.isfinite().all(), name
        # A bias in front of a batch norm changes nothing.
        assert values.grad.abs().sum() > 0 or name.endswith("conv.bias"), name


def test_every_time_step_sees_the_image():
    network = VARIANTS["binary, T = 4"](network_config()).eval()
    seen = []
    network.downsample1_1.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0]))
    images = to_maps(random_images(3))
    network(images)
    steps = seen[0].unflatten(0, (4, 3))
    assert all(torch.equal(step, images / 256) for step in steps)


def test_ratios_are_those_of_each_turn():
    found = Bench(
        {"ours": [1.0, 2.0, 4.0], "other": [3.0, 4.0, 20.0]}, {"ours": 2**20, "other": 3 * 2**20}
    )
    assert found.rows() == [("ours", 2000.0, 1.0, 1.0, 1.0), ("other", 4000.0, 3.0, 3.0, 3.0)]


def test_the_command_prints_and_writes_every_variant(tmp_path, capsys):
    (tmp_path / "c.toml").write_text(to_toml(run_config()))
    assert (
        main([
            "--config",
            str(tmp_path / "c.toml"),
            "--batch",
            "4",
            "--rounds",
            "2",
            "--out",
            str(tmp_path / "bench.json"),
        ])
        == 0
    )
    lines = capsys.readouterr().out.splitlines()
    assert [line[:16].strip() for line in lines[2:]] == list(VARIANTS)
    found = json.loads((tmp_path / "bench.json").read_text())
    assert found["seconds"].keys() == found["peaks"].keys() == set(VARIANTS)
    assert all(len(taken) == 2 for taken in found["seconds"].values())


def test_only_the_base_family_is_compared(tmp_path, capsys):
    large = run_config(family="large", dims=(4, 4, 8), depths=(1,), strides=(1, 2, 1, 1))
    (tmp_path / "c.toml").write_text(to_toml(large))
    assert main(["--config", str(tmp_path / "c.toml")]) == 2
    assert "must" not in capsys.readouterr().out

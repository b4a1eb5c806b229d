"""Structure of E-SpikeFormer: names, sizes, and the forward pass against a plain rewriting."""

import pytest
import torch

from golden.neuron import Rounding
from tests.plain import PlainForward
from tests.training import float_spikes, make_dyadic, network_config, random_images, random_network
from train.families.e_spikeformer import ESpikeFormer, published
from train.network.build import count_parameters, layered
from train.network.images import to_maps


@pytest.mark.parametrize(
    ("size", "parameters"),
    [
        ("T", 2_702_048),
        ("S", 5_105_608),
        ("M", 10_023_112),
        ("L", 18_987_504),
    ],
)
def test_published_sizes(size, parameters):
    with torch.device("meta"):
        network = ESpikeFormer(published(size))
    assert count_parameters(network) == parameters
    assert len(network.state_dict()) == 605


def batch_norm(prefix):
    nouns = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    return {f"{prefix}.{noun}" for noun in nouns}


def expected_names():
    """Every entry of the official checkpoints."""
    names = {"head.weight", "head.bias"}
    for down in ("1_1", "1_2", "2", "3", "4"):
        names |= {f"downsample{down}.encode_conv.{noun}" for noun in ("weight", "bias")}
        names |= batch_norm(f"downsample{down}.encode_bn")
    separable = ("pwconv1", "dwconv", "pwconv2")
    pairs = []
    for stage in ("1_1", "1_2", "2_1", "2_2"):
        block = f"ConvBlock{stage}.0"
        pairs += [f"{block}.Conv.{conv}" for conv in separable]
        for index in (1, 2):
            names |= {f"{block}.conv{index}.weight"} | batch_norm(f"{block}.bn{index}")
    for stage, depth in ((3, 6), (4, 2)):
        for block in (f"block{stage}.{index}" for index in range(depth)):
            pairs += [f"{block}.conv.{conv}" for conv in separable]
            pairs += [f"{block}.attn.{noun}_conv" for noun in ("q", "k", "v", "proj")]
            for index in (1, 2):
                conv = f"{block}.mlp.fc{index}"
                names |= {f"{conv}_conv.weight", f"{conv}_conv.bias"} | batch_norm(f"{conv}_bn")
    for pair in pairs:
        names |= {f"{pair}.0.weight"} | batch_norm(f"{pair}.1")
    return names


def test_names_and_ranks_of_the_official_checkpoints():
    with torch.device("meta"):
        state = ESpikeFormer(published("T")).state_dict()
    assert set(state) == expected_names()
    assert state["downsample1_1.encode_conv.weight"].shape == (12, 3, 7, 7)
    assert state["ConvBlock1_1.0.Conv.pwconv1.0.weight"].shape == (24, 12, 1, 1)
    assert state["ConvBlock2_2.0.Conv.dwconv.0.weight"].shape == (96, 1, 7, 7)
    assert state["block3.5.conv.dwconv.0.weight"].shape == (192, 1, 3, 3)
    assert state["block3.0.attn.v_conv.0.weight"].shape == (384, 96, 1, 1)
    assert state["block4.1.mlp.fc1_conv.weight"].shape == (512, 128, 1)
    assert state["head.weight"].shape == (1000, 128)


@pytest.mark.parametrize("rounding", list(Rounding))
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"image": (12, 10, 3), "strides": (2, 1, 1, 2, 1), "stem_kernel": 7, "depths": (2, 1)},
        {"dims": (8, 4, 16, 8), "heads": 4, "max_count": 2, "classes": 3},
    ],
)
def test_forward_equals_the_plain_rewriting(changes, rounding):
    network = ESpikeFormer(network_config(rounding=rounding, **changes)).double().eval()
    make_dyadic(network, torch.Generator().manual_seed(1))
    plain = PlainForward(network.state_dict(), network.network, eps=0)
    images = to_maps(random_images(4, network.network.image)).double()
    found, spikes = float_spikes(layered(network), images)
    assert torch.equal(found, network(images))
    assert torch.equal(found, plain(images))
    # Nobody reads the counts of the last stream: the head sums its potentials.
    del spikes[-2]
    assert len(spikes) == len(plain.spikes)
    for ours, theirs in zip(spikes, plain.spikes, strict=True):
        assert torch.equal(ours.flatten(), theirs.flatten())
    # Images that all look alike would make a weak test.
    alike = sum(len(layer.unique(dim=0)) == 1 for layer in spikes)
    assert alike * 4 < len(spikes)


def test_any_image_size_depth_and_class_count():
    network = random_network(0, image=(7, 5, 2), depths=(1, 3), classes=7)
    images = to_maps(random_images(2, (7, 5, 2)))
    assert network(images).shape == (2, 7)
    assert len(network.block4) == 3


def test_training_reaches_every_parameter():
    network = random_network(2).train()
    network(to_maps(random_images(16))).square().sum().backward()
    missing = [
        name
        for name, parameter in network.named_parameters()
        if parameter.grad is None or not parameter.grad.abs().sum() > 0
    ]
    # A bias in front of batch norm has no effect.
    assert all(name.endswith("conv.bias") for name in missing)


def test_the_gradient_does_not_grow_through_a_network_of_single_spikes():
    """It would grow a thousandfold from the last stage to the stem: nothing would be learned."""
    shape = network_config(dims=(16, 24, 24, 32), heads=4, strides=(1, 2, 1, 1, 1), max_count=1)
    torch.manual_seed(0)
    network = ESpikeFormer(shape)
    scores = network(to_maps(random_images(64)))
    torch.nn.functional.cross_entropy(scores, torch.arange(64) % 10).backward()
    stem, last = (
        getattr(network, name).encode_conv.weight.grad.abs().mean()
        for name in ("downsample1_1", "downsample4")
    )
    assert stem < 30 * last

"""Pre-training as a masked autoencoder."""

import pytest
import torch

from tests.training import Stopping, network_config, random_images, random_network, run_config
from train.data.sets import DataSplit, load_split
from train.families.e_spikeformer import ESpikeFormer
from train.interpret.float_run import FloatRun
from train.network.autoencoder import Autoencoder, patch_grid, patches
from train.network.build import layered
from train.network.images import to_maps
from train.network.masked import MaskedRun, draw_mask, spread
from train.ops import TokenSum
from train.run import checkpoint
from train.run.checkpoint import CheckpointError
from train.run.config import PRETRAINED_CHECKPOINT, PretrainConfig
from train.run.fit import fit
from train.run.pretrain import pretrain


@pytest.fixture(autouse=True, scope="module")
def few_digits():
    split = load_split(run_config())
    few = DataSplit(
        split.train_images[:257],
        split.train_labels[:257],
        split.test_images[:20],
        split.test_labels[:20],
    )
    with pytest.MonkeyPatch.context() as patch:
        for module in ("train.run.fit", "train.run.pretrain"):
            patch.setattr(f"{module}.load_split", lambda *_: few)
        yield few


def pretrain_config(**changes):
    import msgspec

    fields = {"epochs": 4, "decoder_width": 16, "decoder_depth": 1} | changes
    return msgspec.structs.replace(run_config(), pretrain=PretrainConfig(**fields))


def test_a_mask_hides_its_part_of_every_image():
    generator = torch.Generator().manual_seed(0)
    mask = draw_mask(50, (4, 4), 0.5, generator)
    assert mask.shape == (50, 1, 4, 4)
    assert (mask.sum((1, 2, 3)) == 8).all()
    assert len({tuple(row) for row in mask.flatten(1).tolist()}) > 40
    wide = spread(mask, (8, 8))
    assert torch.equal(wide[:, :, ::2, ::2], mask)
    assert torch.equal(wide[:, :, 1::2, 1::2], mask)


class Watching(MaskedRun):
    """Keeps the potentials of every layer."""

    def __init__(self, mask):
        super().__init__(mask)
        self.potentials = {}

    def normalise(self, name, potential, norm):
        self.potentials[name] = super().normalise(name, potential, norm)
        return self.potentials[name]


def watch(network, images, mask):
    run = Watching(mask)
    run(layered(network), images)
    return run.potentials


def test_hidden_positions_stay_zero_up_to_the_transformer_blocks():
    network = random_network(0)
    images = to_maps(random_images(6))
    mask = draw_mask(6, (4, 4), 0.5, torch.Generator().manual_seed(1))
    found = watch(network, images, mask)
    assert any(name.startswith("block4") for name in found)
    for name, values in found.items():
        hidden = values[spread(mask, values.shape[2:]).expand_as(values)]
        if name.startswith(("block", "downsample4")):
            assert hidden.abs().sum() > 0, name
        else:
            assert hidden.abs().sum() == 0, name
            shown = values[~spread(mask, values.shape[2:]).expand_as(values)]
            assert shown.abs().sum() > 0, name


def test_hidden_pixels_change_nothing():
    network = random_network(0)
    mask = draw_mask(4, (4, 4), 0.5, torch.Generator().manual_seed(1))
    module = Autoencoder(network, width=16, depth=1).eval()
    images = to_maps(random_images(4))
    others = torch.where(spread(mask, (8, 8)), 255 - images, images)
    outputs = []
    module.pixels.register_forward_hook(lambda _, __, output: outputs.append(output))
    module(images, mask)
    module(others, mask)
    assert torch.equal(*outputs)


def test_without_a_mask_the_network_is_the_ordinary_one():
    network = random_network(0).double()
    images = to_maps(random_images(4)).double()
    none = torch.zeros(4, 1, 4, 4, dtype=torch.bool)
    layers = layered(network)
    stream = MaskedRun(none)(layers, images)
    seen = {}

    class Ordinary(FloatRun):
        def mean_scores(self, network):
            return seen["mean"]

    class Sum(TokenSum):
        def float(self, run):
            seen["mean"] = run.tensors[f"{self.stream}.stream"]
            super().float(run)

    layers.layers = tuple(
        Sum(**vars(layer)) if isinstance(layer, TokenSum) else layer for layer in layers.layers
    )
    assert (stream - layers(images, Ordinary())).abs().max() < 1e-9


def test_statistics_are_those_of_visible_positions():
    network = random_network(0).train()
    norm = network.downsample1_1.encode_bn
    norm.momentum = 1.0
    images = to_maps(random_images(6))
    mask = draw_mask(6, (4, 4), 0.5, torch.Generator().manual_seed(1))
    watch(network, images, mask)
    potential = network.downsample1_1.encode_conv(images / 256)
    shown = potential.permute(0, 2, 3, 1)[~spread(mask, potential.shape[2:]).squeeze(1)]
    assert torch.allclose(norm.running_mean, shown.mean(0), atol=1e-5)
    assert torch.allclose(norm.running_var, shown.var(0), atol=1e-4)


def test_patches_are_normalised_pixels_in_the_order_of_tokens():
    images = torch.zeros(1, 1, 4, 4)
    images[0, 0, 0, 2] = 100
    found = patches(images, (2, 2))
    assert found.shape == (1, 4, 4)
    assert found[0, [0, 2, 3]].abs().sum() == 0
    assert found[0, 1].argmax() == 0
    assert float(found[0, 1].mean()) == pytest.approx(0, abs=1e-6)
    assert float(found[0, 1].var()) == pytest.approx(1, rel=1e-5)


def test_an_image_must_be_whole_patches():
    assert patch_grid(network_config()) == (4, 4)
    with pytest.raises(ValueError, match=r"product of strides \(2\) to be masked, not 7x8$"):
        patch_grid(network_config(image=(7, 8, 1)))


def test_the_loss_falls_and_fine_tuning_starts_from_the_weights(tmp_path):
    state = pretrain(pretrain_config(epochs=8), tmp_path, seed=0)
    losses = [row["loss"] for row in state.history]
    assert losses[-1] < 0.95 * losses[0]
    path = tmp_path / PRETRAINED_CHECKPOINT
    trained = checkpoint.load(path).network
    fresh = ESpikeFormer(network_config()).state_dict()
    assert trained.keys() == fresh.keys()
    seen = []

    class Stop:
        def step(self, done, total):
            pass

        def phase(self, sentence):
            seen.append(sentence)

        def epoch(self, phase, done, total, loss):
            raise KeyboardInterrupt

    config = run_config(float_rate=1e-12, float_epochs=2)
    with pytest.raises(KeyboardInterrupt):
        fit(config, tmp_path / "tuned", seed=0, init=path, progress=Stop())
    tuned = checkpoint.load(tmp_path / "tuned" / "checkpoint.pt").network
    for name in ("block3.0.attn.q_conv.0.weight", "downsample2.encode_conv.weight"):
        assert torch.allclose(tuned[name], trained[name], atol=1e-9)
    assert seen == []


def test_a_resumed_pre_training_is_bit_identical(tmp_path):
    expected = pretrain(pretrain_config(), tmp_path / "whole", seed=1)

    with pytest.raises(KeyboardInterrupt):
        pretrain(pretrain_config(), tmp_path / "parts", seed=1, progress=Stopping(2))
    found = pretrain(pretrain_config(), tmp_path / "parts", seed=1, resume=True)
    for part in ("network", "decoder"):
        ours, theirs = getattr(found, part), getattr(expected, part)
        assert ours.keys() == theirs.keys()
        for name, values in theirs.items():
            assert torch.equal(ours[name], values), name
    with pytest.raises(CheckpointError, match="already there, so pass --resume"):
        pretrain(pretrain_config(), tmp_path / "parts", seed=1)

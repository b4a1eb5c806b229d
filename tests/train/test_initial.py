"""Weights that a run starts from."""

import pytest
import torch

from tests.training import network_config, random_images, random_network, run_config
from train.data.sets import DataSplit, load_split
from train.families.e_spikeformer import ESpikeFormer
from train.network.images import to_maps
from train.run.checkpoint import CheckpointError
from train.run.config import FLOAT_CHECKPOINT
from train.run.fit import fit
from train.run.initial import load_weights


@pytest.fixture(autouse=True, scope="module")
def few_digits():
    split = load_split(run_config())
    few = DataSplit(
        split.train_images[:130],
        split.train_labels[:130],
        split.test_images[:20],
        split.test_labels[:20],
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("train.run.fit.load_split", lambda *_: few)
        yield few


def test_a_run_of_quantised_epochs_alone_starts_from_a_float_checkpoint(tmp_path):
    first = fit(run_config(batch=130), tmp_path / "float", seed=0)
    init = tmp_path / "float" / FLOAT_CHECKPOINT
    config = run_config(float_epochs=0, quantised_epochs=3, batch=130)
    # The first run went on from the same weights, with the same draws.
    second = fit(config, tmp_path / "tuned", seed=0, init=init)
    assert [row["phase"] for row in second.history] == ["quantised", "quantised", "frozen"]
    # Its float network is that of the first run.
    assert second.accuracy["float"] == first.accuracy["float"]
    assert second.accuracy.keys() == {"float", "quantised", "golden"}
    assert second.history[0]["loss"] < first.history[0]["loss"]


def test_a_run_without_float_epochs_asks_for_weights(tmp_path):
    with pytest.raises(CheckpointError, match="needs weights, so pass --init CHECKPOINT$"):
        fit(run_config(float_epochs=0), tmp_path, seed=0)


@pytest.mark.parametrize(
    ("wrap", "said"),
    [
        (lambda values: values, []),
        (lambda values: {"model": values}, ["the entry model was taken"]),
        (
            lambda values: {
                "state_dict": {f"module.{name}": value for name, value in values.items()}
            },
            ["the entry state_dict was taken", "names were read without module."],
        ),
        (
            lambda values: {
                name: value for name, value in values.items() if "num_batches" not in name
            },
            [],
        ),
    ],
)
def test_an_official_state_dict_gives_the_same_scores(tmp_path, wrap, said):
    """Official networks see (x/255 - mean)/deviation; inside the image the conversion is exact."""
    shape = {"image": (8, 8, 3), "stem_kernel": 1}
    official = random_network(0, **shape).double().eval()
    torch.save(wrap(official.state_dict()), tmp_path / "official.pth")
    network = ESpikeFormer(network_config(**shape)).double().eval()
    path = tmp_path / "official.pth"
    assert load_weights(network, path) == [f"{path}: {line}" for line in said]
    images = to_maps(random_images(8, (8, 8, 3))).double()
    mean = torch.tensor([0.485, 0.456, 0.406]).double()[:, None, None]
    deviation = torch.tensor([0.229, 0.224, 0.225]).double()[:, None, None]
    # The network divides by 256 itself.
    theirs = (images / 255 - mean) / deviation * 256
    with torch.no_grad():
        difference = network(images) - official(theirs)
    assert difference.abs().max() < 1e-6


def test_another_classifier_starts_anew(tmp_path):
    trained = random_network(0)
    torch.save(trained.state_dict(), tmp_path / "w.pth")
    network = ESpikeFormer(network_config(classes=3))
    before = network.head.weight.clone()
    assert load_weights(network, tmp_path / "w.pth") == [
        f"head.weight, head.bias start anew: {tmp_path / 'w.pth'} has other classes"
    ]
    assert torch.equal(network.head.weight, before)
    assert torch.equal(
        network.downsample2.encode_conv.weight, trained.downsample2.encode_conv.weight
    )


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            lambda w: w.pop("downsample2.encode_bn.bias"),
            r"w\.pth: lacks downsample2\.encode_bn\.bias$",
        ),
        (
            lambda w: w.update({"extra.weight": torch.zeros(1)}),
            r"has the unexpected extra\.weight$",
        ),
        (
            lambda w: w.update({"downsample2.encode_bn.bias": torch.zeros(3)}),
            r"other shapes than the network in downsample2\.encode_bn\.bias \(3 in place of 4\)$",
        ),
    ],
)
def test_weights_that_do_not_fit_are_named(tmp_path, change, sentence):
    values = dict(ESpikeFormer(network_config()).state_dict())
    change(values)
    torch.save(values, tmp_path / "w.pth")
    with pytest.raises(CheckpointError, match=sentence):
        load_weights(ESpikeFormer(network_config()), tmp_path / "w.pth")


@pytest.mark.parametrize("contents", [b"", b"no weights at all", None])
def test_a_file_without_weights_is_refused(tmp_path, contents):
    path = tmp_path / "w.pth"
    if contents is None:
        torch.save({"epoch": 3}, path)
    else:
        path.write_bytes(contents)
    with pytest.raises(CheckpointError, match="must be a state_dict that torch saved"):
        load_weights(ESpikeFormer(network_config()), path)

"""Recipes: each is complete, and the large ones take real pictures."""

import shutil

import msgspec
import numpy as np
import pytest
import torch

from golden import SpikeCode
from tests.pictures import write_tree
from train.data.augment import augment
from train.data.sets import load_split
from train.families.e_spikeformer import ESpikeFormer, published
from train.network.build import count_parameters
from train.run import config
from train.run.checkpoint import Checkpoint
from train.run.processes import ALONE
from train.run.training import Training


PARAMETERS = {"T": 2_702_048, "S": 5_105_608, "M": 10_023_112, "L": 18_987_504}


@pytest.fixture(scope="module")
def recipes(project_root):
    folder = project_root / "train" / "recipes"
    return {path.stem: config.load(path) for path in folder.glob("*.toml")}


def test_every_recipe_is_named_after_its_file(recipes):
    assert recipes.keys() == {
        "digits",
        "digits-tiny",
        "cifar10-nano",
        "cifar10-nano-2",
        "cifar10-nano-sparse",
        *(f"imagenet-{size}" for size in "tsml"),
    }
    assert all(recipe.name == name for name, recipe in recipes.items())


@pytest.mark.parametrize("size", PARAMETERS)
def test_the_large_recipes_have_the_published_shapes(recipes, size):
    network = recipes[f"imagenet-{size.lower()}"].network
    assert network == published(size)
    with torch.device("meta"):
        assert count_parameters(ESpikeFormer(network)) == PARAMETERS[size]


def test_the_nano_recipe_has_every_operator_and_few_parameters(recipes):
    recipe = recipes["cifar10-nano"]
    assert recipe.network.image == (32, 32, 3)
    assert count_parameters(ESpikeFormer(recipe.network)) == 475_266


def test_the_nano_recipes_have_the_same_layer_shapes(recipes):
    nano, most_accurate, sparse = (
        recipes[f"cifar10-nano{suffix}"] for suffix in ("", "-2", "-sparse")
    )
    replaced = msgspec.structs.replace
    assert most_accurate == replaced(
        nano,
        name="cifar10-nano-2",
        network=replaced(nano.network, branch_scale=0.1),
        fit=replaced(nano.fit, average=0.999),
    )
    assert sparse == replaced(
        most_accurate,
        name="cifar10-nano-sparse",
        fit=replaced(
            most_accurate.fit, addition_code=SpikeCode.SPLIT, spike_penalty=0.3, penalty_warmup=0.3
        ),
    )


def few_steps(recipe, folder, classes, images):
    """Train float and quantised steps; finite numbers and changed weights are asked for."""
    recipe = msgspec.structs.replace(
        recipe,
        network=msgspec.structs.replace(recipe.network, classes=classes),
        fit=msgspec.structs.replace(
            recipe.fit,
            batch=2,
            float_epochs=1,
            quantised_epochs=1,
            frozen_epochs=1,
            precision="float32",
            average=0.0,
        ),
    )
    split = load_split(recipe, folder)
    assert split.test_images[:1].shape == (1, 224, 224, 3)
    torch.manual_seed(0)
    network = ESpikeFormer(recipe.network)
    state = Checkpoint(
        config=recipe,
        seed=0,
        epoch=0,
        network=network.state_dict(),
        optimizer={},
    )
    run = Training(
        state, split.train_images.choose(np.arange(images)), split.train_labels[:images], ALONE
    )
    rows = [run.train_epoch(), run.train_epoch()]
    assert [row["phase"] for row in rows] == ["float", "frozen"]
    for row in rows:
        assert torch.isfinite(torch.tensor(row["loss"]))
        assert row["additions"] > 0
    assert not torch.equal(run.network.head.weight, network.head.weight)


@pytest.fixture
def flat_pictures(shared_data, tmp_path):
    """The sample pictures, of sizes as they come, one class each."""
    for picture in (shared_data / "imagenet-samples").glob("*.JPEG"):
        for part in ("train", "val"):
            folder = tmp_path / part / picture.stem
            folder.mkdir(parents=True)
            shutil.copy(picture, folder)
    return tmp_path


def test_the_smallest_takes_steps_on_real_pictures(recipes, flat_pictures):
    few_steps(recipes["imagenet-t"], flat_pictures, classes=8, images=2)


@pytest.mark.full
@pytest.mark.parametrize("size", "sml")
def test_the_others_take_steps_on_real_pictures(recipes, flat_pictures, size):
    few_steps(recipes[f"imagenet-{size}"], flat_pictures, classes=8, images=2)


def test_the_augmentation_of_the_large_recipes_takes_generated_pictures(recipes, tmp_path):
    write_tree(tmp_path, size=(240, 300), channels=3, each=1)
    recipe = recipes["imagenet-t"]
    two = msgspec.structs.replace(
        recipe, network=msgspec.structs.replace(recipe.network, classes=2)
    )
    split = load_split(two, tmp_path)
    draws = torch.rand(2, 16, generator=torch.Generator().manual_seed(0))
    crops = torch.from_numpy(split.train_images.random_crops([0, 1], draws))
    pixels = augment(crops.permute(0, 3, 1, 2).float(), draws, recipe.data)
    assert pixels.shape == (2, 3, 224, 224)

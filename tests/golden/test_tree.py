"""Labelled image files in folders by class, plain or in a zip."""

import zipfile

import numpy as np
import pytest
from PIL import Image

from golden.data.picture import SUFFIXES
from golden.data.pictures import Pictures
from golden.data.tree import open_tree
from golden.model.input import ModelInput
from tests.pictures import write_tree, zip_tree


SHAPE = (5, 6, 3)
ENDS = ", ".join(SUFFIXES)
FAULT = "it is truncated or no image of PNG, JPEG, BMP, TIFF, WEBP or GIF"


def tree(tmp_path, **options):
    folder = tmp_path / "data"
    return folder, write_tree(folder, size=SHAPE[:2], channels=3, **options)


def decoded(path):
    return [Pictures(part, ModelInput.usual(SHAPE))[:] for part in open_tree(path)]


@pytest.mark.parametrize("test_part", ["test", "val"])
@pytest.mark.parametrize("packed", [False, True])
def test_a_folder_and_a_zip_of_it_give_the_same_images(tmp_path, test_part, packed):
    folder, expected = tree(tmp_path, parts=("train", test_part))
    path = zip_tree(folder, tmp_path / "data.zip") if packed else folder
    train, test = open_tree(path)
    assert train.classes == test.classes == ("ant", "bee")
    assert train.labels.tolist() == [0, 0, 0, 1, 1, 1]
    for found, part in zip(decoded(path), ("train", test_part), strict=True):
        assert np.array_equal(found, expected[part])


def test_a_folder_may_enclose_the_parts(tmp_path):
    _, expected = tree(tmp_path)
    assert np.array_equal(decoded(tmp_path)[0], expected["train"])


def test_files_that_are_no_images_are_passed_over(tmp_path):
    folder, expected = tree(tmp_path)
    (folder / "train" / "ant" / "notes.txt").write_text("no image")
    (folder / "train" / "ant" / "._0000.png").write_text("what a Mac leaves behind")
    (folder / "train" / ".cache").mkdir()
    (folder / "README").write_text("about the data")
    Image.fromarray(expected["train"][0]).save(folder / "train" / "bee" / "9999.JPEG")
    train, _ = open_tree(folder)
    assert train.labels.tolist() == [0, 0, 0, 1, 1, 1, 1]
    junk = folder / "__MACOSX" / "train" / "ant"
    junk.mkdir(parents=True)
    (junk / "0000.png").write_text("what a Mac puts into a zip")
    assert len(open_tree(zip_tree(folder, tmp_path / "data.zip"))[0]) == 7


def test_chosen_images_keep_their_labels(tmp_path):
    folder, expected = tree(tmp_path)
    train, _ = open_tree(folder)
    some = train.choose(np.array([1, 4]))
    assert some.labels.tolist() == [0, 1]
    assert np.array_equal(Pictures(some, ModelInput.usual(SHAPE))[:], expected["train"][[1, 4]])


def empty_class(folder):
    (folder / "train" / "cat").mkdir()


def no_test(folder):
    (folder / "test").rename(folder / "exam")


def another_class(folder):
    (folder / "test" / "bee").rename(folder / "test" / "wasp")


def nothing(folder):
    for part in ("train", "test"):
        (folder / part).rename(folder / f"{part}-images")


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (empty_class, "class cat must have at least one image in train"),
        (no_test, f"the data must hold test/CLASS/IMAGE or val/CLASS/IMAGE with {ENDS} files"),
        (nothing, f"the data must hold train/CLASS/IMAGE with {ENDS} files"),
        (another_class, "class bee must be in both parts of the data, not in one"),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_a_tree_that_is_not_whole_is_refused(tmp_path, damage, sentence, packed):
    folder, _ = tree(tmp_path)
    damage(folder)
    path = zip_tree(folder, tmp_path / "data.zip") if packed else folder
    with pytest.raises(ValueError) as caught:
        open_tree(path)
    assert str(caught.value).startswith(f"{path}: {sentence}")


@pytest.mark.parametrize("contents", [b"", b"no zip at all", None])
def test_a_file_that_is_no_zip_is_refused(tmp_path, contents):
    folder, _ = tree(tmp_path)
    path = tmp_path / "data.zip"
    if contents is None:
        whole = zip_tree(folder, tmp_path / "whole.zip").read_bytes()
        contents = whole[: len(whole) // 2]
    path.write_bytes(contents)
    with pytest.raises(ValueError, match=r"data\.zip: the data cannot be read \(it must be a wh"):
        open_tree(path)


def test_a_damaged_member_of_a_zip_is_named(tmp_path):
    folder, _ = tree(tmp_path)
    path = zip_tree(folder, tmp_path / "data.zip")
    with zipfile.ZipFile(path) as archive:
        place = archive.getinfo("data/train/bee/0003.png").header_offset
    data = bytearray(path.read_bytes())
    data[place + 80 : place + 120] = bytes(40)
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"train/bee/0003\.png cannot be read"):
        decoded(path)


@pytest.mark.parametrize(
    ("image", "sentence"),
    [
        (None, f"the image cannot be read ({FAULT})"),
        (np.zeros((7, 6, 3), np.uint8), "the image must have 5x6 pixels (height x width), not 7x6"),
    ],
)
def test_an_image_that_does_not_fit_is_named(tmp_path, image, sentence):
    folder, _ = tree(tmp_path)
    file = folder / "test" / "ant" / "0001.png"
    if image is None:
        file.write_bytes(file.read_bytes()[:40])
    else:
        Image.fromarray(image).save(file)
    with pytest.raises(ValueError) as caught:
        decoded(folder)
    assert str(caught.value) == f"{folder}: test/ant/0001.png: {sentence}"


def test_real_data_is_found_without_decoding_it(shared_data):
    train, test = open_tree(shared_data / "cifar10.zip")
    assert (len(train), len(test)) == (50_000, 10_000)
    assert len(train.classes) == 10
    assert np.bincount(train.labels).tolist() == [5_000] * 10

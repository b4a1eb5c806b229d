"""Images and labelled data from files, good and bad."""

import numpy as np
import pytest
from PIL import Image

from golden.data.images import load_images, load_labelled
from golden.model.input import ModelInput


GRAY, COLOUR = (6, 5, 1), (6, 5, 3)


def takes(shape, **changes):
    return ModelInput.usual(shape, **changes)


def pixels(shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def refused(load, path, shape, sentence):
    with pytest.raises(ValueError) as caught:
        load(path, takes(shape))
    assert str(caught.value).startswith(f"{path}")
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("shape", [GRAY, COLOUR, (6, 5, 2)])
def test_arrays_are_taken_as_they_are(shape, tmp_path):
    images = pixels((3, *shape))
    np.save(tmp_path / "a.npy", images)
    found = load_images(tmp_path / "a.npy", takes(shape))
    assert np.array_equal(found.images, images)
    assert found.names == ["a.npy[0]", "a.npy[1]", "a.npy[2]"]


def test_one_image_may_lack_the_first_axis(tmp_path):
    image = pixels(COLOUR)
    np.save(tmp_path / "a.npy", image)
    assert np.array_equal(load_images(tmp_path / "a.npy", takes(COLOUR)).images, image[np.newaxis])


@pytest.mark.parametrize("shape", [GRAY, COLOUR])
def test_png_files_keep_every_pixel(shape, tmp_path):
    image = pixels(shape)
    Image.fromarray(image.squeeze()).save(tmp_path / "a.png")
    found = load_images(tmp_path / "a.png", takes(shape))
    assert np.array_equal(found.images[0], image)
    assert found.names == ["a.png"]


def test_colour_becomes_gray_and_gray_becomes_colour(tmp_path):
    Image.fromarray(np.full(COLOUR, 77, np.uint8)).save(tmp_path / "colour.png")
    assert (load_images(tmp_path / "colour.png", takes(GRAY)).images == 77).all()
    Image.fromarray(np.full(GRAY[:2], 99, np.uint8)).save(tmp_path / "gray.png")
    assert (load_images(tmp_path / "gray.png", takes(COLOUR)).images == 99).all()


def test_folders_are_read_in_the_order_of_names(tmp_path):
    for name, value in (("b.png", 2), ("a.JPG", 1), ("c.jpeg", 3)):
        Image.fromarray(np.full(GRAY[:2], value, np.uint8)).save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("no image")
    (tmp_path / "._a.JPG").write_text("what a Mac leaves behind")
    (tmp_path / "older").mkdir()
    found = load_images(tmp_path, takes(GRAY))
    assert found.names == ["a.JPG", "b.png", "c.jpeg"]
    assert found.images[:, 0, 0, 0].tolist() == [1, 2, 3]
    assert found.lines == [
        f"{tmp_path}: 3 images, without classes",
        f"{tmp_path}: 3 files were not read: ._a.JPG, notes.txt, older/",
    ]


def test_imagenet_sizes_are_resized_and_cropped(tmp_path):
    tall = np.zeros((464, 232, 3), np.uint8)
    tall[228:236] = 255
    Image.fromarray(tall).save(tmp_path / "a.png")
    found = load_images(tmp_path / "a.png", takes((224, 224, 3)))
    # The shorter side already has 232 pixels, so that the centre is cut out exactly.
    assert np.array_equal(found.images[0], tall[120:344, 4:228])


@pytest.mark.parametrize(
    ("array", "sentence"),
    [
        (np.zeros((2, 6, 4, 1), np.uint8), "must have shape (images, 6, 5, 1), not (2, 6, 4, 1)"),
        (np.zeros((6, 5), np.uint8), "must have shape (images, 6, 5, 1), not (6, 5)"),
        (np.zeros((2, 6, 5, 1)), "images must be uint8, not float64"),
        (np.zeros((0, 6, 5, 1), np.uint8), "there must be at least one image"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(array, sentence, tmp_path):
    np.save(tmp_path / "a.npy", array)
    refused(load_images, tmp_path / "a.npy", GRAY, sentence)


def test_images_that_do_not_fit_are_refused(tmp_path):
    Image.fromarray(pixels((7, 5))).save(tmp_path / "a.png")
    refused(
        load_images,
        tmp_path / "a.png",
        GRAY,
        "the image must have 6x5 pixels (height x width), not 7x5",
    )
    refused(load_images, tmp_path / "a.png", (7, 5, 2), "a model of 2 channels takes .npy arrays")
    Image.fromarray(pixels((6, 5)).astype(np.uint16)).save(tmp_path / "deep.png")
    refused(load_images, tmp_path / "deep.png", GRAY, "pixels must have 8 bits per channel")


def test_files_that_are_no_images_are_refused(tmp_path):
    refused(load_images, tmp_path / "none.npy", GRAY, "cannot be read (No such file or directory)")
    refused(load_images, tmp_path / "none.png", GRAY, "cannot be read (No such file or directory)")
    refused(load_images, tmp_path / "none", GRAY, "images must be a .npy")
    refused(load_images, tmp_path, GRAY, "the folder must hold .png, .jpg, .jpeg, .bmp")
    (tmp_path / "a.png").write_bytes(b"no image")
    refused(load_images, tmp_path / "a.png", GRAY, "it is truncated or no image")
    (tmp_path / "a.npy").write_bytes(b"no array")
    refused(load_images, tmp_path / "a.npy", GRAY, "must be a NumPy array without objects")
    (tmp_path / "empty.npy").write_bytes(b"")
    refused(load_images, tmp_path / "empty.npy", GRAY, "must be a NumPy array without objects")
    np.save(tmp_path / "objects.npy", np.array([None]), allow_pickle=True)
    refused(load_images, tmp_path / "objects.npy", GRAY, "must be a NumPy array without objects")


def test_a_truncated_png_is_refused(tmp_path):
    Image.fromarray(pixels((60, 50))).save(tmp_path / "a.png")
    (tmp_path / "a.png").write_bytes((tmp_path / "a.png").read_bytes()[:1000])
    refused(load_images, tmp_path / "a.png", (60, 50, 1), "it is truncated or no image")


def test_labelled_data_have_a_label_per_image(tmp_path):
    images, labels = pixels((3, *GRAY)), np.array([2, 0, 1], np.uint8)
    path = tmp_path / "a.npz"
    np.savez(path, images=images, labels=labels)
    found = load_labelled(path, takes(GRAY))
    assert np.array_equal(found.images, images)
    assert found.labels.dtype == np.int64
    assert found.labels.tolist() == [2, 0, 1]
    assert found.lines == [f"{path}: 3 images of 3 classes"]
    assert found.take(1).lines == [f"{path}: 3 images of 3 classes, 1 taken"]


@pytest.mark.parametrize("label", [3, -1, 2**40])
def test_labels_that_the_model_has_no_class_for_are_refused(tmp_path, label):
    path = tmp_path / "a.npz"
    np.savez(path, images=pixels((3, *GRAY)), labels=np.array([2, 0, label]))
    with pytest.raises(ValueError) as caught:
        load_labelled(path, takes(GRAY, n_classes=3))
    assert str(caught.value) == (
        f"{path}: labels must be 0 to 2, as the model has 3 classes, not {label}"
    )


@pytest.mark.parametrize(
    ("arrays", "sentence"),
    [
        ({"images": pixels((3, *GRAY))}, "must be a .npz file with images and labels"),
        ({"images": pixels((3, *GRAY)), "labels": np.arange(2)}, "labels must be 3 integers"),
        ({"images": pixels((3, *GRAY)), "labels": np.zeros(3)}, "labels must be 3 integers"),
        ({"images": pixels((3, *COLOUR)), "labels": np.arange(3)}, "images must have shape"),
    ],
)
def test_labelled_data_that_do_not_fit_are_refused(arrays, sentence, tmp_path):
    np.savez(tmp_path / "a.npz", **arrays)
    refused(load_labelled, tmp_path / "a.npz", GRAY, sentence)


def test_files_that_are_no_labelled_data_are_refused(tmp_path):
    refused(load_labelled, tmp_path / "none.npz", GRAY, "cannot be read")
    np.savez(tmp_path / "a.npz", images=pixels((3, *GRAY)), labels=np.arange(3))
    content = (tmp_path / "a.npz").read_bytes()
    (tmp_path / "short.npz").write_bytes(content[: len(content) // 2])
    refused(load_labelled, tmp_path / "short.npz", GRAY, "it must be a whole .zip file")
    damaged = bytearray(content)
    damaged[250] ^= 255
    (tmp_path / "damaged.npz").write_bytes(damaged)
    refused(load_labelled, tmp_path / "damaged.npz", GRAY, "images.npy cannot be read")
    np.save(tmp_path / "a.npy", pixels((3, *GRAY)))
    refused(load_labelled, tmp_path / "a.npy", GRAY, "must be a .npz file with images and labels")

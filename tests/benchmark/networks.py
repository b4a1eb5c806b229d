"""What the runs of the hardware benchmark share: settings, arrays, networks and pictures."""

from functools import cache
from pathlib import Path

import numpy as np

import golden
from golden import SpikeCode
from golden.analysis.activity_statistics import take_statistics
from golden.analysis.synthetic import random_model
from golden.cli.source import load_source
from golden.model.input import ModelInput
from hw.baseline.dense_engine import DenseSize
from tests.benchmark.drawn import drawn_like


__all__ = [
    "ARRAY",
    "BUS",
    "CURVE",
    "DATA",
    "MEANS",
    "MODELS",
    "NANO",
    "OTHERS",
    "SCALES",
    "SPARSE",
    "TINY",
    "TINY_BITS",
    "TRAINED",
    "UNITS",
    "WIDE",
    "Settings",
    "dense_size",
    "load",
    "pictures",
    "tiny",
    "weight_bits",
]


#: The array of the core that is judged.
ARRAY = {"columns": 4, "lanes": 16, "spike_code": SpikeCode.SPLIT}
#: Arrays that are shown beside it.
OTHERS = (
    {"columns": 2, "lanes": 16},
    {"columns": 4, "lanes": 32},
    {"columns": 8, "lanes": 16},
)
#: Firing units of the complete dense core. For cifar10-nano, LUT x cycles are 6 % more with one,
#: and 9 % more with four.
UNITS = 2
#: Bits of the bus to the memory that holds the weights of whole networks.
BUS = 128
#: Mean counts of the fixed layers, and those between which the break-even is looked for.
MEANS = (0.1, 0.3, 0.6, 1.0, 1.5, 2.5)
CURVE = (0.1, 0.3, 0.6, 1.0, 1.5, 2.0, 2.5)
#: The published size T of E-SpikeFormer, with random weights and the mean count of cifar10-nano.
TINY_BITS = 8
TINY = {
    "seed": 1,
    "image_shape": (224, 224, 3),
    "dims": (24, 48, 96, 128),
    "heads": 8,
    "strides": (2, 2, 2, 2, 1),
    "depths": (6, 2),
    "weight_bits": TINY_BITS,
    "classes": 1000,
    "stem_kernel": 7,
    "calibration_images": 3,
    "mean_count": 0.47,
}
#: Arrays between which the scaling of a network is measured, and the one of the block.
SCALES = ({"columns": 1, "lanes": 16}, {"columns": 16, "lanes": 16})
WIDE = {"columns": 16, "lanes": 32}

#: Models and pictures of the repository.
DATA = Path(__file__).parents[1] / "data"
#: Trained models by name: the one that every figure of its column is of, the most accurate one,
#: and the one of fewest additions. A model whose file is not there is not built yet.
NANO, TRAINED, SPARSE = "cifar10-nano", "cifar10-nano-2", "cifar10-nano-sparse"
MODELS = tuple(name for name in (NANO, TRAINED, SPARSE) if (DATA / f"{name}.safetensors").exists())


class Settings:
    """Where runs work, and what they are cut down to.

    Parameters
    ----------
    folder : Path
    quick : bool
        A small part of each simulation, and no routing.
    finn : Path, optional
        Checkout of FINN.
    data : Path, optional
        The test set of the trained models.
    """

    def __init__(self, folder, *, quick=False, finn=None, data=None):
        self.folder, self.quick = Path(folder).resolve(), quick
        self.finn, self.data = finn, data

    @property
    def cache(self):
        """Folder that keeps simulators."""
        return self.folder / "sim"


def dense_size(bits):
    """The dense engine of as many products as the array has lanes, for weights of some bits."""
    return DenseSize(outputs=8, inputs=8, weight_width=bits)


def weight_bits(model):
    """Bits of a model's weights."""
    return max(getattr(layer, "weight_bits", 0) for layer in model.layers)


@cache
def load(name=NANO):
    """A trained model of CIFAR-10, and pictures."""
    model = golden.load(DATA / f"{name}.safetensors")
    return model, pictures(model)


def pictures(model):
    """The repository's pictures, as a model takes them."""
    return load_source(DATA / "cifar10.npz", ModelInput.of(model)).images


def tiny(settings, *, drawn=False):
    """The published size, and an image of 224 x 224 pieced together from real ones.

    Parameters
    ----------
    settings : Settings
    drawn : bool
        Whether neurons fire as those of cifar10-nano do.
    """
    shape = (64, 64, 3) if settings.quick else TINY["image_shape"]
    model = random_model(**(TINY | {"image_shape": shape}))
    trained, images = load()
    side = -(-shape[0] // images.shape[1])
    some = np.resize(images, (side, side, *images.shape[1:]))
    whole = some.transpose(0, 2, 1, 3, 4).reshape(side * 32, side * 32, 3)
    image = whole[np.newaxis, : shape[0], : shape[1]]
    if drawn:
        model = drawn_like(model, image, take_statistics(trained, images).histograms)
    return model, image

"""What the runs of the hardware benchmark share: settings, arrays, networks and pictures."""

from functools import cache
from pathlib import Path

import numpy as np

import golden
from golden import SpikeCode
from golden.analysis.synthetic import random_model
from golden.cli.source import load_source
from golden.model.input import ModelInput
from hw.baseline.dense_engine import DenseSize


__all__ = [
    "ARRAY",
    "BUS",
    "CURVE",
    "DATA",
    "DENSE",
    "ENGINES",
    "MEANS",
    "NANO_DENSE",
    "NARROW",
    "SCALES",
    "TINY",
    "TINY_DENSE",
    "WIDE",
    "WIDER",
    "Settings",
    "nano",
    "pictures",
    "tiny",
]


#: The array that is measured unless a run says otherwise, and the dense engine of as many
#: operations, in the shape that takes the fewest cycles for cifar10-nano; the fixed layers, as
#: whose baseline it serves, have weights of 8 bits.
ARRAY = {"columns": 4, "lanes": 16, "columns_per_group": 1, "spike_code": SpikeCode.TWO_BIT_SERIAL}
DENSE = DenseSize(outputs=8, inputs=8)
#: Twice as many of both, for whole networks: wide columns that double no entry have fewer LUTs
#: per lane. The dense engine has the network's weights: cifar10-nano's 4 bits, E-SpikeFormer-T's 8.
WIDER = {"columns": 4, "lanes": 32, "spike_code": SpikeCode.BIT_SERIAL}
NANO_DENSE, TINY_DENSE = (DenseSize(outputs=8, inputs=16, weight_width=bits) for bits in (4, 8))
#: Engines for one fixed layer: columns as wide as its drain lets them be. L1's never wait for it,
#: L2's do below a mean count of 1.
ENGINES = {
    "L1": {"columns": 3, "lanes": 22, "spike_code": SpikeCode.BIT_SERIAL},
    "L2": {"columns": 2, "lanes": 96, "columns_per_group": 2, "spike_code": SpikeCode.BIT_SERIAL},
}
#: Bits of the bus to the memory that holds the weights of whole networks.
BUS = 128
#: Mean counts of the fixed layers, and those between which the break-even is looked for.
MEANS = (0.1, 0.3, 0.6, 1.0, 1.5, 2.5)
CURVE = (0.05, 0.1, 0.3, 0.6, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0)
#: The published size T of E-SpikeFormer, with random weights and the mean count of cifar10-nano.
TINY = {
    "seed": 1,
    "image_shape": (224, 224, 3),
    "dims": (24, 48, 96, 128),
    "heads": 8,
    "strides": (2, 2, 2, 2, 1),
    "depths": (6, 2),
    "weight_bits": 8,
    "classes": 1000,
    "stem_kernel": 7,
    "calibration_images": 3,
    "mean_count": 0.47,
}
#: An array of narrower columns, whose lanes more layers fill.
NARROW = {"columns": 6, "lanes": 12}
#: Arrays between which the scaling of a network is measured, and the one of the block.
SCALES = ({"columns": 1, "lanes": 16}, {"columns": 16, "lanes": 16})
WIDE = {"columns": 16, "lanes": 32}

#: Models and pictures of the repository.
DATA = Path(__file__).parents[1] / "data"


class Settings:
    """Where runs work, and what they are cut down to.

    Parameters
    ----------
    folder : Path
    quick : bool
        A small part of each simulation, and no routing.
    """

    def __init__(self, folder, *, quick=False):
        self.folder, self.quick = Path(folder).resolve(), quick

    @property
    def cache(self):
        """Folder that keeps simulators."""
        return self.folder / "sim"


@cache
def nano():
    """The trained model of CIFAR-10, and pictures."""
    model = golden.load(DATA / "cifar10-nano.safetensors")
    return model, pictures(model)


def pictures(model):
    """The repository's pictures, as a model takes them."""
    return load_source(DATA / "cifar10.npz", ModelInput.of(model)).images


def tiny(settings):
    """The published size, and an image of 224 x 224 pieced together from real ones."""
    shape = (64, 64, 3) if settings.quick else TINY["image_shape"]
    model = random_model(**(TINY | {"image_shape": shape}))
    _, images = nano()
    side = -(-shape[0] // images.shape[1])
    some = np.resize(images, (side, side, *images.shape[1:]))
    whole = some.transpose(0, 2, 1, 3, 4).reshape(side * 32, side * 32, 3)
    return model, whole[np.newaxis, : shape[0], : shape[1]]

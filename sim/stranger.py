"""A network that a core was not made for: memories hold contents that its own never has."""

from contextlib import suppress

from golden import PIXELS, Rounding
from golden.analysis.model_builder import ModelBuilder
from golden.analysis.synthetic import random_images
from hw.load import lay_out


__all__ = ["stranger"]


#: Height, width, channels of the first layer, and classes: none of them a power of two.
HEIGHT, WIDTH, CHANNELS, CLASSES = 7, 5, 7, 77

#: Images that it is shown.
SHOWN = 2

#: How many networks are tried: the ranges of their sums differ.
ATTEMPTS = 8


def stranger(config, seed):
    """A network of odd sizes, with the widest weights for which a core has room.

    Parameters
    ----------
    config : CoreConfig
    seed : int
        Of weights and images.

    Returns
    -------
    (IntegerModel, Plan, uint8 array of shape (images, height, width, channels)) or None
        None if the core has no room for any.
    """
    for weight_bits in range(config.weight_width, 1, -1):
        for attempt in range(seed, seed + ATTEMPTS):
            images = random_images(attempt, 6, (HEIGHT, WIDTH, config.pixel_channels))
            with suppress(ValueError):
                model = _network(config, attempt, weight_bits, images)
                return model, lay_out(model, config), images[-SHOWN:]
    return None


def _network(config, seed, weight_bits, images):
    """One layer of every kind; the images choose its thresholds, and so lie close to them."""
    builder = ModelBuilder(
        seed,
        images,
        max_count=config.max_count,
        weight_bits=weight_bits,
        rounding=Rounding.HALF_UP,
        pixel_constant=config.pixel_constant,
        mean_count=0.3 * config.max_count,
    )
    builder.down("stem", CHANNELS, 3, source=PIXELS)
    builder.separable("mixer", "stem", 7)
    builder.attention("attention", "mixer", 1, values=1)
    builder.head("attention", CLASSES, 0)
    return builder.model("stranger", CLASSES)

"""Random numbers of models: weights, thresholds, shifts and images, the extreme ones often."""

import numpy as np


__all__ = ["largest_shift", "random_bias", "random_images", "random_thresholds", "random_weights"]


#: Magnitude that no value of a model reaches.
LIMIT = 2**47


def random_images(rng, shape):
    """A black, a white, a dense and a sparse image; or samples of as many frames as ``shape``."""
    images = rng.integers(0, 256, (4, *shape))
    images[0], images[1] = 0, 255
    images[3] *= rng.random(shape) < 0.3
    return images.astype(np.uint8)


def random_weights(rng, shape, bits):
    """Weights of one layer: anything, all zero, all extreme, few, or small."""
    limit = 2 ** (bits - 1) - 1
    weight = rng.integers(-limit, limit + 1, shape)
    match rng.choice(
        ["any", "sparse", "small", "extreme", "largest", "least", "zero"],
        p=[0.5, 0.1, 0.1, 0.1, 0.08, 0.06, 0.06],
    ):
        case "sparse":
            weight *= rng.random(shape) < 0.2
        case "small":
            weight = rng.integers(-1, 2, shape)
        case "extreme":
            weight = rng.choice([-limit, limit], shape)
        case "largest":
            weight = np.full(shape, limit)
        case "least":
            weight = np.full(shape, -limit)
        case "zero":
            weight = np.zeros(shape)
    return weight.astype(np.int8 if bits <= 8 else np.int16)


def random_thresholds(rng, potentials, low, high, max_count, above=1):
    """Ladders within ``low`` to ``high + above`` of each channel, or one ladder for all.

    Most thresholds are potentials that the images reach exactly, so that a neuron which is off by
    one shows.

    Parameters
    ----------
    potentials : int64 array, shape (images, steps, channels, height, width)
    low, high : int64 arrays, shape (channels,)
        The potential's range.
    max_count : int
    above : int
        What is never reached lies so far above the range.
    """
    shared = rng.random() < 0.15
    samples = np.moveaxis(potentials, 2, 0).reshape(1 if shared else len(low), -1)
    if shared:
        low, high = low.min(keepdims=True), high.max(keepdims=True)
    style = rng.choice(["quantiles", "ties", "mixed"])
    return np.array(
        [
            _ladder(rng, values, int(low[channel]), int(high[channel]) + above, max_count, style)
            for channel, values in enumerate(samples)
        ],
        np.int64,
    )


def _ladder(rng, values, low, never, max_count, style):
    """Thresholds of one channel; ``never`` is not reached."""
    reached = np.unique(values)
    if style == "mixed":
        style = rng.choice(["quantiles", "ties", "equal", "never", "always", "any"])
    match style:
        case "quantiles":
            spread = np.linspace(0, 1, max_count + 2)[1:-1]
            ladder = reached[(spread * (len(reached) - 1)).round().astype(int)]
        case "ties":
            ladder = np.sort(rng.choice(reached, max_count)) + rng.integers(0, 2)
        case "equal":
            ladder = np.full(max_count, rng.choice(reached))
        case "never":
            split = rng.integers(0, max_count)
            ladder = np.r_[np.full(split, rng.choice(reached)), [never] * (max_count - split)]
        case "always":
            split = rng.integers(1, max_count + 1)
            ladder = np.r_[[low] * split, np.full(max_count - split, rng.choice(reached))]
        case "any":
            ladder = np.sort(rng.integers(low, never + 1, max_count))
    return np.clip(ladder, low, never)


def largest_shift(low, high, room):
    """Largest shift, up to 32, that keeps a range's magnitude within ``room``."""
    largest = max(abs(int(low.min())), abs(int(high.max())))
    return next((shift for shift in range(32, -1, -1) if largest << shift <= room), -1)


def random_bias(rng, values, unit):
    """Biases that bring the channels of a stream to where its neuron begins to fire, or none.

    Parameters
    ----------
    values : int64 array, shape (images, steps, channels, height, width)
        Of the stream without its bias.
    unit : int
        What the stream's real value 1 is.
    """
    channels = values.shape[2]
    centre = values.mean(axis=(0, 1, 3, 4)).round().astype(np.int64)
    match rng.choice(["none", "centred", "tie", "any"], p=[0.15, 0.45, 0.25, 0.15]):
        case "none":
            return np.zeros(channels, np.int64)
        case "centred":
            return rng.integers(0, 2 * unit + 1, channels) - centre
        case "tie":
            # Half a unit, so that values near the middle lie on ties of the ladder.
            reached = values[0, 0].reshape(channels, -1)[:, 0]
            return unit // 2 * rng.choice([1, 3, 5], channels) - reached
        case "any":
            return rng.integers(-2 * unit, 2 * unit + 1, channels)

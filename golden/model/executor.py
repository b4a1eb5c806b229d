"""The executor: runs an integer model on images and returns logits and every tensor."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from golden.hints import Progress
from golden.model.integer_model import IntegerModel
from golden.model.ranges import widths
from golden.model.shapes import last_readers, public_shape, tensor_infos
from golden.names import PIXELS, state_name, stream_name
from golden.spike import SpikeCode


if TYPE_CHECKING:
    # Never imported here: running a model needs no threads that decode.
    from golden.data.pictures import Pictures


__all__ = ["Result", "accuracy", "classify", "run"]


#: Bytes that the largest temporary of a layer may take; images go through in batches of this size.
BATCH_BYTES = 64 * 2**20

#: Images that are decoded at a time to measure an accuracy.
_SLICE = 256


@dataclass(frozen=True, eq=False)
class Result:
    """What a run returns.

    Parameters
    ----------
    outputs : dict of str to int64 array
        By the name of the output; shapes are those of `golden.model.shapes.shapes`.
    tensors : dict of str to int64 array
        Empty unless traced. Keys and shapes are those of `golden.model.shapes.shapes`.
    """

    outputs: dict[str, NDArray[np.int64]]
    tensors: dict[str, NDArray[np.int64]] = field(default_factory=dict)

    @property
    def logits(self) -> NDArray[np.int64]:
        """The first output; shape (images, classes) where it has one step and one position."""
        return next(iter(self.outputs.values()))


def run(
    model: IntegerModel,
    images: NDArray[np.uint8],
    *,
    trace: bool = False,
    code: SpikeCode | None = None,
    progress: Progress | None = None,
) -> Result:
    """Run an integer model.

    Parameters
    ----------
    model : IntegerModel
    images : uint8 array, shape (images, height, width, channels)
        Shown in every step; or shape (images, steps, height, width, channels).
    trace : bool
        Whether to return every tensor that hardware stores.
    code : SpikeCode, optional
        Executes every linear operator plane by plane in this code; the result is the same. Pixels
        are always bit planes. ``None`` takes whole counts, which is faster.
    progress : function of (int, int), optional
        Called with the number of images done and their total after each batch.

    Returns
    -------
    Result

    Raises
    ------
    ModelError
        If the model's graph does not fit together.
    ValueError
        If the images do not fit the model.
    OverflowError
        Where hardware would wrap: a potential, stream, memory or logit leaves the width that the
        model stores. The message names the layer.
    """
    _check_images(model, images)
    known = tensor_infos(model)
    stored = model.widths or widths(model)
    batch = _batch(model, known)
    parts = []
    for start in range(0, len(images), batch):
        parts.append(_run_batch(model, images[start : start + batch], trace, code, stored))
        if progress is not None:
            progress(min(start + batch, len(images)), len(images))
    tensors = {}
    for name in [name for name in known if name in parts[0]]:
        whole = np.concatenate([part.pop(name) for part in parts])
        tensors[name] = whole.reshape(len(images), *public_shape(known[name]))
    return Result({name: tensors[name] for name in model.outputs}, tensors if trace else {})


def classify(logits: NDArray[np.int64]) -> NDArray[np.intp]:
    """Class with the largest logit, the first one on a tie; shape (images,)."""
    return logits.argmax(axis=1)


def accuracy(
    model: IntegerModel,
    images: "NDArray[np.uint8] | Pictures",
    labels: NDArray[np.integer],
    *,
    progress: Progress | None = None,
) -> float:
    """Share of ``images`` whose class equals the label.

    Parameters
    ----------
    model : IntegerModel
    images : uint8 array, shape (images, height, width, channels), or Pictures
        Slices of it are run one after the other, so that pictures are decoded as they are needed.
    labels : integer array, shape (images,)
    progress : function of (int, int), optional
        As for `run`.

    Returns
    -------
    float
        0 to 1.
    """
    if len(images) != len(labels) or len(labels) == 0:
        raise ValueError(
            f"Images and labels must be equally many and at least one, "
            f"not {len(images)} and {len(labels)}"
        )
    right, total = 0, len(labels)
    for first in range(0, total, _SLICE):
        part = slice(first, first + _SLICE)
        step = progress and (lambda done, _, first=first: progress(first + done, total))
        logits = run(model, images[part], progress=step).logits
        right += int((classify(logits) == labels[part]).sum())
    return right / total


def _run_batch(model, images, trace, code, stored):
    tensors, most = {PIXELS: _pixels(model, images)}, model.max_count
    last, outputs, results = last_readers(model), [*model.outputs], {}
    for index, layer in enumerate(model.layers):
        bits = stored.get(layer.name, {})
        for potentials in layer.potentials(tensors, max_count=most, code=code):
            _check_width(layer, layer.NOUN, potentials, bits)
        made = layer.store(potentials, tensors)
        for name, noun in (
            (stream_name(layer), "stream"),
            (state_name(layer), "state"),
            *((name, "output") for name in outputs),
        ):
            if name in made:
                _check_width(layer, noun, made[name], bits)
        tensors.update(made)
        results |= {name: made[name] for name in outputs if name in made}
        if not trace:
            for name in layer.reads:
                if last[name] == index:
                    tensors.pop(name, None)
    return tensors if trace else results


def _pixels(model, images):
    """Channels first, and the constant one behind them; shape (images, steps, channels, ...)."""
    if images.ndim == 4:
        images = np.broadcast_to(
            images[:, np.newaxis], (len(images), model.input.steps, *images.shape[1:])
        )
    pixels = images.transpose(0, 1, 4, 2, 3).astype(np.int64)
    if not model.input.constant:
        return pixels
    border = ((0, 0), (0, 0), (0, 1), (0, 0), (0, 0))
    return np.pad(pixels, border, constant_values=model.input.constant)


def _check_width(layer, noun, values, bits):
    if noun not in bits or values.size == 0:
        return
    low, high = int(values.min()), int(values.max())
    # The attention memory is never negative and has no sign bit.
    limit = 2 ** (bits[noun] - (noun != "memory"))
    if high >= limit or low < (0 if noun == "memory" else -limit):
        raise OverflowError(
            f"Layer {layer.name}: the {noun} of {low} to {high} must fit "
            f"{bits[noun]} bits, where hardware would wrap"
        )


def _check_images(model, images):
    if images.dtype != np.uint8:
        raise ValueError(f"Images must be uint8, not {images.dtype}")
    shape = tuple(model.image_shape)
    if images.shape[1:] not in (shape, (model.input.steps, *shape)):
        height, width, channels = shape
        raise ValueError(
            f"Images must have shape (images, {height}, {width}, {channels}), not {images.shape}"
        )
    if len(images) == 0:
        raise ValueError("Images must be at least one, not 0")


def _batch(model, known):
    """Number of images whose largest unfolded map stays within `BATCH_BYTES`."""
    largest = 1
    for layer in model.layers:
        for name in layer.reads:
            largest = max(largest, known[name].values)
        largest = max(largest, layer.unfolded(known))
    return max(1, BATCH_BYTES // (8 * largest))

"""The layer record: what stays the same for all jobs of a layer, as far as its source decides."""

from golden import PIXELS, Conv, KeyValue, Query, SpikeCode
from golden.spike import passes

from .passes import fours_pay, pixel_passes


__all__ = ["layer_record", "tile_record"]


def layer_record(model, code, source, layer, *, word_stride, line_stride, row_step):
    """Fields that follow from what a layer reads; those of where it stores are neutral.

    Parameters
    ----------
    model : IntegerModel
    code : SpikeCode
    source : SpikeMap
        The map that the layer walks.
    layer : Layer
        Of the model, or a copy.
    word_stride, line_stride : int
        Distance of two words of a line, and of two lines, in the source's memory.
    row_step : int
        Rows from one word to the next.

    Returns
    -------
    dict of str to int
    """
    pixels = source.tensor == PIXELS
    fours = not pixels and _fours_first(model, code, source, layer)
    n_passes = len(pixel_passes(code) if pixels else passes(code, model.max_count)) + fours
    last_of_pixels = [one for one in model.layers if getattr(one, "source", None) == PIXELS][-1]
    return {
        "token_sum": 0,
        "stream": 0,
        "first": 0,
        "shift": getattr(getattr(layer, "drain", None), "shift", 0),
        "depthwise": int(isinstance(layer, Conv) and layer.depthwise),
        "attention_rows": int(isinstance(layer, KeyValue | Query)),
        "gather": int(isinstance(layer, KeyValue)),
        "double": int(n_passes > 1 and (pixels or code is not SpikeCode.THERMOMETER)),
        "pixels": int(pixels),
        "releases": int(layer is last_of_pixels),
        "passes": n_passes - 1,
        "fours": int(fours),
        "line_stride": line_stride,
        "word_stride": word_stride,
        "row_step": row_step,
        "digits": 0,
        "digit_stride": 0,
        "out_digits": 0,
        "out_stride": 0,
        "out_step": 1,
        "stream_step": 0,
        "restart": 0,
    }


def tile_record(channels, *, first_mask=None, last_mask=None, **fields):
    """Fields of a tile; masks of all lanes if they are not given.

    Parameters
    ----------
    channels : int array, shape (lanes,)
        Output channel of each lane, -1 where there is none.
    first_mask, last_mask : int, optional
    **fields : int
        All others.
    """
    ones = (1 << len(channels)) - 1
    return fields | {
        "first_mask": ones if first_mask is None else first_mask,
        "last_mask": ones if last_mask is None else last_mask,
        "lanes": int((channels >= 0).sum()),
    }


def _fours_first(model, code, source, layer):
    """Whether a layer takes the plane of fours in a pass of its own."""
    if not isinstance(layer, Conv) or layer.depthwise:
        return False
    return fours_pay(code, model.max_count, model.mean_count(layer.source),
                     layer.weight.shape[1] / source.words)

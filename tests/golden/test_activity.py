"""Additions, counted one by one, and mean counts."""

import numpy as np
import pytest

import golden
from golden import PIXELS, Conv, KeyValue, Query, SpikeCode, Sum
from golden.analysis.activity import additions, additions_per_image
from golden.analysis.synthetic import random_images, random_model


@pytest.fixture(scope="module")
def traced():
    model = random_model(11, image_shape=(6, 5, 2), strides=(2, 1, 2, 1, 1), dims=(4, 4, 8, 8))
    return model, golden.run(model, random_images(1, 3, model.image_shape), trace=True).tensors


def spikes_of(count, code):
    if code is SpikeCode.THERMOMETER:
        return int(count)
    # The largest count of these models is 4: two spikes in 2-bit-serial code, three in split code.
    more = {SpikeCode.TWO_BIT_SERIAL: 1, SpikeCode.SPLIT: 2}.get(code, 0)
    return bin(count).count("1") + more * (count == 4)


def conv_additions(layer, counts, code):
    """Visit every output position and tap, as hardware does."""
    code = SpikeCode.BIT_SERIAL if layer.source == PIXELS else code
    channels, height, width = counts.shape
    kernel, total = layer.weight.shape[2], 0
    padding, stride = layer.axes[0].before, layer.axes[0].stride
    rows = range(-padding, height + padding - kernel + 1, stride)
    columns = range(-padding, width + padding - kernel + 1, stride)
    for y, x in ((y, x) for y in rows for x in columns):
        for i, j, channel in np.ndindex(kernel, kernel, channels):
            if 0 <= y + i < height and 0 <= x + j < width:
                total += spikes_of(counts[channel, y + i, x + j], code)
    return total * (1 if layer.depthwise else len(layer.weight))


@pytest.mark.parametrize("code", SpikeCode)
def test_every_addition_is_counted_once(traced, code):
    model, tensors = traced
    counted = additions_per_image(model, tensors, code)
    assert list(counted) == [layer.name for layer in model.layers]
    for layer in model.layers:
        for image, actual in enumerate(counted[layer.name]):
            match layer:
                case Conv():
                    expected = conv_additions(layer, tensors[layer.source][image], code)
                case KeyValue():
                    dv = tensors[layer.values].shape[1] // layer.heads
                    expected = dv * sum(spikes_of(k, code) for k in tensors[layer.keys][image].flat)
                case Query():
                    dv = tensors[layer.memory].shape[3]
                    expected = dv * sum(
                        spikes_of(q, code) for q in tensors[layer.queries][image].flat
                    )
                case Sum():
                    expected = 0
            assert actual == expected, (layer.name, image)


def test_totals_sum_over_images(traced):
    model, tensors = traced
    per_image = additions_per_image(model, tensors, SpikeCode.BIT_SERIAL)
    totals = additions(model, tensors, SpikeCode.BIT_SERIAL)
    assert totals == {name: int(counts.sum()) for name, counts in per_image.items()}
    assert all(type(total) is int for total in totals.values())


def test_black_images_cost_no_addition_in_the_stem(traced):
    model, tensors = traced
    assert additions_per_image(model, tensors, SpikeCode.BIT_SERIAL)["downsample1_1"][0] == 0


def test_mean_counts_are_means(traced):
    model, tensors = traced
    means = golden.mean_counts(model, random_images(1, 3, model.image_shape))
    assert means["block3.0.attn.v.counts"] == tensors["block3.0.attn.v.counts"].mean()
    assert means[PIXELS] == np.bitwise_count(tensors[PIXELS]).mean()
    assert set(means) == {PIXELS} | {name for name in tensors if name.endswith(".counts")}

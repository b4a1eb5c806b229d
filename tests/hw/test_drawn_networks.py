"""Networks that are drawn for the benchmark: their counts are those of a trained one."""

import numpy as np

import golden
from golden.analysis.activity_statistics import take_statistics
from tests.benchmark.drawn import drawn_like, kind_of
from tests.benchmark.networks import Settings, load, tiny


def test_counts_are_drawn_from_the_histograms_of_the_same_kind_of_layer():
    trained, images = load()
    histograms = take_statistics(trained, images[:4]).histograms
    model, image_ = tiny(Settings("unused", quick=True))
    drawn = drawn_like(model, image_, histograms)
    assert [layer.name for layer in drawn.layers] == [layer.name for layer in model.layers]
    wanted, fired = {}, {}
    for into, some in (
        (wanted, histograms),
        (fired, take_statistics(drawn, image_).histograms),
    ):
        for name, histogram in some.items():
            into[kind_of(name)] = into.get(kind_of(name), 0) + histogram
    assert wanted.keys() == fired.keys()
    for kind in ("ConvBlock.conv1.counts", "block.mlp.fc1.counts"):
        shares = [some[kind] / some[kind].sum() for some in (wanted, fired)]
        assert np.abs(shares[0] - shares[1]).max() < 0.03
    # Thresholds of a stream are not free; its mean is.
    for kind in ("ConvBlock.counts", "block.attn.counts", "downsample.counts"):
        means = [some[kind] @ np.arange(5) / some[kind].sum() for some in (wanted, fired)]
        assert abs(means[0] - means[1]) < 0.03
    golden.validate(drawn)

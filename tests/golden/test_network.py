"""The executor on whole networks, against the block structure written down once more."""

from dataclasses import replace

import numpy as np
import pytest

import golden
from golden import Rounding, SpikeCode
from golden.analysis.synthetic import random_images, random_model
from golden.axis import Axis
from golden.model.executor import run
from golden.model.shapes import shapes
from golden.ops.convolve import convolve
from tests.models import changed


VARIANTS = {
    "plain": {},
    "binary": {"max_count": 1, "rounding": Rounding.HALF_UP},
    "two": {"max_count": 2, "weight_bits": 2, "heads": 4},
    "seven": {"max_count": 7, "image_shape": (10, 6, 3), "stem_kernel": 7},
    "fifteen": {"max_count": 15, "weight_bits": 8, "rounding": Rounding.HALF_UP},
    "dk 3 and 6": {"dims": (4, 6, 9, 18), "heads": 3, "depths": (2, 1), "classes": 3},
    "one token": {"strides": (2, 2, 2, 2, 1), "weight_bits": 3},
}


@pytest.fixture(scope="module", params=VARIANTS.values(), ids=VARIANTS.keys())
def model(request):
    return random_model(7, **request.param)


class Reference:
    """E-SpikeFormer block by block, one image at a time, on channels x height x width."""

    def __init__(self, model, image):
        self.model = model
        self.layers = {layer.name: layer for layer in model.layers}
        self.pixels = image.transpose(2, 0, 1).astype(np.int64)
        self.half_even = self.layers["head.sum"].epilogue.neuron.rounding is Rounding.HALF_EVEN

    def sfa(self, stream, one):
        """Clip and round to a count, where ``one`` stands for a whole spike."""
        clipped = np.clip(stream, 0, self.model.max_count * one)
        whole, rest = np.divmod(2 * clipped + one, 2 * one)
        tie_to_even = self.half_even & (rest == 0) & (whole % 2 == 1)
        return whole - tie_to_even

    def conv(self, name, counts):
        layer = self.layers[name]
        pad = layer.axes[0].before
        counts = np.pad(counts, ((0, 0), (pad, pad), (pad, pad)))
        kernel = layer.weight.shape[2]
        windows = np.lib.stride_tricks.sliding_window_view(counts, (kernel, kernel), axis=(1, 2))
        windows = windows[:, :: layer.axes[0].stride, :: layer.axes[0].stride]
        weight = layer.weight.astype(np.int64)
        if layer.depthwise:
            return np.einsum("chwij,cij->chw", windows, weight[:, 0])
        return np.einsum("chwij,ocij->ohw", windows, weight)

    def fire(self, name, counts):
        potential = self.conv(name, counts)
        steps = self.layers[name].epilogue.neuron.thresholds.T
        return sum((potential >= step[:, None, None]).astype(np.int64) for step in steps)

    def branch(self, name, counts):
        epilogue = self.layers[name].epilogue
        return self.conv(name, counts) * 2**epilogue.shift + epilogue.bias[:, None, None]

    def one(self, name):
        return 2 ** self.layers[name].epilogue.fraction_bits

    def separable(self, name, stream, one):
        counts = self.fire(f"{name}.pwconv1", self.sfa(stream, one))
        return stream + self.branch(name, self.fire(f"{name}.dwconv", counts))

    def conv_block(self, name, stream):
        stream = self.separable(f"{name}.Conv", stream, self.one(name))
        counts = self.fire(f"{name}.conv1", self.sfa(stream, self.one(name)))
        return stream + self.branch(name, counts)

    def attention(self, name, stream, one):
        heads = self.layers[f"{name}.kv"].heads
        x = self.sfa(stream, one)
        q, k, v = (
            self.fire(f"{name}.{branch}", x).reshape(heads, -1, x[0].size) for branch in "qkv"
        )
        potential = np.einsum("hin,him,hjm->hjn", q, k, v).reshape(-1, *x.shape[1:])
        steps = self.layers[f"{name}.attn"].epilogue.neuron.thresholds[0]
        return stream + self.branch(name, sum((potential >= step).astype(int) for step in steps))

    def transformer_block(self, name, stream):
        one = self.one(name)
        stream = self.separable(f"{name}.conv", stream, one)
        stream = self.attention(f"{name}.attn", stream, one)
        hidden = self.fire(f"{name}.mlp.fc1", self.sfa(stream, one))
        return stream + self.branch(name, hidden)

    def logits(self):
        stream = self.branch("downsample1_1", self.pixels)
        last = "downsample1_1"
        for name in [
            "ConvBlock1_1.0",
            "downsample1_2",
            "ConvBlock1_2.0",
            "downsample2",
            "ConvBlock2_1.0",
            "ConvBlock2_2.0",
            "downsample3",
            "block3",
            "downsample4",
            "block4",
        ]:
            if name.startswith("downsample"):
                stream, last = self.branch(name, self.sfa(stream, self.one(last))), name
            elif name.startswith("ConvBlock"):
                stream = self.conv_block(name, stream)
            else:
                depth = sum(f"{name}.{index}" in self.layers for index in range(9))
                for index in range(depth):
                    stream = self.transformer_block(f"{name}.{index}", stream)
        counts = self.sfa(stream.sum(axis=(1, 2)), stream[0].size * self.one(last))
        head = self.layers["head"]
        return head.weight[:, :, 0, 0].astype(np.int64) @ counts + head.epilogue.bias


def test_logits_equal_those_of_the_blocks(model):
    images = random_images(3, 4, model.image_shape)
    logits = run(model, images).logits
    assert logits.dtype == np.int64
    for image, row in zip(images, logits, strict=True):
        assert row.tolist() == Reference(model, image).logits().tolist()


@pytest.mark.parametrize("code", SpikeCode)
def test_spike_codes_give_every_tensor_of_the_integer_sum(model, code):
    images = random_images(4, 3, model.image_shape)
    expected = run(model, images, trace=True).tensors
    actual = run(model, images, trace=True, code=code).tensors
    assert actual.keys() == expected.keys()
    for name, tensor in expected.items():
        assert np.array_equal(actual[name], tensor), name


@pytest.mark.parametrize("code", SpikeCode)
@pytest.mark.parametrize("max_count", [1, 2, 4, 7, 15])
def test_spike_codes_agree_for_every_largest_count(max_count, code):
    model = random_model(max_count, max_count=max_count)
    images = random_images(5, 2, model.image_shape)
    assert np.array_equal(run(model, images, code=code).logits, run(model, images).logits)


def test_trace_holds_every_tensor_in_its_shape(model):
    tensors = run(model, random_images(6, 2, model.image_shape), trace=True).tensors
    expected = shapes(model)
    assert list(tensors) == list(expected)
    for name, tensor in tensors.items():
        assert tensor.shape == (2, *expected[name]), name
        assert tensor.dtype == np.int64, name


def test_random_models_spike_but_do_not_saturate(model):
    for name, mean in model.mean_counts.items():
        if name.endswith(".counts"):
            assert 0 < mean < 0.8 * model.max_count, name


def test_images_do_not_influence_each_other(monkeypatch):
    model = random_model(1)
    images = random_images(8, 5, model.image_shape)
    together = run(model, images, trace=True).tensors
    monkeypatch.setattr(golden.model.executor, "BATCH_BYTES", 1)
    steps = []
    apart = run(model, images, trace=True, progress=lambda *step: steps.append(step)).tensors
    assert steps == [(done, 5) for done in range(1, 6)]
    assert all(np.array_equal(together[name], apart[name]) for name in together)


def test_no_tensors_are_kept_unless_traced():
    model = random_model(1)
    assert run(model, random_images(8, 1, model.image_shape)).tensors == {}


@pytest.mark.parametrize(
    ("layer", "noun"),
    [
        ("block3.0.attn.q", "potential"),
        ("downsample2", "stream"),
        ("block3.0.attn.kv", "memory"),
        ("head", "output"),
        ("head.sum", "potential"),
        ("block4.0.attn.attn", "potential"),
    ],
)
def test_a_value_beyond_its_width_raises(layer, noun):
    model = random_model(2)
    images = random_images(9, 6, model.image_shape)
    widths = {name: dict(bits) for name, bits in model.widths.items()}
    widths[layer][noun] = 1
    with pytest.raises(OverflowError, match=f"^Layer {layer}: the {noun} of .* must fit 1 bits"):
        run(replace(model, widths=widths), images)


@pytest.mark.parametrize("code", SpikeCode)
def test_pixels_are_bit_planes_in_either_code(code):
    model = random_model(1)
    tensors = run(model, random_images(8, 2, model.image_shape), trace=True).tensors
    stem, after = model.layers[:2]
    assert len(list(stem.potentials(tensors, max_count=4, code=code))) == 8
    counts_planes = 4 if code is SpikeCode.THERMOMETER else 3
    assert len(list(after.potentials(tensors, max_count=4, code=code))) == counts_planes


@pytest.mark.parametrize(("sign", "bits"), [(1, 9), (-1, 8)])
def test_widths_are_those_of_twos_complement(sign, bits):
    model = random_model(2)
    weight = np.zeros_like(model.layers[0].weight)
    weight[:, :, 1, 1] = sign
    model = changed(model, "downsample1_1", weight=weight)
    images = np.full((1, *model.image_shape), 128, np.uint8)
    run(replace(model, widths={"downsample1_1": {"potential": bits}}), images)
    with pytest.raises(OverflowError, match=f"must fit {bits - 1} bits"):
        run(replace(model, widths={"downsample1_1": {"potential": bits - 1}}), images)


@pytest.mark.parametrize("code", [None, *SpikeCode])
def test_overflow_begins_at_the_first_value_that_does_not_fit(code):
    model = random_model(2)
    images = random_images(9, 6, model.image_shape)
    stem = model.layers[0]
    peak = convolve(images.transpose(0, 3, 1, 2), stem.weight, [Axis.padded(3, 1, 1)] * 2)
    needed = golden.model.ranges.width(peak.min(), peak.max())
    widths = {stem.name: {"potential": needed}}
    run(replace(model, widths=widths), images, code=code)
    widths = {stem.name: {"potential": needed - 1}}
    with pytest.raises(OverflowError, match="Layer downsample1_1: the potential"):
        run(replace(model, widths=widths), images, code=code)


def test_wrong_images_are_refused():
    model = random_model(1)
    with pytest.raises(ValueError, match=r"shape \(images, 8, 8, 1\), not \(2, 9, 8, 1\)"):
        run(model, np.zeros((2, 9, 8, 1), np.uint8))
    with pytest.raises(ValueError, match="must be uint8, not int64"):
        run(model, np.zeros((2, 8, 8, 1), np.int64))
    with pytest.raises(ValueError, match="at least one"):
        run(model, np.zeros((0, 8, 8, 1), np.uint8))


def test_accuracy_is_the_share_of_right_classes():
    model = random_model(1)
    images = random_images(8, 10, model.image_shape)
    labels = golden.classify(run(model, images).logits)
    labels[:3] += 1
    assert golden.accuracy(model, images, labels) == 7 / 10
    with pytest.raises(ValueError, match="equally many"):
        golden.accuracy(model, images, labels[:-1])


@pytest.mark.parametrize("code", [None, *SpikeCode])
def test_counts_beside_pixels_may_be_larger_than_these(code):
    uniform = golden.Fire(golden.Neuron.uniform(1, 9))
    stem = golden.Conv.square(
        "stem", golden.PIXELS, np.full((1, 1, 1, 1), 7, np.int8), 4, 1, 0, 1, uniform
    )
    head = golden.Conv(
        "head",
        (golden.PIXELS, "stem.counts"),
        np.ones((1, 2, 1, 1), np.int8),
        2,
        (Axis(1), Axis(1)),
        1,
        golden.Output(np.zeros(1, np.int64), 1.0),
    )
    model = golden.IntegerModel("mixed", golden.Input((1, 1, 1)), (stem, head))
    golden.validate(model)
    # 200 and the largest of 9 bits.
    assert run(model, np.full((1, 1, 1, 1), 200, np.uint8), code=code).logits.item() == 711

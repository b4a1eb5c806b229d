"""Trains a small quantised network with Brevitas and writes it as QONNX, by both of its exporters.

Usage: brevitas_digits.py FOLDER, in the environment that ``scripts/brevitas.sh`` makes. Brevitas is
no dependency of Addend: this file is how ``brevitas-digits.onnx`` of ``tests/data``, which torch's
older exporter wrote, and ``brevitas-digits-dynamo.onnx``, which the newer one wrote, were made.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from brevitas.export import export_qonnx
from brevitas.inject.enum import RestrictValueType, ScalingImplType
from brevitas.nn import QuantConv2d, QuantIdentity, QuantLinear, QuantReLU
from brevitas.quant.fixed_point import Int8WeightPerTensorFixedPoint, Uint8ActPerTensorFixedPoint
from torch import nn

from golden.data.digits import load_digits


SEED, EPOCHS, BATCH = 0, 30, 64

#: A byte of a picture stands for this many units of the network's input.
PIXEL_SCALE = 2.0**-8


class Weights(Int8WeightPerTensorFixedPoint):
    """Four bits, -7..7 times a power of two that follows from the largest weight."""

    bit_width = 4


class Counts(Uint8ActPerTensorFixedPoint):
    """Unsigned activations times a power of two, which is learned from ten batches on."""

    collect_stats_steps = 10


class Pixels(Uint8ActPerTensorFixedPoint):
    """The bytes themselves: a constant scale, which is written as ``scale * 2^8``."""

    scaling_impl_type = ScalingImplType.CONST
    restrict_scaling_type = RestrictValueType.POWER_OF_TWO
    scaling_init = PIXEL_SCALE * 2**8


def stage(inputs, channels, bits, **geometry):
    """A convolution, its batch norm, and unsigned activations of some bits."""
    return nn.Sequential(
        QuantConv2d(inputs, channels, weight_quant=Weights, bias=False, **geometry),
        nn.BatchNorm2d(channels),
        QuantReLU(act_quant=Counts, bit_width=bits),
    )


def network():
    """Four stages, of which one strides and one is depthwise, and a head on all positions."""
    return nn.Sequential(
        QuantIdentity(act_quant=Pixels),
        stage(1, 8, 4, kernel_size=3, padding=1),
        stage(8, 16, 3, kernel_size=3, padding=1, stride=2),
        stage(16, 16, 2, kernel_size=3, padding=1, groups=16),
        stage(16, 16, 4, kernel_size=1),
        nn.Flatten(),
        QuantLinear(16 * 4 * 4, 10, bias=True, weight_quant=Weights),
    )


def inputs(pictures):
    """What the network is given of bytes (N, H, W, C)."""
    return torch.from_numpy(pictures.transpose(0, 3, 1, 2).astype(np.float32) * PIXEL_SCALE)


def tidied(path):
    """The file with its weights in it, and without the paths of the machine that wrote it.

    Of what the exporter knows of a node, the modules that it stands in stay.
    """
    model = onnx.load(path)
    for node in model.graph.node:
        kept = [entry for entry in node.metadata_props if entry.key.endswith("name_scopes")]
        del node.metadata_props[:]
        node.metadata_props.extend(kept)
    del model.metadata_props[:], model.graph.metadata_props[:]
    for value in [*model.graph.input, *model.graph.output, *model.graph.value_info]:
        del value.metadata_props[:]
    for tensor in model.graph.initializer:
        del tensor.metadata_props[:]
    return model


def main(folder):
    """Trains for half a minute, says how well, and writes the two files."""
    torch.manual_seed(SEED)
    train_images, train_labels, test_images, test_labels = load_digits()
    images, labels = inputs(train_images), torch.from_numpy(train_labels)
    model = network()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    for _ in range(EPOCHS):
        for chosen in torch.randperm(len(images)).split(BATCH):
            optimizer.zero_grad()
            F.cross_entropy(model(images[chosen]), labels[chosen]).backward()
            optimizer.step()
    model.eval()
    with torch.no_grad():
        right = model(inputs(test_images)).argmax(1).numpy() == test_labels
    print(f"{right.mean():.2%} of {len(right)} test pictures")
    example = inputs(test_images[:1])
    export_qonnx(
        model, args=example, export_path=str(folder / "brevitas-digits.onnx"), dynamo=False
    )
    path = folder / "brevitas-digits-dynamo.onnx"
    with tempfile.TemporaryDirectory() as place:
        written = Path(place) / "written.onnx"
        export_qonnx(model, args=example, export_path=str(written), dynamo=True, optimize=True)
        onnx.save(tidied(written), path)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

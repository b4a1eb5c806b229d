"""E-SpikeFormer in plain float64, for comparisons, and parameters that it computes exactly with."""

import math

import torch
import torch.nn.functional as F

from golden.neuron import Rounding
from train.network.build import build


__all__ = ["PlainForward", "PlainLargeForward", "dyadic_state"]


class PlainForward:
    """E-SpikeFormer once more, from its parameters alone and with attention QK-first.

    Parameters
    ----------
    state : dict of str to tensor
        The ``state_dict``, in float64.
    shape : NetworkConfig
        Gives neuron, heads, depths and strides.
    eps : float
        Of batch norms.
    """

    def __init__(self, state, shape, *, eps=1e-5):
        self.state = state
        self.shape = shape
        self.eps = eps
        self.spikes = []

    def neuron(self, potential, divisor=None):
        potential = potential.clamp(0, self.shape.max_count)
        if self.shape.rounding is Rounding.HALF_EVEN:
            count = torch.round(potential)
        else:
            count = torch.floor(potential + 0.5)
        self.spikes.append(count / (divisor or self.shape.max_count))
        return self.spikes[-1]

    def conv(self, conv, norm, spikes, **geometry):
        weight = self.state[f"{conv}.weight"]
        weight = weight[..., None] if weight.dim() == 3 else weight
        potential = F.conv2d(
            spikes,
            weight,
            self.state.get(f"{conv}.bias"),
            padding=weight.shape[2] // 2,
            **geometry,
        )
        mean, var, scale, shift = (
            self.state[f"{norm}.{noun}"][:, None, None]
            for noun in ("running_mean", "running_var", "weight", "bias")
        )
        return (potential - mean) / torch.sqrt(var + self.eps) * scale + shift

    def pair(self, name, spikes, **geometry):
        return self.conv(f"{name}.0", f"{name}.1", spikes, **geometry)

    def down(self, name, spikes, stride):
        return self.conv(f"{name}.encode_conv", f"{name}.encode_bn", spikes, stride=stride)

    def separable(self, name, stream):
        hidden = self.neuron(self.pair(f"{name}.pwconv1", self.neuron(stream)))
        hidden = self.pair(f"{name}.dwconv", hidden, groups=hidden.shape[1])
        return stream + self.pair(f"{name}.pwconv2", self.neuron(hidden))

    def conv_block(self, name, stream):
        stream = self.separable(f"{name}.Conv", stream)
        hidden = self.conv(f"{name}.conv1", f"{name}.bn1", self.neuron(stream))
        return stream + self.conv(f"{name}.conv2", f"{name}.bn2", self.neuron(hidden))

    def transformer_block(self, name, stream):
        stream = self.separable(f"{name}.conv", stream)
        spikes = self.neuron(stream)
        q, k, v = (self.neuron(self.pair(f"{name}.attn.{x}_conv", spikes)) for x in "qkv")
        heads = self.shape.heads
        q, k, v = (x.flatten(2).unflatten(1, (heads, -1)).transpose(-1, -2) for x in (q, k, v))
        mixed = (q @ k.transpose(-1, -2)) @ v * (2 / math.sqrt(q.shape[-1]))
        mixed = mixed.transpose(-1, -2).flatten(1, 2).unflatten(2, stream.shape[2:])
        stream = stream + self.pair(f"{name}.attn.proj_conv", self.neuron(mixed))
        mlp = f"{name}.mlp"
        hidden = self.conv(f"{mlp}.fc1_conv", f"{mlp}.fc1_bn", self.neuron(stream))
        return stream + self.conv(f"{mlp}.fc2_conv", f"{mlp}.fc2_bn", self.neuron(hidden))

    def stream(self, images):
        """Last stream; the large family has one stage of transformer blocks, not two."""
        strides = self.shape.strides
        stream = self.down("downsample1_1", images / 256, strides[0])
        stream = self.conv_block("ConvBlock1_1.0", stream)
        stream = self.down("downsample1_2", self.neuron(stream), strides[1])
        stream = self.conv_block("ConvBlock1_2.0", stream)
        stream = self.down("downsample2", self.neuron(stream), strides[2])
        stream = self.conv_block("ConvBlock2_1.0", stream)
        stream = self.conv_block("ConvBlock2_2.0", stream)
        for stage, (depth, stride) in enumerate(
            zip(self.shape.depths, strides[3:], strict=True), start=3
        ):
            stream = self.down(f"downsample{stage}", self.neuron(stream), stride)
            for index in range(depth):
                stream = self.transformer_block(f"block{stage}.{index}", stream)
        return stream

    def __call__(self, images):
        spikes = self.neuron(self.stream(images).mean((2, 3)), divisor=1)
        return F.linear(spikes, self.state["head.weight"], self.state["head.bias"])


class PlainLargeForward(PlainForward):
    """The large family once more; called, it returns the scores of both heads."""

    def rep(self, name, spikes):
        return self.pair(f"{name}.conv2", self.pair(f"{name}.conv1", spikes))

    def conv_block(self, name, stream):
        hidden = self.neuron(self.pair(f"{name}.conv1.0", self.neuron(stream)))
        return stream + self.pair(f"{name}.conv2.0", hidden)

    def norm(self, name, potential):
        identity = torch.eye(potential.shape[1], dtype=potential.dtype)[:, :, None, None]
        self.state["identity.weight"] = identity
        return self.conv("identity", name, potential)

    def transformer_block(self, name, stream):
        stream = stream + self.rep(f"{name}.rep_conv", self.neuron(stream))
        spikes, attn = self.neuron(stream), f"{name}.attn"
        q, k, v = (
            self.neuron(self.norm(f"{attn}.{x}_conv.1", self.rep(f"{attn}.{x}_conv.0", spikes)))
            for x in "qkv"
        )
        q, k, v = (x.flatten(2).unflatten(1, (self.shape.heads, -1)) for x in (q, k, v))
        mixed = (v @ k.transpose(-1, -2)) @ q * 0.125
        spikes = self.neuron(mixed.flatten(1, 2).unflatten(2, stream.shape[2:]))
        branch = self.norm(f"{attn}.proj_conv.1", self.rep(f"{attn}.proj_conv.0", spikes))
        stream = stream + branch * self.state[f"{name}.layer_scale1"][:, None, None]
        mlp = f"{name}.mlp"
        hidden = self.conv(f"{mlp}.fc1_conv", f"{mlp}.fc1_bn", self.neuron(stream))
        branch = self.conv(f"{mlp}.fc2_conv", f"{mlp}.fc2_bn", self.neuron(hidden))
        return stream + branch * self.state[f"{name}.layer_scale2"][:, None, None]

    def __call__(self, images):
        mean = self.stream(images).mean((2, 3))
        return {
            name: F.linear(inputs, self.state[f"{head}.weight"], self.state[f"{head}.bias"])
            for name, head, inputs in (
                ("analog", "head", mean),
                ("spike", "head_kd", self.neuron(mean, divisor=1)),
            )
        }


def dyadic_state(shape, seed):
    """Parameters of any network with which float64 computes exactly, batch norms without eps.

    Weights are 8-bit multiples of 2**-8 (of 2**-2 in the stem), offsets multiples of 2**-10. Of two
    stages that are folded into one, the first takes channels up to twice, or their negatives.
    """
    generator = torch.Generator().manual_seed(seed)

    def drawn(values, spread, unit, limit=2**20):
        noise = torch.randn(values.shape, generator=generator, dtype=torch.float64)
        return (noise * spread / unit).round().clamp(-limit, limit) * unit

    state = {}
    with torch.device("meta"):
        wanted = build(shape).state_dict()
    for name, values in wanted.items():
        staged = ".rep_conv." in name or "_conv.0.conv" in name
        first_stage = staged and ".conv1." in name
        if first_stage and values.dim() > 1:
            channels = torch.arange(len(values))
            state[name] = torch.zeros(values.shape)
            signs = 1.0 - 2.0 * (channels % 3 == 0)
            state[name][channels, channels % values.shape[1], 0, 0] = signs
        elif first_stage and name.endswith(".1.bias"):
            state[name] = drawn(values, 0.3, 2.0**-2)
        elif values.dim() > 1:
            stem = name == "downsample1_1.encode_conv.weight"
            spread = (20 if stem else 5) / math.sqrt(values[0].numel())
            state[name] = drawn(values, spread, 2.0**-2 if stem else 2.0**-8, 63 if staged else 127)
        elif name.endswith(("running_mean", "num_batches_tracked")):
            state[name] = torch.zeros(values.shape, dtype=values.dtype)
        elif "layer_scale" in name:
            state[name] = torch.full(values.shape, 0.5)
        elif name.endswith(("running_var", "_bn.weight", "bn1.weight", "bn2.weight", ".1.weight")):
            state[name] = torch.ones(values.shape)
        else:
            state[name] = drawn(values, 0.3, 2.0**-10).float()
    return {
        name: values.float() if values.is_floating_point() else values
        for name, values in state.items()
    }

"""A network that a testbench runs layer by layer, and what golden stores of it."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np

import golden
from hw.compiler import compile_model
from hw.compiler.expected import expected_contents
from hw.emit.memory_images import memory_words
from hw.isa.pairs import PAIR

from ..faults import PLAN_FAULTS
from .base import generators, packed, parameters


__all__ = ["Network"]


class Network:
    """A model on a core of given sizes, and one random image of it.

    Parameters
    ----------
    model : str
        File of the model.
    sizes : CoreConfig
        The core may be larger than this model needs.

    Attributes
    ----------
    plan, given : Plan
        The second has the fault that a test of the tests plants, if there is one.
    golden : Result
        With all tensors.
    words : dict of str to list of int
        Of the memories that are filled.
    """

    def __init__(self, model, sizes):
        _, draw = generators()
        self.sizes, self.model = sizes, golden.load(model)
        plan = compile_model(self.model, **sizes.array, tile_depths=sizes.tile_depths)
        self.plan = replace(plan, required=sizes)
        images = draw.integers(0, 256, (1, *self.model.image_shape), "uint8")
        self.golden = golden.run(self.model, images, trace=True)
        self.expected = expected_contents(self.plan, self.golden.tensors, 0)
        plant = PLAN_FAULTS.get(parameters().get("fault"), lambda plan, tensors: plan)
        self.given = replace(plant(self.plan, self.golden.tensors), required=sizes)
        self.words = memory_words(self.given, sizes)

    def pixels(self):
        """Words of the pixel memory."""
        (pixels,) = (item for item in self.expected if item.memory == "pixels")
        return pixels.words.tolist()

    def expect(self, number, memory):
        """Words that layer ``number`` stores in a memory, by address, and the tensor's name."""
        for item in self.expected:
            if (item.layer, item.memory) == (number, memory):
                return SimpleNamespace(
                    tensor=item.tensor,
                    locate=item.locate,
                    addresses=item.addresses.tolist(),
                    words=dict(zip(item.addresses.tolist(), item.words.tolist(), strict=True)),
                )
        return SimpleNamespace(tensor="nothing", locate=None, addresses=[], words={})

    def take_sums(self, cycles, sums):
        """Adds what is sent to the token sums in this cycle, to those of a pair by its address."""
        if cycles.get("sums__valid"):
            pair = cycles.get("sums__pair")
            values = [cycles.get_signed(f"sums__values__{half}") for half in range(PAIR)]
            sums[pair] = sums.get(pair, 0) + np.array(values)

    def compare_sums(self, number, name, sums):
        """Compares the token sums behind a layer with golden."""
        words = {pair: packed(values, self.sizes.sum_width) for pair, values in sums.items()}
        assert words == self.expect(number, "sums").words, f"{name}: sums differ"

    def executed(self):
        """Additions of each layer."""
        return {name: int(n.sum()) for name, n in self.plan.additions(self.golden.tensors).items()}

"""What testbenches share: parameters, randomness, clock, reset, and steps of one clock cycle."""

import random

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import RisingEdge, Timer

from golden.data.description import read_json
from hw.isa.core_config import CoreConfig
from hw.isa.pairs import PAIR


__all__ = ["Cycles", "config", "generators", "packed", "parameters", "pulse", "signed", "split"]


#: Length of a clock cycle. Verilator does not know delays; the number only counts cycles.
CYCLE_NS = 10


def parameters():
    """Parameters that ``sim.runner.simulate`` was called with."""
    return read_json("parameters.json", "the parameters")


def config():
    """Configuration that the component under test was built for."""
    return CoreConfig.from_dict(parameters()["config"])


def generators():
    """Two generators from the seed of this run: for stalls and noise, and for tensors."""
    return random.Random(cocotb.RANDOM_SEED), np.random.default_rng(cocotb.RANDOM_SEED)


def signed(word, width):
    """Two's complement value of an unsigned word.

    >>> signed(13, 4), signed(5, 4)
    (-3, 5)
    """
    return (word ^ 1 << width - 1) - (1 << width - 1)


def packed(values, width):
    """Word of equally wide entries, the first one lowest; negative ones as two's complement.

    >>> hex(packed([1, -1, 2], 4))
    '0x2f1'
    """
    return sum(
        (int(value) & ((1 << width) - 1)) << width * index for index, value in enumerate(values)
    )


def split(word, width, number=PAIR):
    """The parts of a word, which has two of them unless more are asked for.

    >>> split(0x2F1, 4)
    [1, 15]
    """
    return [word >> part * width & ((1 << width) - 1) for part in range(number)]


def pulse(rng, probability):
    """1 with the given probability, else 0."""
    return int(rng.random() < probability)


class Cycles:
    """Drives and samples a component once per clock cycle.

    What is read after ``step`` are the values just before the edge that ends the cycle: outputs
    that follow the inputs of the same step. Inputs that a step does not name keep their value.

    Parameters
    ----------
    dut : cocotb.handle.HierarchyObject
    rng : random.Random
        For noise.
    """

    def __init__(self, dut, rng):
        self.dut = dut
        self.rng = rng
        self.count = 0
        self._edge = RisingEdge(dut.clk)
        Clock(dut.clk, CYCLE_NS, unit="ns", impl="gpi").start()

    async def reset(self, **inputs):
        """Resets the component for two cycles; every input is 0 that is not given."""
        for name in ("rst", *inputs):
            getattr(self.dut, name).value = inputs.get(name, 1)
        await self._edge
        await self._edge
        self.dut.rst.value = 0
        self.count = 0

    async def step(self, **inputs):
        """Lets one cycle pass in which the inputs have the given values."""
        for name, value in inputs.items():
            getattr(self.dut, name).value = value
        await self._edge
        self.count += 1

    async def skip(self, number):
        """Lets cycles pass, at the simulator's own speed, in which no input changes."""
        await Timer(number * CYCLE_NS - CYCLE_NS // 2, unit="ns")
        await self._edge
        self.count += number

    def get(self, name):
        """Unsigned value of a port."""
        return int(getattr(self.dut, name).value)

    def get_signed(self, name):
        """Two's complement value of a port."""
        return signed(self.get(name), len(getattr(self.dut, name)))

    def noise(self, name):
        """Random bits, as wide as a port."""
        return self.rng.getrandbits(len(getattr(self.dut, name)))

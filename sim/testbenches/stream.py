"""Drivers of valid/ready streams that stall at random on both sides.

They sleep on edges of ``valid`` and ``ready`` while nothing is to be done, so that a long
computation between two transfers runs at the simulator's own speed.
"""

from cocotb.triggers import RisingEdge

from hw.isa import fields
from hw.isa.fields import DISTANCES


__all__ = ["Port", "Sink", "Source", "amaranth_port", "axis_port", "pack", "unpack"]


class Port:
    """Signals of one stream.

    Parameters
    ----------
    clk, valid, ready : cocotb handle
    payload : list of cocotb handle
        First one lowest, as if concatenated.
    """

    def __init__(self, *, clk, valid, ready, payload):
        self.clk = clk
        self.valid = valid
        self.ready = ready
        self.payload = payload
        self.width = sum(len(signal) for signal in payload)

    def drive(self, word):
        """Put an unsigned word on the payload."""
        for signal in self.payload:
            signal.value = word & ((1 << len(signal)) - 1)
            word >>= len(signal)

    def read(self):
        """Payload as an unsigned word."""
        word, offset = 0, 0
        for signal in self.payload:
            word |= int(signal.value) << offset
            offset += len(signal)
        return word


def amaranth_port(dut, name):
    """Stream port of an Amaranth component, in its Verilog; ``name`` as in ``Members``."""
    return Port(
        clk=dut.clk,
        valid=getattr(dut, f"{name}__valid"),
        ready=getattr(dut, f"{name}__ready"),
        payload=[getattr(dut, f"{name}__payload")],
    )


def axis_port(dut, prefix):
    """AXI4-Stream port with ``tdata`` and ``tlast``, which is the highest bit of a word."""
    return Port(
        clk=dut.aclk,
        valid=getattr(dut, f"{prefix}_tvalid"),
        ready=getattr(dut, f"{prefix}_tready"),
        payload=[getattr(dut, f"{prefix}_tdata"), getattr(dut, f"{prefix}_tlast")],
    )


class Source:
    """Sends words, after random waits.

    While ``valid`` is low the payload is noise, so that a component that reads it outside its
    transfer computes something else, not the right thing by luck.

    Parameters
    ----------
    port : Port
    rng : random.Random
    stall : float
        Probability of each idle cycle before a transfer.
    """

    def __init__(self, port, *, rng, stall=0.0):
        self.port = port
        self.rng = rng
        self.stall = stall
        self._edge = RisingEdge(port.clk)
        self.idle()

    async def send(self, word):
        """Send one word; returns at the edge that takes it."""
        for _ in range(waits(self.rng, self.stall)):
            await self._edge
            self.port.drive(self.rng.getrandbits(self.port.width))
        self.port.drive(word)
        self.port.valid.value = 1
        await taken(self._edge, self.port.ready)
        self.idle()

    async def send_all(self, words):
        """Send words one after the other."""
        for word in words:
            await self.send(word)

    def idle(self):
        """Offer nothing."""
        self.port.valid.value = 0
        self.port.drive(self.rng.getrandbits(self.port.width))


class Sink:
    """Receives words, and checks that a stalled stream holds what it offers.

    Parameters
    ----------
    port : Port
    rng : random.Random
    stall : float
        Probability of each cycle that is not ready before a transfer.
    """

    def __init__(self, port, *, rng, stall=0.0):
        self.port = port
        self.rng = rng
        self.stall = stall
        self._edge = RisingEdge(port.clk)
        self.idle()

    async def receive(self):
        """Wait for a word and take it."""
        port, offered = self.port, None
        if self.stall and self.rng.random() < 0.5:
            # Stalls from the cycle on in which the word is offered, else from now on.
            await taken(self._edge, port.valid)
            offered = port.read()
        for _ in range(waits(self.rng, self.stall)):
            await self._edge
            if offered is not None:
                assert int(port.valid.value), "valid must stay until the transfer"
                assert port.read() == offered, "the payload must stay until the transfer"
            if int(port.valid.value):
                offered = port.read()
        port.ready.value = 1
        await taken(self._edge, port.valid)
        word = port.read()
        assert offered in (None, word), "the payload must stay until the transfer"
        self.idle()
        return word

    async def receive_all(self, count):
        """Receive ``count`` words, in order."""
        return [await self.receive() for _ in range(count)]

    def idle(self):
        """Take nothing."""
        self.port.ready.value = 0


def waits(rng, stall):
    """Number of cycles to wait, each with the given probability."""
    count = 0
    while rng.random() < stall:
        count += 1
    return count


async def taken(edge, signal):
    """Wait for the end of the first cycle in which ``signal`` is high."""
    await edge
    while not int(signal.value):
        await RisingEdge(signal)
        await edge


def pack(layout, **values):
    """Word of an Amaranth layout; fields that are not given are 0.

    Fields that are layouts themselves take words. Negative values are two's complement, and
    distances wrap; what else does not fit is an error.
    """
    for name, value in values.items():
        width = layout[name].width
        if name not in DISTANCES and -(1 << width) <= 2 * int(value) < 0:
            values[name] = int(value) + (1 << width)
    return fields.pack(layout, values, wraps=DISTANCES)


def unpack(layout, word):
    """Fields of a word, unsigned, by name."""
    return {name: (word >> field.offset) & ((1 << field.width) - 1) for name, field in layout}

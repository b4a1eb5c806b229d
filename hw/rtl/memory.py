"""Memories, as instances of the Verilog modules in ``memory.v``.

Weights are never written into the Verilog: the modules read images with ``$readmemh``, whose
parsing stays linear in every tool.
"""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from ..isa.blocks import blocks


__all__ = [
    "IMAGE_WIDTH",
    "LAYER_WIDTH",
    "Memory",
    "SharedMemory",
    "TAG_WIDTH",
    "placed_layout",
    "read_port",
]


#: Widths of the numbers of an image and a layer, and of the tag of both that is logged with
#: captured writes.
IMAGE_WIDTH, LAYER_WIDTH = 20, 12
TAG_WIDTH = IMAGE_WIDTH + LAYER_WIDTH


def placed_layout(width, depth):
    """Layout of a word that is written to a memory of so many words, and of its address there."""
    return data.StructLayout({"valid": 1, "address": bits_for(depth - 1), "data": width})


def read_port(address, word):
    """Port that a memory is read through, seen from who reads it.

    One cycle from an address that is ``read`` to its word, which stays until the next one is.

    Parameters
    ----------
    address, word : ShapeLike
    """
    return wiring.Signature({"read": Out(1), "address": Out(address), "data": In(word)})


class SharedMemory(wiring.Component):
    """Memory with two readers that give way to a writer, the first one or both.

    While a word is written, reader ``a`` does not read, and none does where it is two words.

    Parameters
    ----------
    width, depth : int
        Bits of a word and number of words.
    at_once : {1, 2}
        Words that are written in a cycle, side by side: the first one lowest.
    image : str
        File of the initial contents, in the folder ``ADDEND_ROM_DIR``; empty for none.
    scarce : bool
        Whether block RAMs are, for ``blocks``.
    name : str
        Log of the writes in simulations that capture; empty for none.

    Members
    -------
    a, b : In(read_port(range(depth), width))
    write : In(placed_layout(at_once * width, depth / at_once))
        Of several words, the address in units of so many.
    tag : In(TAG_WIDTH)
        Logged with each captured write; costs nothing in hardware.
    """

    def __init__(self, *, width, depth, at_once=1, image="", scarce=True, name=""):
        self.width = width
        self.depth = depth
        self.at_once = at_once
        self.image = image
        self.scarce = scarce
        self.name = name
        address = bits_for(depth - 1)
        super().__init__({
            "a": In(read_port(address, width)),
            "b": In(read_port(address, width)),
            "write": In(placed_layout(at_once * width, -(-depth // at_once))),
            "tag": In(TAG_WIDTH),
        })

    def elaborate(self, platform):
        m = Module()
        write, a, b = self.write, self.a, self.b
        first, second = write.address, b.address
        if self.at_once == 2:
            first = Cat(0, write.address)
            second = Mux(write.valid, Cat(1, write.address), b.address)
        m.submodules.memory = _instance(
            self.width,
            self.depth,
            shared=self.at_once,
            scarce=self.scarce,
            image=self.image,
            name=self.name,
            i_write=write.valid,
            i_data=write.data[: self.width],
            i_other=write.data[-self.width :],
            i_a_read=a.read,
            o_a_data=a.data,
            i_a_address=Mux(write.valid, first, a.address)[: len(a.address)],
            i_b_read=b.read,
            o_b_data=b.data,
            i_b_address=second[: len(b.address)],
            i_tag=self.tag,
        )
        return m


class Memory(wiring.Component):
    """Memory with one writer and one reader.

    Parameters
    ----------
    width, depth : int
        Bits of a word and number of words.
    slices : int
        Equal parts of a word, each a memory of its own.
    images : sequence of str
        File of the initial contents per slice, in the folder ``ADDEND_ROM_DIR``; empty for none.
    scarce : bool
        Whether block RAMs are, for ``blocks``.
    name : str
        Log of the writes in simulations that capture; empty for none.

    Members
    -------
    write : In(placed_layout(width, depth))
    reader : In(read_port(range(depth), width))
    tag : In(TAG_WIDTH)
        Logged with each captured write; costs nothing in hardware.
    """

    def __init__(self, *, width, depth, slices=1, images=(), scarce=True, name=""):
        if width % slices:
            raise ValueError(f"Slices must divide the word of {width} bits, not be {slices!r}")
        self.width = width
        self.depth = depth
        self.slices = slices
        self.images = images or ("",) * slices
        self.scarce = scarce
        self.name = name
        super().__init__({
            "write": In(placed_layout(width, depth)),
            "reader": In(read_port(bits_for(depth - 1), width)),
            "tag": In(TAG_WIDTH),
        })

    def elaborate(self, platform):
        m = Module()
        width = self.width // self.slices
        for index, image in enumerate(self.images):
            m.submodules["memory" if self.slices == 1 else f"slice_{index}"] = _instance(
                width,
                self.depth,
                shared=0,
                scarce=self.scarce,
                image=image,
                name=self.name,
                i_write=self.write.valid,
                i_data=self.write.data.word_select(index, width),
                i_other=C(0, width),
                i_a_address=self.write.address,
                i_a_read=0,
                o_a_data=Signal(width, name="none"),
                i_b_read=self.reader.read,
                o_b_data=self.reader.data.word_select(index, width),
                i_b_address=self.reader.address,
                i_tag=self.tag,
            )
        return m


def _instance(width, depth, *, shared, scarce, image="", name="", **connected):
    """A memory of ``memory.v``, with the parameters that say how it is laid out on a device."""
    # Synthesis finds no block RAM for a shared memory of one word, which needs no address.
    depth = depth if image else max(depth, 2)
    layout = blocks(width, depth, ports=2 if shared else 1, scarce=scarce)
    # An empty text would be a parameter without a value.
    texts = {key: text for key, text in (("p_INIT_FILE", image), ("p_NAME", name)) if text}
    return Instance(
        "addend_memory",
        p_WIDTH=width,
        p_DEPTH=depth,
        p_ADDRESS_WIDTH=bits_for(depth - 1),
        p_SHARED=shared,
        p_BANK=layout.bank,
        p_SLICE=layout.slice,
        p_REST_SLICE=layout.rest_slice,
        p_TAG_WIDTH=TAG_WIDTH,
        **texts,
        i_clk=ClockSignal(),
        **connected,
    )

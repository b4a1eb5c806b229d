"""Where tiles come from: memories on chip, which the load port fills, or an external image."""

from amaranth import *
from amaranth.lib import wiring

from ..isa.status import Status
from .image_reader import ImageReader
from .load_port import LoadPort
from .loader import Loader
from .tile_store import TileStore


__all__ = ["loader_of", "supply_from_outside", "supply_on_chip"]


def loader_of(core):
    """What fills the memories: a port of its own, or what the external image is read by."""
    memories, config = core.config.memories, core.config
    if config.external:
        return Loader(memories, beat_width=config.bus_width)
    return LoadPort(
        memories,
        fingerprint=config.fingerprint,
        filled=core.filled,
        patience=core.load_patience,
    )


def supply_on_chip(m, core, writes, failure):
    """Connects the buffers of tiles to memories on chip.

    Parameters
    ----------
    m : Module
        Of the core, with its submodules.
    core : Core
    writes : dict of str to Value
        Whether the loader writes a word of each memory.
    failure : Signal
        Receives the status of an image that is given up.
    """
    sequencer, generator, array = (
        m.submodules.sequencer,
        m.submodules.generator,
        m.submodules.array,
    )
    buffers, loader = m.submodules.buffers, m.submodules.loader
    m.submodules.store = store = TileStore(core.config, images=core.images, sliced=core.sliced)
    m.d.comb += [
        array.row.eq(store.row),
        array.neuron.eq(store.neuron),
        store.clear.eq(~sequencer.receive),
        store.fill.eq(sequencer.fill),
        store.taken.eq(generator.tile.valid & generator.tile.ready),
        store.room.eq(buffers.room),
        buffers.again.eq(store.again),
        buffers.clear.eq(store.clear),
        buffers.loaded.eq(store.loaded),
    ]
    m.d.sync += [
        store.load_weights.eq(writes["weights"]),
        store.load_neurons.eq(writes["neurons"]),
        store.load_address.eq(loader.address),
        store.load_data.eq(loader.data),
    ]
    wiring.connect(m, wiring.flipped(core.load), loader.beats)
    # Nothing reads the memories while pixels are dropped, so that a host that stops in the middle
    # of an image may load a model. Without one, no image waits. A beat that comes before reset has
    # ended here, a cycle after ``aresetn``, waits.
    image_waits = core.pixels.valid | m.submodules.writer.waiting
    m.d.comb += [
        loader.enable.eq((~sequencer.busy | sequencer.discard) & ~ResetSignal()),
        sequencer.start.eq(image_waits & (~loader.intact | (~core.load.valid & ~loader.active))),
        sequencer.refuse.eq(~loader.intact),
        failure.eq(Status.MODEL),
    ]


def supply_from_outside(m, core, writes, failure):
    """Connects sequencer, buffers of tiles and loader to the external image.

    Parameters are those of ``supply_on_chip``.
    """
    sequencer, array = m.submodules.sequencer, m.submodules.array
    buffers, loader = m.submodules.buffers, m.submodules.loader
    m.d.comb += sequencer.start.eq(core.pixels.valid | m.submodules.writer.waiting)
    m.submodules.reader = reader = ImageReader(
        core.config.bus_width, fingerprint=core.config.fingerprint
    )
    wiring.connect(m, reader.bus, wiring.flipped(core.weights))
    wiring.connect(m, reader.packets, loader.beats)
    for name, port in (("weights", array.row), ("neurons", array.neuron)):
        m.d.comb += [
            port.valid.eq(writes[name]),
            port.address.eq(loader.address),
            port.data.eq(loader.data),
        ]
    m.d.comb += [
        reader.base.eq(core.weights_base),
        reader.start.eq(sequencer.fetch),
        reader.wanted.eq(sequencer.busy),
        reader.room.eq(buffers.room),
        buffers.again.eq(reader.again),
        reader.refused.eq(loader.failed),
        loader.enable.eq(1),
        loader.clear.eq(reader.started),
        buffers.clear.eq(reader.started),
        buffers.loaded.eq(reader.tile),
        sequencer.fetching.eq(reader.started),
        sequencer.table.eq(reader.table),
        sequencer.failed.eq(reader.failed),
        failure.eq(reader.status),
    ]

"""Latencies: clock cycles from what a component takes to what comes of it, where nothing waits."""

from .address_generator import READING
from .bank import ROW_CYCLES
from .column import FETCH
from .event_encoder import ENCODING
from .neuron import STAGES
from .packer import PACKING
from .word_queue import QUEUEING
from .word_reader import READ_CYCLES


__all__ = ["latencies"]


def latencies(config):
    """Latencies of the components whose own are fixed, by what goes in and what comes out.

    Parameters
    ----------
    config : CoreConfig

    Returns
    -------
    dict of str to int
        Clock cycles; ``accelerator.json`` has them.
    """
    return {
        "pixel writer: beat to write": 1,
        "address generator: tile to step": READING + 1,
        "word reader: step to word": READ_CYCLES,
        "word queue: word to word": QUEUEING,
        "event encoder: word to event": ENCODING,
        "bank: word to event": QUEUEING + ENCODING,
        "bank: word to row": QUEUEING + ENCODING + ROW_CYCLES,
        "lanes: row to sum": 1,
        "column: step to sum": READ_CYCLES + QUEUEING + ENCODING + FETCH,
        "firing unit: release to neuron": STAGES,
        "packer: neuron to word": PACKING,
        "token sum: start to word": config.pairs * (config.max_count + 3) + 1,
    }

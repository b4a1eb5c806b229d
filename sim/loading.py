"""A model as the load port takes it, as a step of ``sim.testbenches.tb_accelerator``."""

from pathlib import Path

import numpy as np

from hw.emit.load_packets import LAST, closing_packet, packets
from hw.rtl.loader import BEAT_WIDTH


__all__ = ["load_step", "small_load_step", "spoilt_step"]


def load_step(folder, plan, config, *, stall=0.0, name="load"):
    """Writes the beats that load a model, and describes the step that sends them.

    Parameters
    ----------
    folder : Path
        Folder that the testbench runs in.
    plan : Plan
        Of the model, as ``hw.load.lay_out`` makes it for the core.
    config : CoreConfig
        Of the core, whose weights lie on chip.
    stall : float
        Probability of each idle cycle before a beat.
    name : str
        Of the file, one per model that a run loads.

    Returns
    -------
    dict
        The step.
    """
    beats = [beat for packet in packets(plan, config) for beat in packet]
    np.save(Path(folder) / f"{name}.npy", np.array(beats, np.int64))
    return {"load": f"{name}.npy", "stall": stall}


def spoilt_step(folder, plan, config, *, stall=0.0, name="spoilt"):
    """As ``load_step``, but of words that are the complement of the model's."""
    beats = []
    for header, *words in packets(plan, config):
        beats += [header, *(word ^ LAST - 1 for word in words)]
    np.save(Path(folder) / f"{name}.npy", np.array(beats, np.int64))
    return {"load": f"{name}.npy", "stall": stall}


def small_load_step(folder, loaded, config, n_words, flipped):
    """As ``load_step``, but of the first words of each memory, and with a signature of its own.

    Parameters
    ----------
    folder, config
        As above.
    loaded : list of list of int
        What ``hw.load.packets`` returns for the model.
    n_words : int
        Of each memory, if it has so many.
    flipped : int
        Bits of the signature that are wrong.
    """
    *whole, _ = loaded
    parts = []
    for packet, (width, _) in zip(whole, config.memories.values(), strict=True):
        part = packet[: 1 + n_words * -(-width // BEAT_WIDTH)]
        parts.append([*part[:-1], part[-1] | LAST])
    header, signature = closing_packet(parts, config)
    beats = [beat for packet in [*parts, [header, signature ^ flipped]] for beat in packet]
    name = f"small-{n_words}-{flipped}"
    np.save(Path(folder) / f"{name}.npy", np.array(beats, np.int64))
    return {"load": f"{name}.npy", "stall": 0.0}

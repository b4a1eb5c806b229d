"""What the commands leave behind for programs to read: JSON files."""

import json
import platform

import numpy as np
import torch

from golden.data.atomic import replacing
from train.families.own import OwnNetwork
from train.network.build import count_parameters


__all__ = ["conversion_report", "training_report", "write_json"]


def write_json(values, path):
    """Write JSON whole or not at all, with sorted keys.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    with replacing(path) as file:
        file.write((json.dumps(values, indent=2, sort_keys=True) + "\n").encode())


def _neurons(network):
    """Facts about the neurons of a family's network; a user's own says them in its file."""
    if isinstance(network, OwnNetwork):
        return {"module": network.module}
    return {"max_count": network.max_count, "rounding": network.rounding.value}


def training_report(state):
    """Facts about a training run.

    Parameters
    ----------
    state : Checkpoint

    Returns
    -------
    dict
        JSON values: ``name``, ``seed``, ``epochs``, ``float_epochs``, ``quantised_epochs``,
        ``seconds``, ``accuracy`` (``float``, ``quantised``, ``golden``: 0 to 1), ``parameters``,
        ``weight_bits``, ``spike_penalty``, ``addition_code``, ``max_count``, ``rounding`` and
        ``versions``.
    """
    schedule = state.config.fit
    return {
        "name": state.config.name,
        "seed": state.seed,
        "epochs": state.epoch,
        "float_epochs": schedule.float_epochs,
        "quantised_epochs": schedule.quantised_epochs,
        "seconds": round(state.seconds, 1),
        "accuracy": dict(state.accuracy),
        "parameters": count_parameters(state.build()),
        "weight_bits": state.config.quantise.weight_bits,
        "spike_penalty": schedule.spike_penalty,
        "addition_code": schedule.addition_code and schedule.addition_code.value,
        **_neurons(state.config.network),
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "numpy": np.__version__,
        },
    }


def conversion_report(conversion):
    """Facts about a conversion.

    Parameters
    ----------
    conversion : Conversion

    Returns
    -------
    dict
        JSON values: ``images``, ``exact``, ``equal_logits`` and ``equal_classes`` (images),
        ``largest_difference`` of a logit, ``right`` (images, per side), and ``mismatches``: per
        layer, the share of counts that differ with the float network's inputs, 0 to 1.
    """
    return {
        "images": conversion.images,
        "exact": conversion.exact,
        "equal_logits": conversion.equal_logits,
        "equal_classes": conversion.equal_classes,
        "largest_difference": conversion.largest_difference,
        "right": conversion.right,
        "mismatches": conversion.rates,
    }

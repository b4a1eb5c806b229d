"""What the report says of additions, held against what the counters of hardware read."""

from golden.analysis.activity_statistics import take_statistics
from train.export.findings import findings


__all__ = ["assert_additions_are_reported"]


def assert_additions_are_reported(model, images, figures):
    """Per layer and in total, for the images that ran without stalls.

    Parameters
    ----------
    model : IntegerModel
    images : uint8 array, shape (images, height, width, channels)
    figures : dict
        From :func:`sim.verify.verify` on these images.
    """
    free = len(figures["additions"])
    found = findings(model, take_statistics(model, images[:free]))
    assert sum(figures["additions"]) == round(found["total"]["bit_serial"] * free)
    reported = {layer["name"]: layer["bit_serial"] for layer in found["layers"]}
    for layer in figures["layers"]:
        assert layer["additions"] == reported.get(layer["name"], 0), layer["name"]

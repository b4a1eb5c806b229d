"""The rules of an integer model: its graph, and the values of all its fields."""

import sys

from golden.data.reading import printable
from golden.errors import ModelError
from golden.interval import MAX_WIDTH
from golden.model.input import ModelInput, check_class_names
from golden.model.integer_model import IntegerModel
from golden.model.ranges import analyse, widths
from golden.model.shapes import tensor_infos
from golden.names import MAX_NAME
from golden.ops.facts import Facts


__all__ = ["validate"]


def validate(model: IntegerModel) -> None:
    """Check every rule of an integer model.

    Parameters
    ----------
    model : IntegerModel

    Raises
    ------
    ModelError
        One sentence that names the layer and the rule that it breaks.
    """
    if not (model.name.isprintable() and len(model.name) <= MAX_NAME):
        raise ModelError(
            f"The model's name must be at most {MAX_NAME} printable characters, not {model.name!r}"
        )
    if not 0 <= model.input.constant <= 255:
        raise ModelError(f"Pixel constant must be 0 to 255, not {model.input.constant!r}")
    if model.input.encoder != {"kind": "bytes"}:
        raise ModelError(
            'The encoder of the input must be {"kind": "bytes"}, not '
            f"{printable(model.input.encoder)}"
        )
    facts = Facts(tensor_infos(model), analyse(model))
    for layer in model.layers:
        layer.check(facts)
    _widths(model)
    _mean_counts(model)
    check_class_names(model)
    ModelInput.of(model)


def _widths(model):
    """Stored widths hold whatever an image can cause."""
    if not model.widths:
        return
    for name, needed in widths(model).items():
        for noun, bits in needed.items():
            stored = model.widths.get(name, {}).get(noun)
            if not isinstance(stored, int) or stored < bits:
                raise ModelError(
                    f"Layer {name}: the {noun} width must be at least {bits} bits, "
                    f"which its exact range needs, not {stored}"
                )
    for name, stored in model.widths.items():
        for noun, bits in stored.items():
            if type(bits) is not int or not 1 <= bits <= MAX_WIDTH:
                raise ModelError(
                    f"Layer {name}: the {noun} width must be 1 to {MAX_WIDTH} bits, not {bits!r}"
                )


def _mean_counts(model):
    for name, mean in model.mean_counts.items():
        if not isinstance(mean, int | float) or not 0 <= mean <= sys.float_info.max:
            raise ModelError(
                f"The mean count of {name} must be a number of at least 0, not {mean!r}"
            )

"""What the dense engine has to do for a layer: dot products, in words."""

from dataclasses import dataclass

from golden.model.ranges import widths
from golden.model.shapes import tensor_infos


__all__ = ["DenseWork", "dense_work"]


@dataclass(frozen=True)
class DenseWork:
    """Dot products of a layer: ``rows`` vectors with ``outputs`` weight vectors of ``terms`` each.

    Numbers that are wider than the engine's operands are cut into digits, each pair of which takes
    a dot product of its own: pixels, counts of more bits, and the entries of the attention memory.

    Parameters
    ----------
    rows, outputs, terms : int
    count_digits, weight_digits : int
    """

    rows: int
    outputs: int
    terms: int
    count_digits: int = 1
    weight_digits: int = 1

    @property
    def macs(self):
        """Multiply-accumulates of the layer."""
        return self.rows * self.outputs * self.terms

    def cycles(self, engine, *, units=None):
        """Cycles that the engine takes: one for each of its words.

        Parameters
        ----------
        engine : DenseSize
        units : int, optional
            Firing units, each of which takes one sum per cycle: their cycles, where those are more.
        """
        words = -(-self.terms // engine.inputs) * self.count_digits * self.weight_digits
        fired = 0 if units is None else engine.outputs // units
        return self.rows * -(-self.outputs // engine.outputs) * max(words, fired)


def dense_work(model, engine):
    """What the engine has to do for each layer.

    Windows of a convolution are packed without gaps, rows of the attention memory are computed keys
    and values first, and sums over tokens cost nothing: each of these is in the engine's favour.

    Parameters
    ----------
    model : IntegerModel
    engine : DenseSize

    Returns
    -------
    dict of str to DenseWork
        Keyed by the layer's name; without token sums.

    Raises
    ------
    ValueError
        If the engine's weights are narrower than the model's.
    """
    known, needed = tensor_infos(model), widths(model)
    for layer in model.layers:
        if getattr(layer, "weight_bits", 0) > engine.weight_width:
            raise ValueError(
                f"Layer {layer.name} has weights of {layer.weight_bits} bits: the "
                f"dense engine's must have as many, not {engine.weight_width}"
            )

    def digits(bits, width):
        return -(-bits // width)

    def counts(name):
        bits = known[name].levels.bit_length()
        return digits(bits, engine.count_width)

    found = {}
    for layer in model.layers:
        # Sums of stream values are no products of counts.
        if layer.SPIKING:
            constant = hasattr(layer, "weight")
            found[layer.name] = DenseWork(
                *layer.products(known),
                counts(layer.reads[0]),
                1
                if constant
                else digits(layer.operand_bits(known, needed), engine.weight_width - 1),
            )
    return found

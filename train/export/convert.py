"""Conversion: the parameters of a trained float network become an integer model, without training.

Parameters that lie on grids of powers of two (SFA networks are linear between their neurons) keep
their values, and the integer model computes the float network's own scores; see
:mod:`train.quant.grids`. All others are rounded once.
"""

import copy
from dataclasses import dataclass, replace

import numpy as np

import golden
from train.export.teacher_forced import compare_with_float
from train.interpret.find import find_grids
from train.interpret.lower import integer_model
from train.network.quantised import QuantisedNetwork
from train.run.config import QuantiseConfig


__all__ = ["Conversion", "convert", "lowered"]


@dataclass(frozen=True)
class Conversion:
    """An integer model, and how it compares with the network it was made of.

    Parameters
    ----------
    model : IntegerModel
    images : int
        Images that both sides ran.
    rates : dict of str to float
        Per layer, share of counts that differ while its inputs are the float network's, 0 to 1;
        empty without images.
    equal_logits : int
        Images whose logits are the float network's, bit for bit.
    equal_classes : int
        Images that both sides put into the same class.
    right : dict of str to int
        Images whose class is their label: ``float`` and ``golden``; empty without labels.
    largest_difference : float
        Between a logit and the float network's.
    """

    model: golden.IntegerModel
    images: int = 0
    rates: dict = None
    equal_logits: int = 0
    equal_classes: int = 0
    right: dict = None
    largest_difference: float = 0.0

    @property
    def exact(self):
        """Whether every logit of every image is the float network's."""
        return self.images > 0 and self.equal_logits == self.images

    def lines(self):
        """What a user should know, as lines of text."""
        if not self.images:
            return ["nothing was compared, since --calibrate gave no images"]
        lines = []
        if not self.exact:
            lines += [f"{'layer':32} counts that differ, teacher-forced"]
            lines += [f"{name:32} {rate:.4%}" for name, rate in self.rates.items()]
            lines += [f"largest difference of a logit: {self.largest_difference:.3g}"]
        of_all = f"of {self.images} images"
        lines += [
            f"logits equal the float64 network's on {self.equal_logits} {of_all}",
            f"same class on {self.equal_classes} {of_all}",
        ]
        return lines + [
            f"right class, {side}: {right} {of_all}" for side, right in self.right.items()
        ]


def lowered(network, *, name, weight_bits=8, max_fraction_bits=16, notes=None, takes=None):
    """Integer model of a network, and the network with its grids.

    Parameters
    ----------
    network : SpikingNetwork
        With one head.
    name, weight_bits, max_fraction_bits, notes, takes
        As for :func:`convert`.

    Returns
    -------
    model : IntegerModel
    quantised : QuantisedNetwork

    Raises
    ------
    ExportError
        If a parameter is not finite; the sentence names the layer.
    """
    network = copy.deepcopy(network).double().eval()
    settings = QuantiseConfig(weight_bits=weight_bits, max_fraction_bits=max_fraction_bits)
    quantised = QuantisedNetwork(network, find_grids(network, settings), weight_bits)
    model = integer_model(quantised, name=name, notes=notes, takes=takes)
    golden.validate(model)
    return model, quantised


def convert(
    network,
    *,
    name,
    weight_bits=8,
    max_fraction_bits=16,
    images=None,
    labels=None,
    notes=None,
    takes=None,
    progress=None,
):
    """Fold a float network into integers, and compare the two.

    Parameters
    ----------
    network : SpikingNetwork
        With one head.
    name : str
    weight_bits, max_fraction_bits : int
        As in the configuration of quantisation.
    images : uint8 array, shape (images, height, width, channels), optional
        To compare on, and to measure mean counts.
    labels : integer array, shape (images,), optional
    notes : dict, optional
        For the model.
    takes : ModelInput, optional
        How pictures come to the model.
    progress : function of (int, int), optional
        Called with the number of images done and their total.

    Returns
    -------
    Conversion

    Raises
    ------
    ExportError
        If a parameter is not finite; the sentence names the layer.
    """
    model, quantised = lowered(
        network,
        name=name,
        weight_bits=weight_bits,
        max_fraction_bits=max_fraction_bits,
        notes=notes,
        takes=takes,
    )
    if images is None:
        return Conversion(model, rates={}, right={})
    compared = compare_with_float(quantised, images, progress=progress)
    wanted = compared.scores.numpy()
    logits = golden.run(model, images).logits
    found = logits * model.head.epilogue.scale
    classes = {"float": wanted.argmax(1), "golden": golden.classify(logits)}
    return Conversion(
        model=replace(model, mean_counts=golden.mean_counts(model, images)),
        images=len(images),
        rates=compared.rates(),
        equal_logits=int((found == wanted).all(1).sum()),
        equal_classes=int((classes["float"] == classes["golden"]).sum()),
        right={}
        if labels is None
        else {
            side: int((found_classes == labels).sum()) for side, found_classes in classes.items()
        },
        largest_difference=float(np.abs(found - wanted).max()),
    )

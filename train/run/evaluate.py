"""Accuracy on the test set: of float network, quantised network and integer model."""

import torch

import golden
from train.interpret.lower import integer_model
from train.network.images import to_maps


__all__ = ["batches", "float_accuracy", "measure"]


#: Images that a network sees at a time.
_BATCH = 250


def batches(images, labels):
    """Images and their labels, some at a time."""
    for first in range(0, len(labels), _BATCH):
        part = slice(first, first + _BATCH)
        yield images[part], labels[part]


def float_accuracy(network, split):
    """Part of the test images that the float network classifies rightly, 0 to 1."""
    training = network.training
    device = next(network.parameters()).device
    network.eval()
    right = 0
    with torch.no_grad():
        for images, labels in batches(split.test_images, split.test_labels):
            classes = network(to_maps(images).to(device)).argmax(1).cpu().numpy()
            right += int((classes == labels).sum())
    network.train(training)
    return right / len(split.test_labels)


def measure(state, split, rounding=None, head=None):
    """Accuracies of the quantised network and of the integer model, both 0 to 1.

    Parameters
    ----------
    state : Checkpoint
        Of the quantised phase.
    split : DataSplit
    rounding : Rounding, optional
        In place of the trained rule.
    head : str, optional
        ``spike`` or ``analog``, of a network that has both.

    Returns
    -------
    dict of str to float
        ``quantised`` and ``golden``.
    """
    quantised = state.quantised(rounding, head)
    model = integer_model(quantised, name=state.config.name)
    sides = {
        "quantised": lambda images: quantised.run(images)["logits"],
        "golden": lambda images: golden.run(model, images).logits,
    }
    right = dict.fromkeys(sides, 0)
    for images, labels in batches(split.test_images, split.test_labels):
        for side, logits in sides.items():
            right[side] += int((golden.classify(logits(images)) == labels).sum())
    return {side: number / len(split.test_labels) for side, number in right.items()}

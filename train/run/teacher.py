"""Knowledge distillation: a trained classifier whose scores the network learns to give.

References
----------
Hinton et al., "Distilling the knowledge in a neural network", arXiv:1503.02531.
"""

import importlib
from pathlib import Path

import torch
import torch.nn.functional as F

from train.run import checkpoint


__all__ = ["Teacher", "load_teacher"]


class Teacher:
    """A classifier that is no longer trained.

    Parameters
    ----------
    classifier : nn.Module
        Takes images, shape (images, channels, height, width), and gives scores (images, classes).
    largest_pixel : float
        Value of a white pixel in what ``classifier`` takes.
    """

    def __init__(self, classifier, *, largest_pixel=1.0):
        self._classifier = classifier.eval().requires_grad_(False)
        self._scale = largest_pixel / 255

    def to(self, device):
        """Move the classifier to a device."""
        self._classifier.to(device)
        return self

    def loss(self, images, scores, temperature):
        """Kullback-Leibler divergence between the teacher's classes and the network's.

        Parameters
        ----------
        images : float tensor
            As the network sees them, pixels 0..255.
        scores : float tensor, shape (images, classes)
            Of the network.
        temperature : float
            Divides both scores; the loss is multiplied by its square.

        Raises
        ------
        ValueError
            If the teacher's classes are not the network's.
        """
        with torch.no_grad():
            expected = self._classifier((images * self._scale).float())
        if expected.shape != scores.shape:
            raise ValueError(
                f"the teacher must give scores of shape {tuple(scores.shape)}, as the network "
                f"does, not {tuple(expected.shape)}"
            )
        return temperature**2 * F.kl_div(
            F.log_softmax(scores / temperature, 1),
            F.log_softmax(expected / temperature, 1),
            reduction="batchmean",
            log_target=True,
        )


def load_teacher(name):
    """Find a teacher.

    Parameters
    ----------
    name : str
        ``MODULE:FUNCTION``, a function without arguments that returns a torch classifier of images
        with pixels 0..1; or the path of a checkpoint that ``fit`` wrote.

    Returns
    -------
    Teacher

    Raises
    ------
    ValueError
        One sentence: no such function, or no torch module returned.
    OSError
        If the checkpoint cannot be read.
    """
    if ":" not in name:
        return Teacher(checkpoint.load(Path(name)).build(), largest_pixel=255)
    module, _, function = name.partition(":")
    try:
        classifier = getattr(importlib.import_module(module), function)()
        return Teacher(classifier)
    except (ImportError, AttributeError, TypeError) as error:
        raise ValueError(f"teacher {name} must give a torch classifier ({error})") from error

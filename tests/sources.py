"""Images from outside, read as commands read them, and how they are refused."""

import pytest

from golden.cli.source import load_source
from golden.model.input import ModelInput


__all__ = ["TAKES", "refused", "source"]


TAKES = ModelInput.usual((8, 8, 1))


def refused(read, path, sentence):
    """Checks that reading ends with one sentence, which names the file and has some words."""
    with pytest.raises(ValueError) as caught:
        read(path)
    text = str(caught.value)
    assert str(path) in text
    assert sentence in text
    assert text.isprintable()


def source(path):
    """Images of a file, for a model of 8 x 8 gray pixels."""
    return load_source(path, TAKES)
